"""Reading a table in chunks, each in its own short transaction that imports the snapshot (C2).

Owned by the reader thread. A chunk is read into memory whole, then the transaction ends; only then are its rows
decoded and handed on, so a slow target never holds a lock or a snapshot here. Before the transaction ends the
table's files and columns are compared with those of the snapshot: after a rewriting ALTER, an imported
snapshot sees no rows at all, and after a change of columns it would see others than announced.
"""

from __future__ import annotations

import logging
import select
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from psycopg import pq, sql

from connectors.cdc.tables import Table
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection, server_version
from connectors.postgres.copy_text import decode_copy_line
from connectors.postgres.errors import translated

log = logging.getLogger(__name__)

T = TypeVar("T")

_WITH_TID_RANGES: Final = 140000
CHUNK_BYTES: Final = 32 * 1024 * 1024
"""A chunk of a keyed table is cut here even when it has fewer rows than asked for."""
_SMALL_TABLE: Final = 16 * 1024 * 1024
_MANY: Final = 1 << 62
_LOCK_PAUSE_STEPS: Final = 5
_NOTHING: Final = sql.SQL("")
Conditions = Sequence[sql.Composable]


class TableChanged(Exception):
    """The table was rewritten or its columns changed since the snapshot: it must start over."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as COPY printed them.

    Attributes:
        lines: one line per row, each with its newline.
        after: key texts of the last row, when the table is read by key.
        last: whether nothing of the table is left.
    """

    lines: list[bytes]
    after: tuple[str, ...] | None
    last: bool


class ChunkReader:
    """Reads one table under one snapshot."""

    def __init__(
        self,
        connection: PlainConnection,
        snapshot: str,
        relation: Relation,
        table: Table,
        *,
        rows: int,
        lock_timeout_ms: int,
        unchanged: Callable[[], bool],
        check_stop: Callable[[], None],
        parts: Sequence[Relation] = (),
        row_filter: str | None = None,
        query: str | None = None,
    ) -> None:
        self._connection = connection
        self._snapshot = snapshot
        self._relation = relation
        self._key = [c.name for c in table.key_columns]
        names = [c.name for c in table.columns]
        self._key_at = [names.index(name) for name in self._key]
        self._rows = rows
        self._lock_timeout = lock_timeout_ms
        self._unchanged = unchanged
        self._check_stop = check_stop
        self._columns = sql.SQL(", ").join(sql.Identifier(n) for n in names)
        self._parts = parts
        self._query = query
        # The publication's own filter, as the server printed it.
        self._filter = [] if row_filter is None else [sql.SQL("({})").format(_raw(row_filter))]

    @property
    def resumable(self) -> bool:
        """Whether a later copy can go on behind a chunk."""
        return bool(self._key)

    def chunks(self, after: tuple[str, ...] | None) -> Iterator[Chunk]:
        """The chunks from behind a key.

        Raises:
            TableChanged: the table must start over under a new snapshot.
            RetriableError: a lock or the server was not to be had.
        """
        if self._key:
            yield from self._by_key(after)
        else:
            if self._query is not None:
                # Rows of a query have no place: all of them at once.
                yield Chunk(self._read(self._relation, [], _NOTHING, _MANY)[0], None, last=True)
                return
            parts = self._parts or [self._relation]
            for part in parts:
                yield from self._by_block(part, last_part=part is parts[-1])

    def _by_key(self, after: tuple[str, ...] | None) -> Iterator[Chunk]:
        order = sql.SQL(" ORDER BY {}").format(_list(self._key))
        if after is None and 0 <= self._relation.rows <= self._rows and self._relation.size <= _SMALL_TABLE:
            # Small enough for one scan; unless the estimate was wrong, and then nothing of it is used.
            lines, whole = self._read(self._relation, [], _NOTHING, CHUNK_BYTES)
            if whole:
                yield Chunk(lines, None, last=True)
                return
        limit = order + sql.SQL(" LIMIT {}").format(sql.Literal(self._rows))
        while True:
            where = [] if after is None else [self._behind(after)]
            lines, whole = self._read(self._relation, where, limit, CHUNK_BYTES)
            last = whole and len(lines) < self._rows
            if lines:
                texts = decode_copy_line(lines[-1])
                after = tuple(str(texts[i]) for i in self._key_at)
            yield Chunk(lines, after, last)
            if last:
                return

    def _behind(self, after: Sequence[str]) -> sql.Composed:
        values = sql.SQL(", ").join(sql.Literal(v) for v in after)
        return sql.SQL("({}) > ({})").format(_list(self._key), values)

    def _by_block(self, part: Relation, *, last_part: bool) -> Iterator[Chunk]:
        """Ranges of physical blocks: a row version stays where it is for as long as the snapshot lives."""
        pages = self._pages(part)
        # Before TID range scans every range would read the whole table.
        ranges = server_version(self._connection) >= _WITH_TID_RANGES
        step = self._blocks(part) if ranges else max(pages, 1)
        block = 0
        while True:
            last = block + step >= pages
            where = [sql.SQL("ctid >= {}").format(_tid(block))]
            if not last:
                where.append(sql.SQL("ctid < {}").format(_tid(block + step)))
            lines, _whole = self._read(part, where, _NOTHING, _MANY)
            yield Chunk(lines, None, last and last_part)
            if last:
                return
            block += step

    def _blocks(self, relation: Relation) -> int:
        """Blocks of one chunk: about as many rows and bytes as allowed."""
        known = max(relation.pages, 1)
        bytes_per_block = max(8192, relation.size // known)
        rows_per_block = max(1.0, relation.rows / known)
        return max(1, min(CHUNK_BYTES // bytes_per_block, int(self._rows / rows_per_block)))

    def _pages(self, relation: Relation) -> int:
        """Blocks of the table now; every row of the snapshot is in one of them."""
        query = "SELECT pg_relation_size(%s::oid) / current_setting('block_size')::int8"

        def ask() -> int:
            row = self._connection.execute(query, [relation.oid]).fetchone()
            return int(row[0] or 0) if row is not None else 0

        return self._patiently(relation, ask)

    def _read(
        self, relation: Relation, conditions: Conditions, tail: sql.Composable, limit: int
    ) -> tuple[list[bytes], bool]:
        """Rows of one COPY, and whether all of them were read before `limit` bytes were exceeded."""
        query = sql.SQL("COPY (SELECT {} FROM {}{}{}) TO STDOUT").format(
            self._columns, self._from(relation), _where([*self._filter, *conditions]), tail
        )

        def read() -> tuple[list[bytes], bool]:
            found = self._copy(query, limit)
            if not self._unchanged():
                raise TableChanged
            return found

        return self._patiently(relation, read)

    def _from(self, relation: Relation) -> sql.Composable:
        if self._query is None:
            return _source(relation)
        return sql.SQL("({}) AS replicator_override").format(_raw(self._query))

    def _patiently(self, relation: Relation, read: Callable[[], T]) -> T:
        """Run `read` in a transaction under the snapshot; again and again while the table is locked.

        Waiting in the lock's queue for long would make everybody behind it wait, too.
        """
        while True:
            with translated(f"copying {relation.full_name}"):
                self._begin()
                try:
                    return read()
                except psycopg.errors.LockNotAvailable:
                    log.warning("Table %s is locked; its copy waits", relation.full_name)
                except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as error:
                    raise TableChanged from error
                finally:
                    self._end()
            for _ in range(_LOCK_PAUSE_STEPS):
                self._check_stop()
                time.sleep(0.1)

    def _end(self) -> None:
        if self._connection.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            # Stopped in the middle of a COPY: nothing can be said on this connection any more.
            self._connection.close()
        elif not self._connection.closed:
            self._connection.rollback()

    def _begin(self) -> None:
        self._connection.execute(
            sql.SQL(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}; "
                "SET LOCAL lock_timeout = {}"
            ).format(sql.Literal(self._snapshot), sql.Literal(f"{self._lock_timeout}ms"))
        )

    def _copy(self, query: sql.Composed, limit: int) -> tuple[list[bytes], bool]:
        pg = self._connection.pgconn
        pg.send_query(query.as_bytes(self._connection))
        self._result(pq.ExecStatus.COPY_OUT)
        lines: list[bytes] = []
        add, get = lines.append, pg.get_copy_data
        size = 0
        whole = True
        kept = 0
        while True:
            count, line = get(1)
            if count > 0:
                add(bytes(line))
                size += count
            elif count == 0:
                self._wait()
                if size > limit and whole and self._unchanged():
                    whole = False
                    kept = len(lines)
                    self._connection.cancel_safe(timeout=10)
            else:
                break
        try:
            self._result(pq.ExecStatus.COMMAND_OK)
        except psycopg.errors.QueryCanceled:
            if whole:
                raise
            # Our own doing: what arrived by then is an unbroken run of rows in key order.
            del lines[kept:]
        else:
            whole = True
        return lines, whole

    def _result(self, expected: pq.ExecStatus) -> None:
        pg = self._connection.pgconn
        while pg.is_busy():
            self._wait()
        result = pg.get_result()
        if expected is not pq.ExecStatus.COPY_OUT or (result is not None and result.status != expected):
            while pg.get_result() is not None:
                continue
        if result is None:
            raise psycopg.OperationalError("the server sent no answer")
        if result.status != expected:
            raise psycopg.errors.error_from_result(result)

    def _wait(self) -> None:
        pg = self._connection.pgconn
        readable, _, _ = select.select([pg.socket], [], [], 0.25)
        if readable:
            pg.consume_input()
        self._check_stop()


def _where(conditions: Conditions) -> sql.Composable:
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else _NOTHING


def _raw(text: str) -> sql.Composable:
    # SQL that pg_get_expr wrote: the type's promise of a literal is kept by the server.
    return sql.SQL(text.replace("{", "{{").replace("}", "}}")).format()


def _source(relation: Relation) -> sql.Composed:
    name = sql.Identifier(relation.schema, relation.name)
    # A partitioned table's rows are in its partitions; a plain one must not bring its children's.
    return sql.SQL("{}" if relation.partitioned else "ONLY {}").format(name)


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(n) for n in names)


def _tid(block: int) -> Any:
    return sql.Literal(f"({block},0)") + sql.SQL("::tid")
