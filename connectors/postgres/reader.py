"""The reader thread: connects, copies what is to be copied, streams, and connects again when a connection is lost.

It goes on from the last position it put into the queue, so a lost connection loses and repeats nothing. Errors
that trying again cannot heal go to `poll` through the queue, after the records before them.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from connectors.cdc.heartbeat import Heartbeat
from connectors.cdc.queue import RecordQueue
from connectors.postgres import catalog, slot
from connectors.postgres.capture import Capture
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import (
    APPLICATION,
    Connector,
    PlainConnection,
    check_encoding,
    check_wal_level,
)
from connectors.postgres.copying import Copying
from connectors.postgres.encoders import Encoders
from connectors.postgres.incremental import Incremental
from connectors.postgres.incremental_queue import Queue
from connectors.postgres.outbox import Stopped, context_headers
from connectors.postgres.pgoutput import Relation as RelationMessage
from connectors.postgres.planning import adopted
from connectors.postgres.position import (
    CopyState,
    Position,
)
from connectors.postgres.progress import Progress
from connectors.postgres.publication import Published
from connectors.postgres.requests import CopyRequests, CopyWanted
from connectors.postgres.session_connections import Connections
from connectors.postgres.signals import Signals
from connectors.postgres.silent_reader import SilentReader
from connectors.postgres.start_point import StartPoint, drop_slot
from connectors.postgres.status import Status
from connectors.postgres.stream import Stream
from connectors.postgres.streaming import Streaming
from connectors.postgres.types_catalog import TypeCatalog
from connectors.postgres.walsender import WalSender, format_lsn, stream_parameters
from replicator.api import (
    ConnectError,
    RetriableError,
    SourceRecord,
    offset_only,
)

log = logging.getLogger(__name__)

NOTES: Final = {"replicator": "tables"}
"""Added to the partition under which the watch's notes are stored."""
_FIRST_WAIT: Final = 0.2
_PURPOSE: Final = "reader"


class Reader:
    """Fills the queue; everything but `copy_again`, `refit` and `stop` runs on its own thread.

    Attributes:
        queue: what `poll` takes from.
        progress: how far it is.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        partition: Mapping[str, Any],
        position: Position | None,
        status: Status,
        task: int,
    ) -> None:
        self._options = options
        self._connector = Connector(options)
        self._encoders = Encoders(options)
        self._types = TypeCatalog()
        self._status = status
        self._partition = partition
        self._mode: str = options["snapshot.mode"]
        self._slot_name: str = options["slot.name"]
        self._extra = context_headers(options, task)
        self._stop = threading.Event()
        self._longest_wait: float = options["retriable.restart.connector.wait.ms"] / 1000
        self._wait = _FIRST_WAIT
        self._former = SilentReader(options, f"{APPLICATION} {_PURPOSE}")
        self.queue = RecordQueue(options["max.queue.size"], options["max.queue.size.in.bytes"])
        self.progress = Progress(options, self.queue, partition, position)
        self._requests = CopyRequests()
        self._capture = Capture(options, self._encoders.selection, self._requests)
        self.fitting = self._capture.lock
        self.departures = self._capture.departures
        self._copying = Copying(
            options,
            connector=self._connector,
            capture=self._capture,
            encoders=self._encoders,
            types=self._types,
            status=status,
            outbox=lambda: self.progress.outbox(self.check_stop),
            handed=self._handed,
            check_stop=self.check_stop,
            partition=partition,
            extra_headers=self._extra,
            everything=self._mode == "always" and position is not None,
        )
        self.copies = self._copying.finished
        self.queue_of_tables = Queue(position.incremental if position is not None else "")
        self.signals = Signals(
            options,
            self.queue_of_tables,
            lambda: self._capture.names,
            self.copy_again,
            self._told_position,
        )
        self._incremental = Incremental(options, self, self._encoders, status, self.queue_of_tables)
        self._live: Stream | None = None
        self.notes: deque[dict[str, Any]] = deque()
        prefix = options["topic.prefix"]
        self.heartbeat = Heartbeat(options["heartbeat.interval.ms"], self._encoders.topics.heartbeat, prefix)

    # --- called by the task's thread ---

    @property
    def captured(self) -> list[Relation]:
        """The tables that are captured."""
        return self._capture.relations

    @property
    def snapshot_opened(self) -> float | None:
        """When the copy's snapshot was opened, by this process's clock; None while there is none."""
        return self._copying.opened

    def copy_again(self, names: Sequence[str]) -> None:
        """Copy captured tables anew, once the transaction that is being read is complete."""
        self._status.tables({name: {"state": "requested"} for name in names})
        self._requests.add(names)

    def refit(self, streamed: Sequence[str] = ()) -> None:
        """Leave the stream between two transactions and begin anew with the tables as they are then.

        Args:
            streamed: new tables that need no copy.
        """
        self._requests.refit(streamed)

    def stop(self) -> None:
        """Let the thread end soon."""
        self._stop.set()
        self.signals.stop()
        self._incremental.stop()
        self.queue.close()

    def _told_position(self) -> str:
        position = self.progress.position
        return format_lsn(position.floor) if position is not None else ""

    # --- the thread ---

    def run(self) -> None:
        """Body of the thread."""
        try:
            self._run()
        except Stopped:
            if self._options["slot.drop.on.stop"]:
                drop_slot(self._connector, self._slot_name)
        except ConnectError as error:
            self.queue.fail(error)
        except Exception as error:
            log.exception("The reader failed")
            failure = ConnectError(f"The log reader failed: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self.queue.fail(failure)

    def _run(self) -> None:
        self._pause(self._options["snapshot.delay.ms"] / 1000 if self.progress.position is None else 0)
        while True:
            try:
                self._session()
                return
            except CopyWanted:
                names = self._requests.names
                if names:
                    self.progress.declare_void(names, self.check_stop)
                self._requests.taken(names)
                continue
            except RetriableError as error:
                self.check_stop()
                log.warning("Connecting again in %.1f s: %s", self._wait, error)
                self._status.warn("connection", [str(error)])
                self._status.facts(phase="reconnecting", now=True)
            self._pause(self._wait)
            self._wait = min(self._wait * 2, self._longest_wait)

    def check_stop(self) -> None:
        """Raise Stopped when the task is to stop."""
        if self._stop.is_set():
            raise Stopped

    def _pause(self, seconds: float) -> None:
        if seconds and self._stop.wait(seconds):
            raise Stopped

    def _session(self) -> None:
        with ExitStack() as stack:
            connections = Connections(self._connector, stack)
            side = connections.plain("catalog")
            check_encoding(side)
            check_wal_level(side)
            sender = connections.sender(_PURPOSE)
            self._types.forget()
            start = StartPoint(
                self._options,
                self._status,
                connections,
                side,
                sender.identify(),
                self.check_stop,
                self._pause,
            )
            position, published = self._prepare(start, side)
            position, published = self._copying.run(start, side, position, published)
            self._status.warn("publication", published.warnings)
            self._status.warn("departures", self.departures.sentences())
            if self._mode == "initial_only":
                self._finished()
                return
            self._stream(sender, side, position, published)

    def _prepare(self, start: StartPoint, side: PlainConnection) -> tuple[Position, Published]:
        """Publications, slot and position, in this order (C3)."""
        found = slot.read(side, self._slot_name)
        if self._former.end(side, found):
            self._wait = _FIRST_WAIT
        position = start.checked(found, self.progress.position)
        resuming = position is not None and position.floor > 0
        known = position.copy.tables if position is not None and resuming else {}
        published = self._capture.fit(
            side, slot_exists=start.slot_exists, resuming=resuming, known=known.keys()
        )
        if not resuming:
            published.added.clear()
        if position is None or not position.floor:
            position = start.fresh(position.copy if position is not None else CopyState())
        if position.identity is None:
            copy = adopted(self.captured, published.added)
            position = position.moved(identity=start.identity(position), copy=copy)
        if self._copying.everything:
            position = position.moved(copy=CopyState(), copying=True)
        return self._capture.completed(position, published), published

    def notes_to_store(self) -> list[SourceRecord]:
        """What the watch wants to find again at the next start, as records without a message."""
        partition = {**self._partition, **NOTES}
        progress = []
        if self.queue_of_tables.changed and self._live is not None:
            self.queue_of_tables.changed = False
            self._live.remember(self.queue_of_tables.text())
            progress.append(self._live.floor_record())
        return progress + [offset_only(partition, self.notes.popleft()) for _ in range(len(self.notes))]

    def _handed(self, last: SourceRecord | None) -> None:
        if last is not None:
            self._wait = _FIRST_WAIT
            self.progress.handed(last)

    def _finished(self) -> None:
        self._status.facts(phase="finished", now=True)
        log.info("The copy is finished; snapshot.mode is initial_only, so nothing follows.")
        while not self._stop.wait(_FIRST_WAIT):
            if self.copy_wanted:
                raise CopyWanted

    @property
    def copy_wanted(self) -> bool:
        """Whether the stream is to be left, for a copy or because tables came or changed."""
        return bool(self._requests)

    # --- the stream ---

    def _stream(
        self, sender: WalSender, side: PlainConnection, position: Position, published: Published
    ) -> None:
        known = self.progress.position
        self.progress.position = position

        def table_of(message: RelationMessage) -> Any:
            self._types.forget()
            return catalog.table_of(side, self._types, message)

        streaming = Streaming(self._options, sender, side, self, self._status)
        outbox = self.progress.outbox(streaming.while_full)
        stream = Stream(
            self._options, self._encoders, table_of, position, outbox, self._partition, self._extra
        )
        if known != position:
            # The slot's identity, and which tables are copied, must be durable before anything is acknowledged.
            outbox.records.append(stream.floor_record())
        self._live = stream
        table = self.signals.table
        topic = self._encoders.topics.table(*table.split(".", 1)) if table and "." in table else None
        self._incremental.attach(stream, outbox, self.signals, topic)
        extra = self._options["slot.stream.params"]
        sender.start(self._slot_name, position.floor, published.names, stream_parameters(extra))
        self._status.warn("connection", [])
        self._status.facts(phase="streaming", lsn=format_lsn(position.floor), now=True)
        with self._acknowledging(streaming):
            streaming.run(stream, outbox, self._handed, self._partition)

    @contextmanager
    def _acknowledging(self, streaming: Streaming) -> Iterator[None]:
        try:
            yield
        finally:
            if self._stop.is_set():
                streaming.last_words()
