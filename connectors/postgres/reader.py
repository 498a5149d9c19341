"""The reader thread: connects, copies what is to be copied, streams, and connects again when a connection is lost.

It goes on from the last position it put into the queue, so a lost connection loses and repeats nothing. Errors
that trying again cannot heal go to `poll` through the queue, after the records before them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from connectors.cdc.heartbeat import Heartbeat
from connectors.cdc.queue import RecordQueue
from connectors.postgres import catalog, slot
from connectors.postgres.catalog import Relation
from connectors.postgres.chunks import TableChanged
from connectors.postgres.connection import APPLICATION, Connector, PlainConnection, check_encoding
from connectors.postgres.departures import Departures
from connectors.postgres.encoders import Encoders
from connectors.postgres.errors import WAL_LEVEL_HINT, translated
from connectors.postgres.identities import Identities
from connectors.postgres.incremental import Incremental
from connectors.postgres.incremental_queue import Queue
from connectors.postgres.outbox import Outbox, Stopped
from connectors.postgres.pgoutput import Relation as RelationMessage
from connectors.postgres.planning import CopyPlan, adopted, void
from connectors.postgres.position import (
    INCREMENTAL,
    CopyOffset,
    CopyState,
    Position,
    SlotIdentity,
    StreamOffset,
)
from connectors.postgres.publication import Publications, Published
from connectors.postgres.requests import CopyRequests, CopyWanted
from connectors.postgres.signals import Signals
from connectors.postgres.silent_reader import SilentReader
from connectors.postgres.snapshot import Copy, open_view
from connectors.postgres.status import Status
from connectors.postgres.stream import Stream
from connectors.postgres.streaming import Streaming
from connectors.postgres.types_catalog import TypeCatalog
from connectors.postgres.walsender import CreatedSlot, System, WalSender, format_lsn
from connectors.postgres.watch import Copied, changes
from replicator.api import (
    ConfigError,
    ConnectError,
    Header,
    PositionLostError,
    RetriableError,
    SourceRecord,
    offset_only,
)
from replicator.api.schema import STRING

log = logging.getLogger(__name__)

NOTES: Final = {"replicator": "tables"}
"""Added to the partition under which the watch's notes are stored."""
_FIRST_WAIT: Final = 0.2
_PURPOSE: Final = "reader"
_DROP_ATTEMPTS: Final = 5
_TEMPORARY_SLOT: Final = "replicator_copy_{}"


class Reader:
    """Fills the queue; everything but `acknowledge`, `copy_again` and `stop` runs on its own thread.

    Attributes:
        queue: what `poll` takes from.
        position: position of the last record put into the queue; None before the first.
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
        self._plan = CopyPlan(options)
        self._types = TypeCatalog()
        self._status = status
        self._partition = partition
        self._mode: str = options["snapshot.mode"]
        self._slot_name: str = options["slot.name"]
        self._copy_again = self._mode == "always" and position is not None
        self._extra = _context_headers(options, task)
        self._stop = threading.Event()
        self._longest_wait: float = options["retriable.restart.connector.wait.ms"] / 1000
        self._wait = _FIRST_WAIT
        self._former = SilentReader(options, f"{APPLICATION} {_PURPOSE}")
        self.queue = RecordQueue(options["max.queue.size"], options["max.queue.size.in.bytes"])
        self.position = position
        self._durable = 0
        self._manual = options["lsn.flush.mode"] == "manual"
        self._identities = Identities(options["replica.identity.autoset.values"])
        self._streaming: Streaming | None = None
        self._requests = CopyRequests()
        self.fitting = threading.Lock()
        self.captured: list[Relation] = []
        self.snapshot_opened: float | None = None
        self.copies: deque[Copied] = deque()
        self.departures = Departures()
        self.queue_of_tables = Queue(position.incremental if position is not None else "")
        self.signals = Signals(
            options,
            self.queue_of_tables,
            lambda: [r.full_name for r in self.captured],
            self.copy_again,
            lambda: format_lsn(self.position.floor) if self.position is not None else "",
        )
        self._incremental = Incremental(options, self, self._encoders, status, self.queue_of_tables)
        self._live: Stream | None = None
        self.notes: deque[dict[str, Any]] = deque()
        prefix = options["topic.prefix"]
        self.heartbeat = Heartbeat(options["heartbeat.interval.ms"], self._encoders.topics.heartbeat, prefix)

    # --- called by the task's thread ---

    def acknowledge(self, durable: int) -> None:
        """A position is durable: the server may be told so (INV-2)."""
        if not self._manual:
            self._durable = max(self._durable, durable)

    @property
    def durable(self) -> int:
        """The highest durable position."""
        return self._durable

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

    # --- the thread ---

    def run(self) -> None:
        """Body of the thread."""
        try:
            self._run()
        except Stopped:
            if self._options["slot.drop.on.stop"]:
                self._drop_slot()
        except ConnectError as error:
            self.queue.fail(error)
        except Exception as error:
            log.exception("The reader failed")
            failure = ConnectError(f"The log reader failed: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self.queue.fail(failure)

    def _drop_slot(self) -> None:
        """The user wants no slot left behind; what comes after the stop is then lost."""
        for _ in range(_DROP_ATTEMPTS):
            try:
                with ExitStack() as stack:
                    slot.drop(self._plain(stack, "drop slot"), self._slot_name)
                return
            except RetriableError as error:
                log.warning("Slot %s cannot be dropped yet: %s", self._slot_name, error)
                time.sleep(_FIRST_WAIT)

    def _run(self) -> None:
        self._pause(self._options["snapshot.delay.ms"] / 1000 if self.position is None else 0)
        while True:
            try:
                self._session()
                return
            except CopyWanted:
                self._declare_void()
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
            side = self._plain(stack, "catalog")
            self._check_server(side)
            sender = self._sender(stack, _PURPOSE)
            system = sender.identify()
            self._types.forget()
            position, published = self._prepare(stack, side, system)
            position, published = self._copy(side, position, published)
            self._tell_copied(position)
            self._status.warn("publication", published.warnings)
            self._status.warn("departures", self.departures.sentences())
            if self._mode == "initial_only":
                self._finished()
                return
            self._stream(sender, side, position, published)

    def _check_server(self, side: PlainConnection) -> None:
        check_encoding(side)
        with translated("reading wal_level"):
            row = side.execute("SHOW wal_level").fetchone()
        if row is not None and row[0] != "logical":
            raise ConfigError(
                f"The server's wal_level is {row[0]}, but logical decoding needs logical.",
                option="database.hostname",
                hint=WAL_LEVEL_HINT,
            )

    def _plain(self, stack: ExitStack, purpose: str) -> PlainConnection:
        connection = self._connector.plain(purpose)
        stack.callback(connection.close)
        return connection

    def _sender(self, stack: ExitStack, purpose: str) -> WalSender:
        sender = WalSender(self._connector.replication(purpose))
        stack.callback(sender.close)
        return sender

    # --- before streaming ---

    def _capture(self, side: PlainConnection) -> list[Relation]:
        selection = self._encoders.selection
        found = catalog.candidates(side, via_root=self._options["publish.via.partition.root"])
        chosen = [r for r in found if selection.table(r.schema, r.name)]
        self.departures.compare(self.captured, found, {r.full_name for r in chosen})
        self.captured = catalog.with_leaves(side, chosen)
        return self.captured

    def _fit(
        self, side: PlainConnection, *, slot_exists: bool, resuming: bool
    ) -> tuple[list[Relation], Published]:
        """The tables as they are now, and publications that fit them."""
        with self.fitting:
            captured = self._capture(side)
            if self._identities.apply(side, captured):
                captured = self._capture(side)
            if self._mode == "initial_only":
                return captured, Published([])
            publications = Publications(side, self._options)
            try:
                return captured, publications.ensure(captured, slot_exists=slot_exists, resuming=resuming)
            except ConfigError as error:
                known = self.position.copy.tables if self.position is not None and resuming else {}
                if not any(r.full_name in known for r in captured) or all(
                    r.full_name in known for r in captured
                ):
                    raise
                log.warning("New tables cannot join: %s", error)
                self.captured = captured = [r for r in captured if r.full_name in known]
                return captured, publications.ensure(captured, slot_exists=slot_exists, resuming=resuming)

    def _prepare(self, stack: ExitStack, side: PlainConnection, system: System) -> tuple[Position, Published]:
        """Publications, slot and position, in this order (C3)."""
        there = slot.read(side, self._slot_name)
        if self._former.end(side, there):
            self._wait = _FIRST_WAIT
        position = self.position
        if there is not None:
            slot.check_kind(there, self._options["database.dbname"])
        if position is not None and self._mode != "initial_only":
            try:
                strategy = self._options["offset.mismatch.strategy"]
                position = slot.check_position(there, self._slot_name, system, position, strategy)
            except PositionLostError as lost:
                position = self._lost(side, position, lost)
                there = None
        resuming = position is not None and position.floor > 0
        captured, published = self._fit(side, slot_exists=there is not None, resuming=resuming)
        if position is None or not position.floor:
            position = self._fresh(stack, side, system, there, position)
        if position.identity is None:
            # Somebody else's offset: its log is this slot's from here on.
            point = there.confirmed if there is not None else position.floor
            identity = SlotIdentity(system.identifier, system.timeline, self._slot_name, point)
            position = position.moved(identity=identity, copy=adopted(captured))
        if self._copy_again:
            position = position.moved(copy=CopyState(), copying=True)
        if not resuming:
            published.added.clear()
        return self._completed(position, captured, published), published

    def notes_to_store(self) -> list[SourceRecord]:
        """What the watch wants to find again at the next start, as records without a message."""
        partition = {**self._partition, **NOTES}
        progress = []
        if self.queue_of_tables.changed and self._live is not None:
            self.queue_of_tables.changed = False
            self._live.remember(self.queue_of_tables.text())
            progress.append(self._live.floor_record())
        return progress + [offset_only(partition, self.notes.popleft()) for _ in range(len(self.notes))]

    def _completed(self, position: Position, captured: list[Relation], published: Published) -> Position:
        position, renamed = self._plan.renamed(position, captured)
        self.departures.renamed(renamed)
        # Whatever happened to a table while it was not published is not in the log.
        position = self._plan.unpublished(position, published.added)
        return self._plan.complete(position, captured, published.members, self._requests.streamed)

    def _lost(self, side: PlainConnection, position: Position, lost: PositionLostError) -> Position:
        """The stored position is of no use: copy again if the mode says so, else fail."""
        if self._mode != "when_needed":
            raise lost
        log.warning("Copying again, because snapshot.mode is when_needed: %s", lost)
        slot.drop(side, self._slot_name)
        names = list(position.copy.tables)
        return void(position, names).moved(floor=0, commit=0, ordinal=-1, identity=None)

    def _fresh(
        self,
        stack: ExitStack,
        side: PlainConnection,
        system: System,
        there: slot.Slot | None,
        position: Position | None,
    ) -> Position:
        """The first position of a new slot (or of one that was made for us)."""
        copy = position.copy if position is not None else CopyState()
        if self._mode == "initial_only":
            identity = SlotIdentity(system.identifier, system.timeline, "", system.position)
            return Position(system.position, identity=identity, copy=copy, copying=True)
        exported = self._mode != "no_data"
        if there is None:
            holder = self._sender(stack, "snapshot")
            created = self._create(side, holder, self._slot_name, temporary=False, export=exported)
            self._created = (created, holder) if exported else None
            point = created.point
        else:
            point = there.confirmed if not exported else 0
        if not point:
            # An older slot: rows come from a copy of now, the stream goes on from there.
            holder = self._sender(stack, "snapshot")
            created = self._create(side, holder, _temporary(), temporary=True, export=True)
            self._created = (created, holder)
            point = created.point
        identity = SlotIdentity(system.identifier, system.timeline, self._slot_name, point)
        return Position(point, identity=identity, copy=copy, copying=exported)

    _created: tuple[CreatedSlot, WalSender] | None = None
    """A snapshot that was exported with a new slot and is not used yet."""

    def _create(
        self, side: PlainConnection, holder: WalSender, name: str, *, temporary: bool, export: bool
    ) -> CreatedSlot:
        maker = slot.SlotMaker(
            side,
            self._options,
            lambda sentence: self._status.warn("slot", [sentence] if sentence else []),
            self.check_stop,
        )
        self._status.facts(phase="creating slot", now=True)
        for attempt in range(self._options["slot.max.retries"] + 1):
            try:
                return maker.create(holder, name, temporary=temporary, export=export)
            except RetriableError as error:
                log.warning("Attempt %d to create slot %s: %s", attempt + 1, name, error)
                if attempt == self._options["slot.max.retries"]:
                    raise ConnectError(error.message, hint=error.hint) from error
            self._pause(self._options["slot.retry.delay.ms"] / 1000)
        raise AssertionError("unreachable")

    # --- the copy ---

    def _copy(
        self, side: PlainConnection, position: Position, published: Published
    ) -> tuple[Position, Published]:
        """Copy what is to be copied, under as many snapshots as it takes."""
        first = not any(t.done and t.point for t in position.copy.tables.values())
        while True:
            todo = self._plan.todo(position, self.captured)
            if not todo and not position.copying:
                return position, published
            with ExitStack() as stack:
                before = changes(side, todo)
                created = self._snapshot_for_copy(stack, side)
                reading = self._plain(stack, "copy")
                view = open_view(reading, created.snapshot or "", created.point, todo)
                self.snapshot_opened = time.monotonic()
                outbox = self._outbox(self.check_stop)
                copy = Copy(
                    self._options,
                    reading=reading,
                    side=side,
                    encoders=self._encoders,
                    types=self._types,
                    outbox=outbox,
                    send=lambda box=outbox: self._handed(box.send()),  # type: ignore[misc]
                    report=self._status.table,
                    check_stop=self.check_stop,
                    partition=self._partition,
                    extra_headers=self._extra,
                    first=first,
                    published=published,
                )
                self._status.facts(phase="snapshot", lsn=format_lsn(created.point), now=True)
                log.info("Copying %d tables as of %s", len(todo), format_lsn(created.point))
                try:
                    position = copy.run(view, todo, position.moved(copying=True))
                    self._copy_again = False
                    self.copies.append(Copied([r.full_name for r in todo], before))
                except TableChanged:
                    position = copy.position
                    log.warning("A table was changed during its copy: it starts over under a new snapshot")
                finally:
                    self.snapshot_opened = None
            first = False
            captured, published = self._fit(side, slot_exists=True, resuming=True)
            position = self._completed(position, captured, published)

    def _snapshot_for_copy(self, stack: ExitStack, side: PlainConnection) -> CreatedSlot:
        if self._created is not None:
            (created, holder), self._created = self._created, None
            stack.callback(holder.close)
            return created
        holder = self._sender(stack, "snapshot")
        return self._create(side, holder, _temporary(), temporary=True, export=True)

    def _outbox(self, while_waiting: Any) -> Outbox:
        return Outbox(self.queue, self._options["max.batch.size"], while_waiting)

    def _handed(self, last: SourceRecord | None) -> None:
        """The queue has the records up to `last`: after a lost connection the reader goes on behind it."""
        if last is None:
            return
        offset = last.source_offset
        self._wait = _FIRST_WAIT
        if isinstance(offset, CopyOffset):
            self.position = offset.position
        elif isinstance(offset, StreamOffset):
            part = offset.part
            assert self.position is not None
            self.position = self.position.moved(
                floor=part.floor,
                commit=part.commit,
                ordinal=offset.ordinal,
                incremental=part.base.get(INCREMENTAL, ""),
            )

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

    def _declare_void(self) -> None:
        """Store that the requested tables are to be copied anew; the next session then does it."""
        names = self._requests.names
        if not names:
            self._requests.taken(names)
            return
        assert self.position is not None
        log.info("Copying anew, as requested: %s", ", ".join(names))
        offset = CopyOffset(void(self.position, names), time.time_ns() // 1000)
        outbox = self._outbox(self.check_stop)
        outbox.records.append(offset_only(self._partition, offset))
        self._handed(outbox.send())
        self._requests.taken(names)

    def _tell_copied(self, position: Position) -> None:
        """Also of tables that were copied before this task began."""
        tables = position.copy.tables
        known = {r.full_name: tables[r.full_name] for r in self.captured if r.full_name in tables}
        self._status.tables(
            {
                name: {"state": "copied" if t.point else "not copied", "as_of": t.point}
                for name, t in known.items()
            },
            new_only=True,
        )

    # --- the stream ---

    def _stream(
        self, sender: WalSender, side: PlainConnection, position: Position, published: Published
    ) -> None:
        known = self.position
        self.position = position

        def table_of(message: RelationMessage) -> Any:
            self._types.forget()
            return catalog.table_of(side, self._types, message)

        streaming = Streaming(self._options, sender, side, self, self._status)
        outbox = self._outbox(streaming.while_full)
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
        extra = _stream_parameters(self._options["slot.stream.params"])
        sender.start(self._slot_name, position.floor, published.names, extra)
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


def _temporary() -> str:
    return _TEMPORARY_SLOT.format(time.time_ns())


def _stream_parameters(text: str | None) -> dict[str, str]:
    parameters = {}
    for part in (text or "").split(";"):
        if part.strip():
            name, equals, value = part.partition("=")
            if not equals:
                raise ConfigError(
                    f"Invalid entry {part!r} in slot.stream.params: expected name=value.",
                    option="slot.stream.params",
                )
            parameters[name.strip()] = value.strip()
    return parameters


def _context_headers(options: Mapping[str, Any], task: int) -> list[Header]:
    if not options["extended.headers.enabled"]:
        return []
    context = {
        "connectorLogicalName": options["topic.prefix"],
        "taskId": str(task),
        "connectorName": "postgresql",
    }
    return [Header(f"__debezium.context.{name}", STRING, value) for name, value in context.items()]
