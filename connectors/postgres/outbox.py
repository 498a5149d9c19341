"""Outbox: gathers the reader's records into batches, and marks the end of source transactions.

Owned by the reader thread. The records of one message are one group and never part (C8). The last group of an
open transaction stays back until the next one or COMMIT arrives: only then is it known whether its last
record ends the transaction, and its offset and mark say so.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.cdc.queue import RecordQueue
from replicator.api import ChangeRecord, Header, SourceRecord
from replicator.api.position import POSITION_HEADER, WHOLE_TOPIC_HEADER
from replicator.api.schema import STRING

WHOLE_TOPIC: Final = Header(WHOLE_TOPIC_HEADER, None, "truncate")
"""On the record of a truncate."""


class Stopped(Exception):
    """The queue was closed: the task is being stopped."""


class Outbox:
    """The batch in the making.

    Attributes:
        records: the batch; the stream appends to it directly.
        limit: number of records from which the batch should go.
        size: bytes of source data behind it.
        group: index in `records` of the last group's first record.
    """

    __slots__ = ("_queue", "_waiting", "group", "limit", "records", "size")

    def __init__(self, queue: RecordQueue, limit: int, while_waiting: Callable[[], None]) -> None:
        self._queue = queue
        self.limit = limit
        self._waiting = while_waiting
        self.records: list[SourceRecord] = []
        self.size = 0
        self.group = 0

    def send(self, *, keep_group: bool = False) -> SourceRecord | None:
        """Put the batch into the queue, waiting for room; the last record sent, or None.

        Args:
            keep_group: whether the last group stays back.

        Raises:
            Stopped: the queue was closed.
        """
        records = self.records
        kept: list[SourceRecord] = []
        if keep_group:
            kept = records[self.group :]
            del records[self.group :]
        if not records:
            self.records = kept
            self.group = 0
            return None
        if not self._queue.put(records, self.size, self._waiting):
            raise Stopped
        self.records = kept
        self.group = 0
        self.size = 0
        return records[-1]


END_MARK: Final = "1"


def position_header(prefix: str, ordinal: int) -> Header:
    """The position header of a record that may or may not be its transaction's last."""
    return Header(POSITION_HEADER, STRING, f"{prefix}{ordinal}:0")


def mark_end(record: SourceRecord) -> None:
    """Say in the position header that this record ends its transaction."""
    if isinstance(record, ChangeRecord):
        record.end = True
        return
    headers = record.headers
    if headers:
        text: str = headers[0].value
        headers[0] = Header(POSITION_HEADER, STRING, text[:-1] + END_MARK)


def _run_id() -> str:
    """A UUID of version 7, which begins with the time, for one life of a task."""
    number = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | secrets.randbits(80)
    return str(uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def context_headers(options: Mapping[str, Any], task: int) -> list[Header]:
    """Headers that every record carries, if they are wanted."""
    if not options["extended.headers.enabled"]:
        return []
    context = {
        "connectorLogicalName": options["topic.prefix"],
        "taskId": str(task),
        "connectorName": "postgresql",
        "runId": _run_id(),
    }
    return [Header(f"__debezium.context.{name}", STRING, value) for name, value in context.items()]
