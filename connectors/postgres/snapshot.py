"""The copy: every row of the tables, as of one snapshot, as records with their progress in the offsets (C1, C2).

Owned by the reader thread. A finished chunk is never read again: its last record's offset says how far the table
is copied. Rows of a chunk that was cut short come again. A table that cannot go on where it stopped (no
key, rewritten, other columns) starts over behind a truncate record, under the newest snapshot.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from connectors.cdc.encoder import TableEncoder
from connectors.cdc.tables import Table
from connectors.postgres import catalog
from connectors.postgres.catalog import Files, Relation
from connectors.postgres.chunks import Chunk, ChunkReader, TableChanged
from connectors.postgres.connection import PlainConnection
from connectors.postgres.copy_text import decode_copy_chunk
from connectors.postgres.encoders import Encoders
from connectors.postgres.errors import translated
from connectors.postgres.origins import CopyOrigin
from connectors.postgres.outbox import WHOLE_TOPIC, Outbox
from connectors.postgres.overrides import Overrides
from connectors.postgres.position import CopyOffset, Position, TableCopy
from connectors.postgres.publication import Published
from connectors.postgres.types_catalog import TypeCatalog
from replicator.api import ChangeRecord, Header, Particulars, offset_only

VOID: Final = "void"
"""Stands for the files of a table whose rows so far are void: it starts over behind a truncate record."""


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """An open snapshot.

    Attributes:
        name: the exported snapshot's name.
        point: consistent point: what committed before is in the snapshot.
        ts_us: the server's clock when it was opened.
        files: the files of each table as the snapshot sees them.
    """

    name: str
    point: int
    ts_us: int
    files: Mapping[int, Files]


def open_view(
    connection: PlainConnection, name: str, point: int, relations: Sequence[Relation]
) -> SnapshotView:
    """Look at the catalog through an exported snapshot."""
    with translated("opening the snapshot"), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(f"SET TRANSACTION SNAPSHOT '{name}'")
        row = connection.execute("SELECT (extract(epoch FROM now()) * 1000000)::int8").fetchone()
        files = catalog.files(connection, [r.oid for r in relations])
    assert row is not None
    return SnapshotView(name, point, int(row[0]), files)


class Copy:
    """Copies tables under one snapshot.

    Attributes:
        position: progress so far, including what waits in the outbox.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        reading: PlainConnection,
        side: PlainConnection,
        encoders: Encoders,
        types: TypeCatalog,
        outbox: Outbox,
        send: Callable[[], None],
        report: Callable[[str, dict[str, Any]], None],
        check_stop: Callable[[], None],
        partition: Mapping[str, Any],
        extra_headers: list[Header],
        first: bool,
        published: Published,
    ) -> None:
        self._batch: int = options["max.batch.size"]
        self._chunk_rows: int = options["snapshot.chunk.rows"]
        self._lock_timeout: int = options["snapshot.lock.timeout.ms"]
        self._reading = reading
        self._side = side
        self._encoders = encoders
        self._types = types
        self._outbox = outbox
        self._send = send
        self._report = report
        self._check_stop = check_stop
        self._partition = partition
        self._extra = extra_headers
        self._marker = "first" if first else "first_in_data_collection"
        self._parts = published.lists
        self._overrides = Overrides(options)
        self._members = published.members
        self._held: ChangeRecord | None = None
        self._ordinal = 0
        self._identity = ""
        self.position = Position(0)

    def run(self, view: SnapshotView, relations: Sequence[Relation], position: Position) -> Position:
        """Copy the tables and return the position with all of them done.

        Raises:
            TableChanged: one must start over under a new snapshot; `position` tells how far it came.
        """
        self.position = position
        name = ""
        identity = position.identity
        assert identity is not None
        self._identity = identity.digest()
        try:
            for relation in relations:
                name = relation.full_name
                self._table(view, relation)
        except TableChanged:
            self._start_over(name)
            raise
        self.position = self.position.moved(copying=False)
        offset = CopyOffset(self.position, view.ts_us, last=True)
        if self._held is not None:
            self._held.own_offset = offset
            self._release("last")
        else:
            self._outbox.records.append(offset_only(self._partition, offset))
        self._send()
        return self.position

    def _start_over(self, name: str) -> None:
        known = self.position.copy.tables.get(name)
        if known is not None:
            self._remember(name, replace(known, files=VOID, after=None))
        self._release("true")
        self._send()

    def _table(self, view: SnapshotView, relation: Relation) -> None:
        name = relation.full_name
        table = self._published(relation)
        files = view.files.get(relation.oid, frozenset())
        encoder = self._encoders.encoder(table)
        reader = self._reader(view, relation, table, files)
        entry = self._entry(view, relation, encoder, _digest(files), resumable=reader.resumable)
        self._report(name, {"state": "copying", "rows_done": entry.rows, "rows_total": relation.rows})
        for chunk in reader.chunks(entry.after):
            entry = replace(entry, after=chunk.after, rows=entry.rows + len(chunk.lines), done=chunk.last)
            self._emit(view, encoder, chunk, name, entry if chunk.last or reader.resumable else None)
            self._report(name, {"state": "copying", "rows_done": entry.rows, "rows_total": relation.rows})
        rows = entry.rows
        self._report(name, {"state": "copied", "rows_done": rows, "rows_total": rows, "as_of": entry.point})
        if self._held is not None:
            self._release("last_in_data_collection", keep=True)

    def _reader(self, view: SnapshotView, relation: Relation, table: Table, files: Files) -> ChunkReader:
        def unchanged() -> bool:
            now = catalog.files(self._side, [relation.oid]).get(relation.oid, frozenset())
            return now == files and self._published(relation).columns == table.columns

        part = self._parts.get(relation.oid)
        # Without a key, a partitioned table is read partition by partition.
        bare = relation.partitioned and not table.key_columns
        parts = catalog.leaf_tables(self._side, relation) if bare else []
        return ChunkReader(
            self._reading,
            view.name,
            relation,
            table,
            rows=self._chunk_rows,
            lock_timeout_ms=self._lock_timeout,
            unchanged=unchanged,
            check_stop=self._check_stop,
            parts=parts,
            row_filter=part.row_filter if part is not None else None,
            query=self._overrides.of(relation.full_name),
        )

    def _published(self, relation: Relation) -> Table:
        """The table with the columns that its publication has."""
        table = catalog.tables(self._side, self._types, [relation])[relation.oid]
        part = self._parts.get(relation.oid)
        if part is None or part.columns is None:
            return table
        return replace(table, columns=tuple(c for c in table.columns if c.name in part.columns))

    def _entry(
        self, view: SnapshotView, relation: Relation, encoder: TableEncoder, files: str, *, resumable: bool
    ) -> TableCopy:
        """Where the table's copy begins: afresh, behind its last finished chunk, or over."""
        known = self.position.copy.tables.get(relation.full_name)
        if known is not None and resumable and known.files == files:
            return known
        entry = TableCopy(
            point=view.point,
            files=files,
            bare=not relation.has_identity,
            oid=relation.oid,
            member=self._members.get(relation.oid, 0),
        )
        self._remember(relation.full_name, entry)
        if known is not None:
            self._truncate(view, encoder)
        return entry

    def _remember(self, name: str, entry: TableCopy) -> None:
        self.position = self.position.moved(copy=self.position.copy.with_table(name, entry))

    def _truncate(self, view: SnapshotView, encoder: TableEncoder) -> None:
        """The rows handed out so far are void."""
        self._release("true")
        origin = self._origin(view, encoder)
        self._outbox.records.append(
            ChangeRecord(
                origin,
                "t",
                None,
                None,
                None,
                view.point,
                self._ordinal,
                end=True,
                also=Particulars(header=WHOLE_TOPIC),
            )
        )
        self._ordinal += 1

    def _origin(self, view: SnapshotView, encoder: TableEncoder) -> CopyOrigin:
        offset = CopyOffset(self.position, view.ts_us)
        now = time.time_ns() // 1000
        return CopyOrigin(encoder, self._partition, self._identity, view.point, offset, now, self._extra)

    def _emit(
        self, view: SnapshotView, encoder: TableEncoder, chunk: Chunk, name: str, done: TableCopy | None
    ) -> None:
        """Hand out a chunk's rows; the last one, which carries the new progress, stays back."""
        lines = chunk.lines
        origin = self._origin(view, encoder)
        for start in range(0, len(lines), self._batch):
            block = lines[start : start + self._batch]
            self._release("true")
            self._rows(encoder, b"".join(block), origin)
            self._outbox.size = sum(map(len, block))
            held = self._outbox.records.pop()
            assert isinstance(held, ChangeRecord)
            self._held = held
            self._send()
        if done is not None:
            self._remember(name, done)
            if self._held is not None and lines:
                self._held.own_offset = CopyOffset(self.position, view.ts_us)

    def _rows(self, encoder: TableEncoder, block: bytes, origin: CopyOrigin) -> None:
        """The tight loop: everything bound to locals, one record a row."""
        add = self._outbox.records.append
        row, key, hides, point = encoder.row, encoder.key, encoder.hides, origin.commit
        ordinal = self._ordinal
        first = None
        for texts in decode_copy_chunk(block):
            fields = row(texts)
            key_fields = key(fields)
            if hides:
                fields = encoder.visible(fields)
            record = ChangeRecord(origin, "r", None, fields, key_fields, point, ordinal, True)
            add(record)
            first = first or record
            ordinal += 1
        self._ordinal = ordinal
        if self._marker != "true" and first is not None:
            _mark(first, self._marker)
            self._marker = "true"

    def _release(self, marker: str, *, keep: bool = False) -> None:
        """Put the held record back in its place; `keep` only marks it, at the end of its table."""
        if self._held is None:
            return
        # The very first row keeps its mark where it is also the last of its table.
        if marker == "last" or (marker != "true" and _marker_of(self._held) != "first"):
            _mark(self._held, marker)
        if keep:
            self._marker = "first_in_data_collection"
            return
        self._outbox.records.append(self._held)
        self._held = None


def _mark(record: ChangeRecord, marker: str) -> None:
    origin = record.origin
    assert isinstance(origin, CopyOrigin)
    record.origin = origin.marked(marker)


def _marker_of(record: ChangeRecord) -> str:
    origin = record.origin
    assert isinstance(origin, CopyOrigin)
    return origin.marker


def _digest(files: Files) -> str:
    return hashlib.sha256(repr(sorted(files)).encode()).hexdigest()[:12]
