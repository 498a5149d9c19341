"""Incremental snapshots: tables read in chunks while the stream goes on, in Debezium's way but without a signal table.

A thread of its own reads a chunk between two watermarks, which are messages in the log. The reader thread remembers the
keys that change between them and, at the second one, hands out the rows whose keys did not: at that place of the log
they are as new as anything before. A transaction that was streamed before the first watermark but is not visible to
the chunk's snapshot (its commit was being replicated, say) makes the chunk be read again. Progress travels in the
offsets of the handed-out rows.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import psycopg
from psycopg import sql

from connectors.cdc.encoder import TableEncoder
from connectors.postgres import catalog, pgoutput
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import Connector, PlainConnection
from connectors.postgres.copy_text import decode_copy_chunk, decode_copy_line
from connectors.postgres.encoders import Encoders
from connectors.postgres.errors import translated
from connectors.postgres.incremental_queue import Queue, Wanted
from connectors.postgres.outbox import Outbox
from connectors.postgres.signals import Signals
from connectors.postgres.status import Status
from connectors.postgres.stream import Stream
from connectors.postgres.types_catalog import TypeCatalog
from replicator.api import ChangeRecord, ConnectError

log = logging.getLogger(__name__)

WATERMARK: Final = "replicator.watermark"
_PAUSE: Final = 0.1
_PATIENCE: Final = 60.0
_REMEMBERED: Final = 2000
_ROW_KINDS: Final = (pgoutput.INSERT, pgoutput.UPDATE, pgoutput.DELETE, pgoutput.TRUNCATE)


class Owner(Protocol):
    """What is needed of the reader."""

    @property
    def captured(self) -> list[Relation]:
        """The tables that are captured."""
        ...


class _Window:
    """One chunk between its watermarks."""

    def __init__(self, table: Wanted, encoder: TableEncoder) -> None:
        self.id = uuid.uuid4().hex
        self.table = table
        self.encoder = encoder
        self.lines: list[bytes] = []
        self.after: list[str] | None = None
        self.last = False
        self.visible: Callable[[int], bool] = lambda _xid: True
        self.touched: set[tuple[Any, ...]] = set()
        self.void = False
        self.before: list[int] = []
        self.handed_out = False
        self.closed = threading.Event()


class Incremental:
    """Reads what is in the queue; `attach` and the stream's handlers run on the reader thread."""

    def __init__(
        self, options: Mapping[str, Any], owner: Owner, encoders: Encoders, status: Status, queue: Queue
    ) -> None:
        self.queue = queue
        self._connector = Connector(options)
        self._rows: int = options["incremental.snapshot.chunk.size"]
        self._owner = owner
        self._encoders = encoders
        self._types = TypeCatalog()
        self._status = status
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="postgres-incremental", daemon=True)
        self._started = False
        self._window: _Window | None = None
        self._open: _Window | None = None
        self._recent: deque[int] = deque(maxlen=_REMEMBERED)
        self._session = 0
        self._known: dict[str, TableEncoder] = {}

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._started:
            self._thread.join(1.0)

    # --- the reader thread ---

    def attach(self, stream: Stream, outbox: Outbox, signals: Signals, topic: str | None) -> None:
        """A new session of the stream begins; chunks that were on their way are read again.

        Args:
            stream: the session's.
            outbox: where its records go.
            signals: takes the rows of the signal table.
            topic: that table's topic, or None.
        """
        self._open = None
        self._session += 1
        handlers = stream.handlers
        plain = dict(handlers)

        def begin(body: bytes, lsn: int) -> None:
            plain[pgoutput.BEGIN](body, lsn)
            self._recent.append(stream.transaction_id)

        def watching(kind: int) -> Callable[[bytes, int], None]:
            def handle(body: bytes, lsn: int) -> None:
                at = len(outbox.records)
                plain[kind](body, lsn)
                self._touch(outbox.records[at:])

            return handle

        def message(body: bytes, lsn: int) -> None:
            decoded = pgoutput.decode(body)
            assert isinstance(decoded, pgoutput.LogicalMessage)
            if decoded.prefix != WATERMARK:
                plain[pgoutput.MESSAGE](body, lsn)
                return
            mark, _, ident = decoded.content.decode().partition(":")
            window = self._window
            if window is None or window.id != ident:
                return
            if mark == "open":
                window.before = list(self._recent)
                self._open = window
                handlers.update({kind: watching(kind) for kind in _ROW_KINDS})
            elif self._open is window:
                handlers.update({kind: plain[kind] for kind in _ROW_KINDS})
                self._open = None
                self._close(stream, window, decoded.lsn)

        def insert(body: bytes, lsn: int) -> None:
            at = len(outbox.records)
            plain_insert(body, lsn)
            for record in outbox.records[at:]:
                if record.topic == topic and record.value is not None:
                    signals.row(record.value.fields.get("after"))

        if topic is not None:
            plain_insert = plain[pgoutput.INSERT]
            handlers[pgoutput.INSERT] = plain[pgoutput.INSERT] = insert
        handlers[pgoutput.BEGIN] = begin
        handlers[pgoutput.MESSAGE] = message
        if not self._started:
            self._started = True
            self._thread.start()

    def _touch(self, records: Sequence[Any]) -> None:
        window = self._open
        assert window is not None
        for record in records:
            if isinstance(record, ChangeRecord) and record.topic == window.encoder.topic:
                if record.key_fields is None:
                    window.void = True
                else:
                    window.touched.add(tuple(record.key_fields.values()))

    def _close(self, stream: Stream, window: _Window, lsn: int) -> None:
        """The second watermark: hand out what did not change, unless the chunk is older than the stream."""
        if not window.void and all(window.visible(xid) for xid in window.before):
            encoder = window.encoder
            rows = []
            for texts in decode_copy_chunk(b"".join(window.lines)):
                row = encoder.row(texts)
                key = encoder.key(row)
                if key is None or tuple(key.values()) not in window.touched:
                    rows.append((row, key))
            self.queue.advance(window.table, window.after, len(window.lines), last=window.last)
            stream.hand_out(encoder, rows, lsn, self.queue.text())
            window.handed_out = True
        window.closed.set()

    # --- the thread ---

    def _run(self) -> None:
        connection: PlainConnection | None = None
        while not self._stop.wait(_PAUSE):
            try:
                while not self._stop.is_set() and (table := self.queue.current()) is not None:
                    if connection is None or connection.closed:
                        connection = self._connector.plain("incremental")
                    if not self._chunk(connection, table):
                        break
            except (psycopg.Error, ConnectError) as error:
                log.warning("The incremental snapshot tries again: %s", error)
                self._stop.wait(1.0)
                if connection is not None:
                    connection.close()
                    connection = None
        if connection is not None:
            connection.close()

    def _chunk(self, connection: PlainConnection, table: Wanted) -> bool:
        """Read one chunk and wait until the stream has passed it; False when it is better to wait a moment."""
        encoder = self._encoder(connection, table)
        if encoder is None:
            return True
        window, session = _Window(table, encoder), self._session
        self._window = window
        _emit(connection, f"open:{window.id}")
        self._read(connection, window)
        _emit(connection, f"close:{window.id}")
        waited = 0.0
        while not window.closed.wait(_PAUSE):
            waited += _PAUSE
            if self._stop.is_set() or self._session != session or waited > _PATIENCE:
                return False
        self._status.facts(incremental_snapshot=self.queue.facts())
        return window.handed_out

    def _encoder(self, connection: PlainConnection, table: Wanted) -> TableEncoder | None:
        relation = next((r for r in self._owner.captured if r.full_name == table.name), None)
        if relation is None:
            self._give_up(table, "is not captured any more")
            return None
        self._types.forget()
        now = catalog.tables(connection, self._types, [relation])[relation.oid]
        known = self._known.get(table.name)
        if known is None or known.table != now:
            known = self._known[table.name] = self._encoders.encoder(now)
        if not self._key(table, known) or known.key_schema is None:
            self._give_up(
                table, "has no key to read it by (a surrogate-key may serve, the records need a key as well)"
            )
            return None
        return known

    def _give_up(self, table: Wanted, why: str) -> None:
        log.warning("Incremental snapshot: %s %s", table.name, why)
        self._status.warn("incremental", [f"Incremental snapshot: {table.name} {why}; it is left out."])
        self.queue.drop([table.name])

    def _key(self, table: Wanted, encoder: TableEncoder) -> list[str]:
        if table.surrogate is not None:
            return [table.surrogate] if encoder.table.column(table.surrogate) is not None else []
        return [c.name for c in encoder.table.key_columns]

    def _read(self, connection: PlainConnection, window: _Window) -> None:
        table, encoder = window.table, window.encoder
        key = self._key(table, encoder)
        names = [c.name for c in encoder.table.columns]
        source = sql.Identifier(encoder.table.schema, encoder.table.name)
        where = [sql.SQL("({})").format(_raw(table.condition))] if table.condition else []
        with translated(f"reading a chunk of {table.name}"), connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL lock_timeout = '5s'")
            row = connection.execute("SELECT txid_current_snapshot()::text").fetchone()
            window.visible = _visible(str(row[0]) if row else "0:0:")
            if table.maximum is None:
                query = sql.SQL("COPY (SELECT {} FROM {}{} ORDER BY {} LIMIT 1) TO STDOUT").format(
                    _list(key), source, _where(where), sql.SQL(", ").join(
                        sql.SQL("{} DESC").format(sql.Identifier(k)) for k in key
                    ),
                )  # fmt: skip
                found = _copy(connection, query)
                if not found:
                    window.last = True
                    return
                table.maximum = [str(v) for v in decode_copy_line(found[0])]
            if table.after is not None:
                where.append(sql.SQL("({}) > ({})").format(_list(key), _values(table.after)))
            where.append(sql.SQL("NOT ({}) > ({})").format(_list(key), _values(table.maximum)))
            query = sql.SQL("COPY (SELECT {} FROM {}{} ORDER BY {} LIMIT {}) TO STDOUT").format(
                _list(names), source, _where(where), _list(key), sql.Literal(self._rows)
            )
            window.lines = _copy(connection, query)
        window.last = len(window.lines) < self._rows
        if window.lines:
            texts = decode_copy_line(window.lines[-1])
            window.after = [str(texts[names.index(k)]) for k in key]
            window.last = window.last or window.after == table.maximum


def _emit(connection: PlainConnection, text: str) -> None:
    with translated("writing a watermark to the log"):
        connection.execute("SELECT pg_logical_emit_message(true, %s, %s)", [WATERMARK, text])


def _copy(connection: PlainConnection, query: sql.Composed) -> list[bytes]:
    with connection.cursor().copy(query) as copy:
        return [line for block in copy for line in bytes(block).splitlines(keepends=True)]


def _visible(snapshot: str) -> Callable[[int], bool]:
    """Whether a transaction (by the 32 bits of its id that the stream tells) is in a snapshot."""
    low, high, running = snapshot.split(":")
    first, end = int(low), int(high)
    active = {int(x) for x in running.split(",") if x}

    def visible(xid: int) -> bool:
        distance = (xid - end) & 0xFFFFFFFF
        whole = end + (distance if distance < 1 << 31 else distance - (1 << 32))
        return whole < first or (whole < end and whole not in active)

    return visible


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(n) for n in names)


def _values(texts: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Literal(t) for t in texts)


def _where(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")


def _raw(text: str) -> sql.Composable:
    return sql.SQL(text.replace("{", "{{").replace("}", "}}")).format()
