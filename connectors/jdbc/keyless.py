"""Changes of tables without key: one row equal to the old one is changed or removed. Task thread only.

Equal means equal in every column, NULLs included; of several equal rows one is taken. The ledger
makes sure that none of this happens twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.jdbc.change import REMOVE_ONE, Change
from connectors.jdbc.dialects import BoundColumn, Connection, Dialect, Unrepresentable
from connectors.jdbc.ledger_schema import is_mysql
from connectors.jdbc.rows import RejectedChange, RowWriter
from connectors.jdbc.tables import BoundTable
from replicator.api import DataError


class KeylessWriter:
    """Applies CHANGE_ONE and REMOVE_ONE."""

    def __init__(self, dialect: Dialect, rows: RowWriter, *, lossy: bool) -> None:
        self._dialect = dialect
        self._rows = rows
        self._lossy = lossy

    def apply(self, connection: Connection, bound: BoundTable, change: Change) -> int:
        """Apply one change; returns the number of rows found (0 or 1).

        Raises:
            RejectedChange: a value cannot be written.
        """
        try:
            sql = self._sql(bound, change)
        except DataError as error:
            raise RejectedChange(change, error) from error
        return connection.execute_text(sql) if sql else 1

    def _sql(self, bound: BoundTable, change: Change) -> str:
        table = self._dialect.quote_table(bound.target.name)
        where = self._one_row(bound, table, change.other)
        if change.op == REMOVE_ONE:
            return f"DELETE FROM {table} WHERE {where}"
        columns = [c for c in bound.columns if c.field in change.row]
        if not columns:
            return ""
        lost: list[str] = []
        values = ",".join(
            f"{self._dialect.quote(c.column)}={self._literal(c, change.row[c.field], lost)}" for c in columns
        )
        self._rows.count_lost(bound.target.name, lost)
        return f"UPDATE {table} SET {values} WHERE {where}"

    def _one_row(self, bound: BoundTable, table: str, old: Mapping[str, Any]) -> str:
        tests = [self._equal(bound, c, old[c.field]) for c in bound.columns if c.field in old]
        if not tests:
            raise DataError(f"No column of the old row of {bound.target.name} can be compared")
        condition = " AND ".join(tests)
        if is_mysql(self._dialect.kind):
            return f"{condition} LIMIT 1"
        row_id = "rowid" if self._dialect.kind == "sqlite" else "ctid"
        return f"{row_id} = (SELECT {row_id} FROM {table} WHERE {condition} LIMIT 1)"

    def _equal(self, bound: BoundTable, column: BoundColumn, value: Any) -> str:
        name = self._dialect.quote(column.column)
        literal = self._literal(column, value, [])
        if literal == "NULL":
            return f"{name} IS NULL"
        target = bound.target.column(column.column)
        base = target.base if target is not None else ""
        if is_mysql(self._dialect.kind):
            if base == "float":
                return f"{name} = CAST({literal} AS FLOAT)"
            if base == "json" and self._dialect.kind == "mysql":
                return f"{name} = CAST({literal} AS JSON)"
        if base in ("json", "xml"):
            return f"{name}::text = ({literal})::{base}::text"
        return f"{name} = {literal}"

    def _literal(self, column: BoundColumn, value: Any, lost: list[str]) -> str:
        try:
            return column.literal(value)
        except Unrepresentable as error:
            if not self._lossy:
                raise
            lost.append(column.column)
            if error.substitute is not None and (error.rounded or not column.nullable):
                return error.substitute
            if column.nullable:
                return "NULL"
            raise
