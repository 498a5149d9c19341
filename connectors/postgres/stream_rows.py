"""Rows of the stream: what an insert, update, delete or truncate message becomes. The hot path.

Owned by the reader thread. A relation message comes before the first row of its table and gives it a route; each row
message is one step of the transaction, counted also when its table is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.cdc.encoder import Row, merge_unchanged
from connectors.cdc.tables import UNCHANGED, Table, Text
from connectors.postgres import pgoutput
from connectors.postgres.encoders import Encoders
from connectors.postgres.origins import StreamOrigin
from connectors.postgres.outbox import WHOLE_TOPIC, Outbox, position_header
from connectors.postgres.position import STEP, Position, StreamOffset
from connectors.postgres.stream_route import Route
from connectors.postgres.stream_transactions import Transactions
from replicator.api import ChangeRecord, DataError, Header, Particulars, SourceRecord, Struct
from replicator.api.logical import NEW_KEY_HEADER, OLD_KEY_HEADER


class Rows(Transactions):
    """Row messages to records.

    Attributes:
        creates, updates, deletes: changes of captured tables seen so far.
        filtered: changes left out so far.
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
        super().__init__(options, encoders, position, outbox, partition, extra_headers)
        self._table_of = table_of
        self._points = {name: t.point for name, t in position.copy.tables.items()}
        self._tombstones: bool = options["tombstones.on.delete"]
        skipped = {s.lower() for s in options["skipped.operations"]}
        self._skip_c, self._skip_u, self._skip_d, self._skip_t = (op in skipped for op in "cudt")
        self._skip_same: bool = options["skip.messages.without.change"]
        self._routes: dict[int, Route | None] = {}
        self.creates = self.updates = self.deletes = self.filtered = 0

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
        if route is None or (self._counter is None and self._step <= self._skip):
            return
        encoder = route.encoder
        kind, old, new = pgoutput.decode_update(body, route.columns)
        if old is None:
            before, row = None, encoder.row(new)
            key = old_key = encoder.key(row)
        else:
            whole = kind == pgoutput.OLD_TUPLE
            if UNCHANGED in new:
                new = merge_unchanged(new, old) if whole else _known_from(new, old)
            row, before = encoder.row(new), encoder.row(old) if whole else encoder.old_row(old)
            if self._skip_same and encoder.visible(row) == encoder.visible(before):
                self.filtered += 1
                return
            key, old_key = encoder.key(row), encoder.key(before)
        moves = key != old_key and key is not None and old_key is not None
        # A key change is two events, each of which may be unwanted; what was handed out before counts as well.
        skipped = (self._skip_d, self._skip_c) if moves else (self._skip_u,)
        if all(skipped):
            return
        count = self._counter is not None
        counted = [self._counted(route, lsn) if count and not left_out else None for left_out in skipped]
        if self._step <= self._skip:
            return
        self.updates += 1
        self._group()
        if moves:
            assert before is not None
            assert key is not None
            assert old_key is not None
            self._move(route, (before, old_key), (row, key), lsn, counted)
        else:
            self._add(route, "u", before, row, key, lsn, counted[0])

    def _move(
        self,
        route: Route,
        source: tuple[Row, Row],
        target: tuple[Row, Row],
        lsn: int,
        counted: list[Particulars | None],
    ) -> None:
        """A key change, from a row and its key to others: delete, tombstone, create (C16)."""
        (before, old_key), (after, key) = source, target
        schema = route.encoder.key_schema
        assert schema is not None
        first, second = (None if also is None else also.transaction for also in counted)
        if not self._skip_d:
            moved_to = Header(NEW_KEY_HEADER, schema, Struct(schema, key))
            self._add(route, "d", before, None, old_key, lsn, Particulars(first, moved_to, "UPDATE"))
            if self._tombstones:
                self._tombstone(route, old_key, lsn, "UPDATE", 1, moved_to)
        if not self._skip_c:
            moved_from = Header(OLD_KEY_HEADER, schema, Struct(schema, old_key))
            self._add(route, "c", None, after, key, lsn, Particulars(second, moved_from, "UPDATE"), 2)

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
        own = () if header is None else (header,)
        headers = [position_header(self._prefix, ordinal), *own, *self._extra]
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


def _known_from(new: list[Text], old: list[Text]) -> list[Text]:
    """Unchanged values that the old key tuple happens to carry (a large key column)."""
    return [o if n is UNCHANGED and o is not None else n for n, o in zip(new, old, strict=True)]
