"""The hot loop: pgoutput messages to records, in the order the server sends them.

Owned by the reader thread. One instance lives as long as one replication session; the position it starts from
tells what to leave out (see `position`). Nothing is acknowledged here but what the task reports as durable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from connectors.cdc.encoder import Row, TableEncoder, merge_unchanged, sequence_text
from connectors.cdc.schemas import TRANSACTION_KEY, TRANSACTION_VALUE
from connectors.cdc.tables import UNCHANGED, Table, Text
from connectors.postgres import pgoutput
from connectors.postgres.encoders import Encoders
from connectors.postgres.origins import IncrementalOrigin, StreamOrigin
from connectors.postgres.outbox import WHOLE_TOPIC, Outbox, mark_end, position_header
from connectors.postgres.position import (
    INCREMENTAL,
    NONE_YET,
    STEP,
    Position,
    StreamOffset,
    TransactionPart,
    base_of,
)
from connectors.postgres.side_records import MESSAGE_COLLECTION, Messages, TransactionCounter
from replicator.api import (
    ChangeRecord,
    DataError,
    Header,
    Particulars,
    SourceRecord,
    Struct,
    offset_only,
)
from replicator.api.logical import NEW_KEY_HEADER, OLD_KEY_HEADER
from replicator.api.position import STREAM

_ALL: Final = 1 << 62
"""Skip mark of a transaction that was handed out whole."""


class Route:
    """What becomes of the rows of one relation.

    Attributes:
        encoder: the relation's encoder.
        columns: number of columns in its rows.
        point: rows of transactions before this position are in the table's copy already (C1).
        name: `schema.table`.
        batch, part, origin: what the newest changes share, and the batch and transaction it was made for.
    """

    __slots__ = ("batch", "columns", "encoder", "name", "origin", "part", "point")

    origin: StreamOrigin

    def __init__(self, encoder: TableEncoder, point: int) -> None:
        self.encoder = encoder
        self.columns = len(encoder.table.columns)
        self.point = point
        self.name = encoder.table.full_name
        self.batch: list[SourceRecord] | None = None
        self.part: TransactionPart | None = None


class Stream:
    """Turns messages into records in an outbox.

    Attributes:
        floor: everything before this position was handed out or is in the outbox.
        commit_us: commit time of the newest transaction.
        open: whether a transaction is being received.
        creates, updates, deletes: changes of captured tables seen so far.
        filtered: changes left out so far.
        transactions: transactions read to their end so far.
        transaction_id: id of the newest transaction.
        handlers: by the first byte of a message: takes the message and the position the server gave it.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        encoders: Encoders,
        table_of: Callable[[pgoutput.Relation], Table],
        position: Position,
        outbox: Outbox,
        partition: Mapping[str, Any],
        extra_headers: list[Header],
    ) -> None:
        identity = position.identity
        assert identity is not None
        self._encoders = encoders
        self._table_of = table_of
        self._start = position
        self._points = {name: t.point for name, t in position.copy.tables.items()}
        self._outbox = outbox
        self._partition = partition
        self._extra = extra_headers
        self._base = base_of(identity, position.copy, position.incremental)
        self._digest = identity.digest()
        self._tombstones: bool = options["tombstones.on.delete"]
        skipped = {s.lower() for s in options["skipped.operations"]}
        self._skip_c, self._skip_u, self._skip_d, self._skip_t = (op in skipped for op in "cudt")
        self._messages = Messages(options, encoders.topics.message)
        self._metadata: bool = options["provide.transaction.metadata"]
        self._via_root: bool = options["publish.via.partition.root"]
        self._routes: dict[int, Route | None] = {}
        self.floor = position.floor
        self.commit_us = 0
        self.open = False
        self.creates = self.updates = self.deletes = self.filtered = self.transactions = 0
        self._xid = 0
        self._commit = 0
        self._step = 0
        self._skip = NONE_YET
        self._emitted = False
        self._prefix = ""
        self._part = TransactionPart(self._base, self.floor, 0, None, 0)
        self._counter: TransactionCounter | None = None
        self._origin: tuple[str, int] | None = None
        self.handlers: dict[int, Callable[[bytes, int], None]] = {
            pgoutput.INSERT: self._insert,
            pgoutput.UPDATE: self._update,
            pgoutput.DELETE: self._delete,
            pgoutput.BEGIN: self._begin,
            pgoutput.COMMIT: self._end,
            pgoutput.RELATION: self._relation,
            pgoutput.TRUNCATE: self._truncate,
            pgoutput.MESSAGE: self._message,
            pgoutput.TYPE: self._ignore,
            pgoutput.ORIGIN: self._origin_message,
        }

    def idle(self, position: int) -> None:
        """The server says that nothing before `position` is left to send."""
        if not self.open and position > self.floor:
            self.floor = position

    @property
    def transaction_id(self) -> int:
        """Id of the newest transaction."""
        return self._xid

    @property
    def holding(self) -> bool:
        """Whether the outbox's last group may be the end of the transaction being received."""
        return self.open and self._emitted

    def floor_record(self) -> SourceRecord:
        """A record that carries only the floor (C5)."""
        return offset_only(self._partition, self.floor_offset())

    def floor_offset(self) -> StreamOffset:
        """The offset of the floor."""
        part = TransactionPart(self._base, self.floor, self._commit, None, int(time.time() * 1_000_000))
        return StreamOffset(part, self._step, self.floor, "NOOP")

    def hand_out(
        self, encoder: TableEncoder, rows: Sequence[tuple[Row, Row | None]], lsn: int, progress: str
    ) -> None:
        """Rows of an incremental snapshot, read at this place of the log: one group, with its progress."""
        self.remember(progress)
        self._part.base = self._base
        if not rows:
            return
        self._group()
        origin = IncrementalOrigin(
            encoder, self._partition, self._digest, self._part, time.time_ns() // 1000, self._extra
        )
        for row, key in rows:
            self._step += STEP
            after = encoder.visible(row) if encoder.hides else row
            self._outbox.records.append(ChangeRecord(origin, "r", None, after, key, lsn, self._step))

    def remember(self, progress: str) -> None:
        """Progress of incremental snapshots that offsets carry from now on."""
        self._base = {k: v for k, v in self._base.items() if k != INCREMENTAL}
        if progress:
            self._base[INCREMENTAL] = progress

    # --- transactions ---

    def _begin(self, body: bytes, lsn: int) -> None:
        begin = pgoutput.decode(body)
        assert isinstance(begin, pgoutput.Begin)
        self._enter(begin.final_lsn, begin.xid, begin.commit_us)
        if self._metadata:
            self._counter = TransactionCounter(begin.xid)
            if self._skip < 0:
                self._transaction_record(*self._counter.begin(lsn, begin.commit_us), 0, lsn, "BEGIN")

    def _enter(self, commit: int, xid: int, commit_us: int) -> None:
        delivered = self._start.delivered(commit)
        self._skip = _ALL if delivered is None else delivered
        self.open = True
        self._commit = commit
        self._xid = xid
        self.commit_us = commit_us
        self._step = 0
        self._emitted = False
        self._counter = None
        self._origin = None
        self._prefix = f"{STREAM}:{self._digest}:{commit}:"
        self._part = TransactionPart(self._base, self.floor, commit, xid, commit_us)

    def _end(self, body: bytes, lsn: int) -> None:
        commit = pgoutput.decode(body)
        assert isinstance(commit, pgoutput.Commit)
        records = self._outbox.records
        last = records[-1] if self._emitted and records else None
        if last is not None:
            mark_end(last)
        if self._counter is not None and self._skip < self._step + STEP:
            self._transaction_record(
                *self._counter.end(lsn, self.commit_us), self._step + STEP, lsn, "COMMIT"
            )
            last = records[-1]
            mark_end(last)
        self._leave(commit.end_lsn, last)

    def _leave(self, end: int, last: SourceRecord | None) -> None:
        """The transaction is complete: its last record's offset says so."""
        self.open = False
        self.transactions += 1
        self.floor = max(self.floor, end)
        if last is not None:
            offset = last.source_offset
            assert isinstance(offset, StreamOffset)
            offset.part = self._part.finished(self.floor)
            if isinstance(last, ChangeRecord):
                last.own_offset = offset

    def _transaction_record(self, key: Struct, value: Struct, ordinal: int, lsn: int, kind: str) -> None:
        self._group()
        self._outbox.records.append(
            SourceRecord(
                self._partition,
                StreamOffset(self._part, ordinal, lsn, kind),
                self._encoders.topics.transaction,
                None,
                TRANSACTION_KEY,
                key,
                TRANSACTION_VALUE,
                value,
                None,
                [position_header(self._prefix, ordinal), *self._extra],
            )
        )

    def _group(self) -> None:
        outbox = self._outbox
        outbox.group = len(outbox.records)
        self._emitted = True

    def _origin_message(self, body: bytes, lsn: int) -> None:
        origin = pgoutput.decode(body)
        assert isinstance(origin, pgoutput.Origin)
        self._origin = (origin.name, origin.lsn)

    def _ignore(self, body: bytes, lsn: int) -> None:
        """Type messages tell nothing that the catalog does not."""

    # --- relations ---

    def _relation(self, body: bytes, lsn: int) -> None:
        message = pgoutput.decode(body)
        assert isinstance(message, pgoutput.Relation)
        if not self._encoders.selection.table(message.schema, message.name):
            self._routes[message.oid] = None
            return
        encoder = self._encoders.encoder(self._table_of(message))
        known = self._routes.get(message.oid)
        if known is not None and known.encoder.table == encoder.table:
            # Sent again, for example after an invalidation: keep the schemas that converters know.
            encoder = known.encoder
        point = self._points.get(encoder.table.full_name, 0)
        self._routes[message.oid] = Route(encoder, point)

    def _route(self, body: bytes) -> Route | None:
        """The route of a row message that is to be emitted, else None; counts the message's step."""
        self._step += STEP
        oid = int.from_bytes(body[1:5])
        try:
            route = self._routes[oid]
        except KeyError:
            raise DataError(f"The server sent a row of relation {oid} without describing it.") from None
        if route is None or route.point > self._commit:
            self.filtered += 1
            return None
        return route

    # --- rows ---

    def _insert(self, body: bytes, lsn: int) -> None:
        route = self._route(body)
        if route is None or self._skip_c:
            return
        also = self._counted(route, lsn) if self._counter is not None else None
        if self._step <= self._skip:
            return
        self.creates += 1
        encoder = route.encoder
        row = encoder.row(pgoutput.decode_insert(body, route.columns))
        self._group()
        self._add(route, "c", None, row, encoder.key(row), lsn, also)

    def _update(self, body: bytes, lsn: int) -> None:
        route = self._route(body)
        if route is None or self._skip_u:
            return
        also = self._counted(route, lsn) if self._counter is not None else None
        if self._step <= self._skip:
            return
        self.updates += 1
        encoder = route.encoder
        kind, old, new = pgoutput.decode_update(body, route.columns)
        if old is None:
            row = encoder.row(new)
            self._group()
            self._add(route, "u", None, row, encoder.key(row), lsn, also)
            return
        whole = kind == pgoutput.OLD_TUPLE
        if UNCHANGED in new:
            new = merge_unchanged(new, old) if whole else _known_from(new, old)
        row, before = encoder.row(new), encoder.row(old) if whole else encoder.old_row(old)
        key, old_key = encoder.key(row), encoder.key(before)
        self._group()
        if key is None or old_key is None or key == old_key:
            self._add(route, "u", before, row, key, lsn, also)
        else:
            self._move(route, before, row, old_key, key, lsn, also)

    def _move(
        self,
        route: Route,
        before: Row,
        after: Row,
        old_key: Row,
        key: Row,
        lsn: int,
        counted: Particulars | None,
    ) -> None:
        """A key change: delete, tombstone, create (C16)."""
        schema = route.encoder.key_schema
        assert schema is not None
        block = counted.transaction if counted is not None else None
        moved_to = Header(NEW_KEY_HEADER, schema, Struct(schema, key))
        self._add(route, "d", before, None, old_key, lsn, Particulars(block, moved_to, "UPDATE"))
        if self._tombstones:
            self._tombstone(route, old_key, lsn, "UPDATE", 1, moved_to)
        moved_from = Header(OLD_KEY_HEADER, schema, Struct(schema, old_key))
        self._add(route, "c", None, after, key, lsn, Particulars(block, moved_from, "UPDATE"), 2)

    def _delete(self, body: bytes, lsn: int) -> None:
        route = self._route(body)
        if route is None or self._skip_d:
            return
        also = self._counted(route, lsn) if self._counter is not None else None
        if self._step <= self._skip:
            return
        self.deletes += 1
        encoder = route.encoder
        kind, old = pgoutput.decode_delete(body, route.columns)
        before = encoder.row(old) if kind == pgoutput.OLD_TUPLE else encoder.old_row(old)
        key = encoder.key(before)
        self._group()
        self._add(route, "d", before, None, key, lsn, also)
        if self._tombstones:
            self._tombstone(route, key, lsn, "DELETE", 1, None)

    def _truncate(self, body: bytes, lsn: int) -> None:
        truncate = pgoutput.decode(body)
        assert isinstance(truncate, pgoutput.Truncate)
        first = True
        for oid in truncate.relations:
            self._step += STEP
            route = self._routes.get(oid)
            if route is None or route.point > self._commit or self._skip_t:
                continue
            also = self._counted(route, lsn) if self._counter is not None else Particulars()
            also.header = WHOLE_TOPIC
            if self._step <= self._skip:
                continue
            if first:
                self._group()
                first = False
            self._add(route, "t", None, None, None, lsn, also)

    def _counted(self, route: Route, lsn: int) -> Particulars:
        """The change's place in its transaction, for the transaction's metadata."""
        assert self._counter is not None
        return Particulars(self._counter.block(route.name, lsn))

    def _add(
        self,
        route: Route,
        op: str,
        before: Row | None,
        after: Row | None,
        key: Row | None,
        lsn: int,
        also: Particulars | None,
        number: int = 0,
    ) -> None:
        """Hand out one change; `number` counts the records of one message."""
        records = self._outbox.records
        if route.batch is not records or route.part is not self._part:
            self._share(route, records)
        encoder = route.encoder
        if encoder.hides:
            before = None if before is None else encoder.visible(before)
            after = None if after is None else encoder.visible(after)
        records.append(
            ChangeRecord(route.origin, op, before, after, key, lsn, self._step + number, False, also)
        )

    def _share(self, route: Route, records: list[SourceRecord]) -> None:
        """Make what the table's changes of this transaction, in this batch, have in common."""
        route.batch, route.part = records, self._part
        route.origin = StreamOrigin(
            route.encoder,
            self._partition,
            self._digest,
            self._part,
            time.time_ns() // 1000,
            self._extra,
            self._origin,
        )

    def _tombstone(
        self, route: Route, key: Row | None, lsn: int, kind: str, number: int, header: Header | None
    ) -> None:
        ordinal, schema = self._step + number, route.encoder.key_schema
        headers = [position_header(self._prefix, ordinal), *self._extra]
        if header is not None:
            headers.append(header)
        self._outbox.records.append(
            SourceRecord(
                self._partition,
                StreamOffset(self._part, ordinal, lsn, kind),
                route.encoder.topic,
                None,
                schema,
                None if key is None or schema is None else Struct(schema, key),
                None,
                None,
                None,
                headers,
            )
        )

    # --- logical messages ---

    def _message(self, body: bytes, lsn: int) -> None:
        message = pgoutput.decode(body)
        assert isinstance(message, pgoutput.LogicalMessage)
        if message.transactional:
            self._step += STEP
            self._emit_message(message)
            return
        # Decoded where it stands in the log, so it orders among transactions by its own position.
        now = int(time.time() * 1_000_000)
        self._enter(message.lsn, 0, now)
        self._emit_message(message)
        records = self._outbox.records
        last = records[-1] if self._emitted else None
        if last is not None:
            mark_end(last)
        self._leave(message.lsn + 1, last)

    def _emit_message(self, message: pgoutput.LogicalMessage) -> None:
        if not self._messages.wanted(message.prefix):
            return
        lsn = message.lsn
        block = self._counter.block(MESSAGE_COLLECTION, lsn) if self._counter is not None else None
        if self._step <= self._skip:
            return
        xid = self._xid if message.transactional else None
        source = self._message_source(lsn, xid)
        value = self._messages.value(message, source, time.time_ns() // 1000, block)
        key = self._messages.key(message)
        self._group()
        self._outbox.records.append(
            SourceRecord(
                self._partition,
                StreamOffset(self._part, self._step, lsn, "MESSAGE"),
                self._messages.topic,
                None,
                key.schema,
                key,
                value.schema,
                value,
                None,
                [position_header(self._prefix, self._step), *self._extra],
            )
        )

    def _message_source(self, lsn: int, xid: int | None) -> dict[str, Any]:
        return self._encoders.message_source(
            "false", self.commit_us, xid, lsn, sequence_text(self.floor, lsn)
        )


def _known_from(new: list[Text], old: list[Text]) -> list[Text]:
    """Unchanged values that the old key tuple happens to carry (a large key column)."""
    return [o if n is UNCHANGED and o is not None else n for n, o in zip(new, old, strict=True)]
