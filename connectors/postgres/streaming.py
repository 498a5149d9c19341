"""Driving one replication session: reading messages, feedback, heartbeats, idle positions (reader thread).

Feedback goes out also while the queue is full (C5) and at the end. When the server wants to shut down it waits
until all it sent is confirmed; what is not durable yet must not be confirmed (INV-2), so the reader looks whether
the server still takes commands and leaves when it does not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from connectors.cdc.heartbeat import Heartbeat
from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated
from connectors.postgres.outbox import Outbox
from connectors.postgres.progress import Progress
from connectors.postgres.requests import CopyWanted
from connectors.postgres.status import Status
from connectors.postgres.stream import Stream
from connectors.postgres.walsender import WalSender, format_lsn
from replicator.api import ConnectError, SourceRecord

log = logging.getLogger(__name__)

_DATA: Final = ord("w")
_KEEPALIVE: Final = ord("k")
_WAIT: Final = 0.2
_TICK: Final = 0.05
_FLOOR_INTERVAL: Final = 1.0
_PROBE_INTERVAL: Final = 1.0
_MESSAGES_PER_TICK: Final = 500
_PACE: Final = 0.004
"""Seconds between two batches while few changes come. A thousand small transactions a second cost several times less by
twos and threes than one by one, and a processor that is busy with them is what the slowest of them wait for."""


class Owner(Protocol):
    """What the session needs of the reader."""

    heartbeat: Heartbeat
    progress: Progress

    @property
    def copy_wanted(self) -> bool:
        """Whether tables are to be copied anew, between two transactions."""
        ...

    def notes_to_store(self) -> list[SourceRecord]:
        """Records that carry no message and not the position."""
        ...

    def check_stop(self) -> None:
        """Raise Stopped when the task is to stop."""
        ...


class Streaming:
    """One session."""

    def __init__(
        self,
        options: Mapping[str, Any],
        sender: WalSender,
        side: PlainConnection,
        owner: Owner,
        status: Status,
    ) -> None:
        self._sender = sender
        self._side = side
        self._owner = owner
        self._status = status
        self._interval: float = options["status.update.interval.ms"] / 1000
        self._action: str | None = options["heartbeat.action.query"]
        self._received = 0
        self._reply_due = False
        self._probed = 0.0
        self._floor_sent = 0
        self._floor_time = 0.0
        self._waiting_for_data = False
        self._sent = 0.0

    def run(
        self,
        stream: Stream,
        outbox: Outbox,
        handed: Callable[[SourceRecord | None], None],
        partition: Mapping[str, Any],
    ) -> None:
        """Read until the connection is lost or the task stops.

        Raises:
            RetriableError: the connection is lost.
            CopyWanted: tables are to be copied anew; everything read so far is handed out.
            Stopped: the task stops.
        """
        self._floor_sent = stream.floor
        self._status.session(stream)
        with translated("reading the log"):
            self._loop(stream, outbox, handed, partition)

    def _loop(
        self,
        stream: Stream,
        outbox: Outbox,
        handed: Callable[[SourceRecord | None], None],
        partition: Mapping[str, Any],
    ) -> None:
        get, handlers, wait = self._sender.get, stream.handlers, self._sender.wait
        limit = outbox.limit
        budget = _MESSAGES_PER_TICK
        while True:
            count, data = get(1)
            if count > 0:
                if data[0] == _DATA:
                    body = bytes(data[25:])
                    handlers[body[0]](body, int.from_bytes(data[1:9]))
                    outbox.size += count
                    if len(outbox.records) >= limit:
                        handed(outbox.send(keep_group=stream.holding))
                elif data[0] == _KEEPALIVE:
                    self._keepalive(stream, data)
                budget -= 1
                if budget:
                    continue
                self._waiting_for_data = False
            elif count == 0:
                if outbox.records and (early := self._sent + _PACE - time.monotonic()) > 0:
                    wait(early)
                    continue
                handed(outbox.send(keep_group=stream.holding))
                self._sent = time.monotonic()
                self._waiting_for_data = True
            else:
                raise self._sender.ended()
            # A request waits for the end of the transaction: look after every message.
            budget = 1 if self._owner.copy_wanted else _MESSAGES_PER_TICK
            self._tick(stream, outbox, handed, partition)
            if self._waiting_for_data:
                wait(_WAIT)

    def _keepalive(self, stream: Stream, data: memoryview) -> None:
        end = int.from_bytes(data[1:9])
        self._received = max(self._received, end)
        stream.idle(end)
        if data[17]:
            self._reply_due = True
            if self._owner.progress.durable < end:
                self._probe()

    def _probe(self) -> None:
        """A server that is shutting down has ended its ordinary sessions already."""
        now = time.monotonic()
        if now - self._probed < _PROBE_INTERVAL:
            return
        self._probed = now
        with translated("checking that the server still takes commands"):
            self._side.execute("SELECT 1")

    def _tick(
        self,
        stream: Stream,
        outbox: Outbox,
        handed: Callable[[SourceRecord | None], None],
        partition: Mapping[str, Any],
    ) -> None:
        self._owner.check_stop()
        self._feedback(stream.floor)
        if not stream.open:
            self._heartbeat(stream, outbox, partition)
            self._floor(stream, outbox)
            leave = self._owner.copy_wanted
            notes = self._owner.notes_to_store()
            outbox.records += notes
            if leave or notes:
                outbox.records.append(stream.floor_record())
            if outbox.records:
                handed(outbox.send())
            if leave:
                raise CopyWanted
        self._report(stream)

    def _feedback(self, received: int) -> None:
        sender = self._sender
        age = sender.feedback_age
        durable = self._owner.progress.durable
        self._received = max(self._received, received)
        if age > self._interval or (age > _TICK and (self._reply_due or durable > sender.confirmed)):
            sender.feedback(self._received, durable)
            self._reply_due = False

    def while_full(self) -> None:
        """The queue is full: keep the connection alive."""
        self._owner.check_stop()
        self._feedback(0)

    def last_words(self) -> None:
        """The task stops: confirm what is durable."""
        try:
            self._sender.feedback(self._received, self._owner.progress.durable)
        except ConnectError as error:
            log.debug("The last status message could not be sent: %s", error)

    def _heartbeat(self, stream: Stream, outbox: Outbox, partition: Mapping[str, Any]) -> None:
        heartbeat = self._owner.heartbeat
        if not heartbeat.due():
            return
        if self._action:
            with translated("running heartbeat.action.query"):
                self._side.execute(self._action.encode())
        outbox.records.append(heartbeat.record(partition, stream.floor_offset()))
        self._floor_sent = stream.floor
        self._floor_time = time.monotonic()

    def _floor(self, stream: Stream, outbox: Outbox) -> None:
        """Positions without records are stored, too, so that the slot moves while nothing is captured (C5)."""
        now = time.monotonic()
        if outbox.records:
            self._floor_time = now
            return
        if stream.floor > self._floor_sent and now - self._floor_time >= _FLOOR_INTERVAL:
            outbox.records.append(stream.floor_record())
            self._floor_sent = stream.floor
            self._floor_time = now

    def _report(self, stream: Stream) -> None:
        behind = 0.0
        if not self._waiting_for_data and stream.commit_us:
            behind = max(0.0, time.time() * 1000 - stream.commit_us / 1000)
        self._status.behind(stream.floor, behind)
        self._status.facts(lsn=format_lsn(stream.floor), lag_ms=round(behind))
