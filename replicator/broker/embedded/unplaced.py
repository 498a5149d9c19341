"""Messages without a source position: a group's consumer hands them out only once they survive a power loss (C9).

After a power loss the log may be shorter than what a target holds. Records with a source position are recognised there
when their source sends them again; others are known by their offset alone, which may by then belong to another record.
Called by the thread that polls; a flush covers everything appended so far, so it is shared by all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from replicator.api.position import POSITION_HEADER
from replicator.broker.embedded.log import Log
from replicator.broker.message import Message


def make_durable(log: Log, messages: Iterable[Message], sequence: int) -> None:
    """Flush the log unless all these messages have positions, or everything up to `sequence` is flushed already."""
    if log.synced >= sequence or log.path is None or log.read_only:
        return
    # One source writes a topic, with positions or without.
    for message in {m.topic: m for m in messages}.values():
        headers = message.headers
        if not headers or not any(name == POSITION_HEADER for name, _ in headers):
            log.sync()
            return
