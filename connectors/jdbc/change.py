"""What a record means for a table: the form between plan, buffer and writer. Task thread only."""

from __future__ import annotations

from typing import Any, Final

from connectors.jdbc.dialects.model import TableName
from replicator.api import Schema, SinkRecord

Key = tuple[Any, ...]
Row = dict[str, Any]

ROW: Final = 0
"""A whole row, written as insert.mode says."""
PARTIAL: Final = 1
"""Some columns of an existing row (unchanged TOAST left out)."""
DELETE: Final = 2
"""Remove the row with this key."""
REPLACE: Final = 3
"""A whole row after a delete of the same key: nothing of the old row stays."""
MOVE: Final = 4
"""The row with this key gets the key in `other` (C16)."""
TRUNCATE: Final = 5
"""Remove all rows (C18)."""
APPEND: Final = 6
"""A row of a table without key."""
CHANGE_ONE: Final = 7
"""One row equal to `other` becomes `row`; tables without key."""
REMOVE_ONE: Final = 8
"""One row equal to `other` goes; tables without key."""

KEYLESS: Final = frozenset({APPEND, CHANGE_ONE, REMOVE_ONE})


class TablePlan:
    """How records of one schema map to one table; found by identity.

    Attributes:
        table: the target table.
        keys: names of the key fields; empty for a table without key.
        fields: name and schema of every field of a row, key fields included.
        columns: the names alone.
        described: False when only the key is known (a delete without value schema).
    """

    __slots__ = ("columns", "described", "fields", "keys", "table")

    def __init__(
        self,
        table: TableName,
        keys: tuple[str, ...],
        fields: tuple[tuple[str, Schema], ...],
        *,
        described: bool = True,
    ) -> None:
        self.table = table
        self.keys = keys
        self.fields = fields
        self.columns = tuple(name for name, _ in fields)
        self.described = described

    def __repr__(self) -> str:
        return f"TablePlan({self.table}, keys={self.keys})"


class Change:
    """One change of one table; treated as immutable.

    Attributes:
        op: one of the constants above.
        plan: table and columns.
        key: key values in the order of `plan.keys`.
        row: values by field name.
        other: new key of a MOVE; old row of CHANGE_ONE and REMOVE_ONE.
        record: where it came from, for errors and the dead letter queue.
    """

    __slots__ = ("key", "op", "other", "plan", "record", "row")

    def __init__(self, op: int, plan: TablePlan, key: Key, row: Row, other: Any, record: SinkRecord) -> None:
        self.op = op
        self.plan = plan
        self.key = key
        self.row = row
        self.other = other
        self.record = record

    def __repr__(self) -> str:
        return f"Change({self.op}, {self.plan.table}, {self.key})"
