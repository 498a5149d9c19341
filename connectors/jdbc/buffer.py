"""Changes of one batch, brought to at most one per table and key (C14). Pure, task thread only.

Within a group every key occurs once, so its deletes, upserts and updates commute and can be
written as few statements. What cannot be merged (a key change with unchanged values, rows of tables
without key, inserts in insert mode) closes the group and keeps its place in the order.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.jdbc.change import DELETE, KEYLESS, MOVE, PARTIAL, REPLACE, ROW, Change, Key, TablePlan
from connectors.jdbc.config import INSERT, UPDATE
from connectors.jdbc.dialects.model import TableName
from replicator.api import DataError

Group = dict[Key, Change]
Segment = Group | list[Change]
"""A group commutes; a list is applied in order."""


class TableBuffer:
    """The changes of one table, in segments.

    Attributes:
        table: the table.
        plans: every plan that occurred, in order of first appearance.
        group: the open group.
        moving: a key change whose new row has not come yet.
    """

    __slots__ = ("_closed", "_ordered", "_update", "group", "moving", "plans", "table")

    def __init__(self, table: TableName, insert_mode: str) -> None:
        self.table = table
        self.plans: dict[TablePlan, None] = {}
        self.group: Group = {}
        self._closed: list[Segment] = []
        self.moving: Change | None = None
        self._ordered = insert_mode == INSERT
        self._update = insert_mode == UPDATE

    def add(self, change: Change) -> None:
        """Take the next change of this table.

        Raises:
            DataError: the key's values cannot be compared.
        """
        self.plans[change.plan] = None
        if self._ordered or change.op in KEYLESS:
            self._in_order(change)
            return
        if self.moving is not None and self._after_move(self.moving, change):
            return
        if change.op == MOVE:
            self.moving = change
            return
        self._merge_in(change)

    def segments(self) -> Iterator[Segment]:
        """Everything taken, in order; the buffer takes nothing more afterwards."""
        if self.moving is not None:
            self._flush_move(self.moving)
        self._close_group()
        return iter(self._closed)

    def _merge_in(self, change: Change) -> None:
        try:
            old = self.group.setdefault(change.key, change)
        except TypeError:
            raise DataError(f"A key of {self.table} has values that cannot be compared") from None
        if old is change:
            return
        if old.plan is not change.plan and old.plan.described and change.plan.described:
            # Another schema: merging columns of both would mix their types.
            self._close_group()
            self.group[change.key] = change
            return
        self.group[change.key] = self._merged(old, change)

    def _merged(self, old: Change, new: Change) -> Change:
        if new.op == DELETE:
            return new
        if old.op == DELETE:
            if new.op == PARTIAL or self._update:
                return old
            return Change(REPLACE, new.plan, new.key, new.row, None, new.record)
        if new.op == PARTIAL:
            return Change(old.op, old.plan, old.key, {**old.row, **new.row}, None, new.record)
        return new if old.op != REPLACE else Change(REPLACE, new.plan, new.key, new.row, None, new.record)

    def _after_move(self, move: Change, change: Change) -> bool:
        """Settle the key change before `change`; whether `change` itself is settled too."""
        if change.op == DELETE and change.key == move.key:
            return True  # the tombstone of the old key
        self.moving = None
        if change.op == ROW and change.key == move.other:
            # The whole row is known: the move is a delete and a row.
            self._merge_in(Change(DELETE, move.plan, move.key, {}, None, move.record))
            self._merge_in(change)
            return True
        self._flush_move(move)
        return False

    def _flush_move(self, move: Change) -> None:
        self.moving = None
        old = self.group.get(move.key)
        if old is not None and old.op in (ROW, REPLACE) and not self._update and move.plan is old.plan:
            # The row is known from this batch: it appears under its new key.
            row = {**old.row, **dict(zip(move.plan.keys, move.other, strict=True))}
            self._merge_in(Change(DELETE, move.plan, move.key, {}, None, move.record))
            self._merge_in(Change(REPLACE, move.plan, move.other, row, None, move.record))
            return
        self._in_order(move)

    def _in_order(self, change: Change) -> None:
        self._close_group()
        if self._closed and isinstance(self._closed[-1], list):
            self._closed[-1].append(change)
        else:
            self._closed.append([change])

    def _close_group(self) -> None:
        if self.group:
            self._closed.append(self.group)
            self.group = {}


class Batch:
    """What one target transaction shall apply.

    Attributes:
        tables: buffers by table, in order of first appearance.
        changes: the same changes in source order, as they came.
    """

    __slots__ = ("_insert_mode", "changes", "tables")

    def __init__(self, insert_mode: str) -> None:
        self.tables: dict[TableName, TableBuffer] = {}
        self.changes: list[Change] = []
        self._insert_mode = insert_mode

    def fill(self, changes: list[Change]) -> Batch:
        """Take changes in source order; returns itself."""
        table: TableName | None = None
        buffer: TableBuffer | None = None
        plan: TablePlan | None = None
        plain = False
        for change in changes:
            if change.plan is not plan or buffer is None:
                plan = change.plan
                if buffer is None or plan.table != table:
                    table = plan.table
                    buffer = self._buffer(table)
                buffer.plans[plan] = None
                plain = self._insert_mode != INSERT
            # The usual case inline: a row whose key did not occur yet.
            if plain and change.op == ROW and buffer.moving is None:
                group = buffer.group
                if change.key not in group:
                    group[change.key] = change
                    continue
            buffer.add(change)
        self.changes = changes if not self.changes else self.changes + changes
        return self

    def _buffer(self, table: TableName) -> TableBuffer:
        buffer = self.tables.get(table)
        if buffer is None:
            buffer = self.tables[table] = TableBuffer(table, self._insert_mode)
        return buffer
