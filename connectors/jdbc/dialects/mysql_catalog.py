"""Reads a table's shape from information_schema, by exact name: `_` and `%` match themselves only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from connectors.jdbc.dialects.connection import Connection
from connectors.jdbc.dialects.model import TableName, TargetColumn, TargetTable
from connectors.jdbc.dialects.mysql_columns import parse_type

_TABLES: Final = (
    "SELECT TABLE_TYPE, ENGINE, TABLE_NAME FROM information_schema.TABLES "
    "WHERE TABLE_SCHEMA=COALESCE(%s,DATABASE()) AND TABLE_NAME=%s"
)
_COLUMNS: Final = (
    "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLLATION_NAME, "
    "GENERATION_EXPRESSION FROM information_schema.COLUMNS "
    "WHERE TABLE_SCHEMA=COALESCE(%s,DATABASE()) AND TABLE_NAME=%s "
    "ORDER BY ORDINAL_POSITION"
)
_INDEXES: Final = (
    "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS "
    "WHERE TABLE_SCHEMA=COALESCE(%s,DATABASE()) AND TABLE_NAME=%s AND NON_UNIQUE=0 "
    "ORDER BY INDEX_NAME, SEQ_IN_INDEX"
)


def describe_table(connection: Connection, table: TableName) -> TargetTable | None:
    """See `Dialect.describe_table`."""
    where = (table.schema, table.name)
    found = connection.query(_TABLES, where)
    if not found:
        return None
    kind, engine, _ = found[0]
    columns = tuple(_column(row) for row in connection.query(_COLUMNS, where))
    indexes: dict[str, tuple[str, ...]] = {}
    for index, column in connection.query(_INDEXES, where):
        # An expression in an index has no column name.
        indexes[index] = (*indexes.get(index, ()), column or "")
    primary = indexes.pop("PRIMARY", ())
    return TargetTable(
        name=table,
        columns=columns,
        primary_key=primary,
        unique_indexes=indexes,
        engine=engine or "",
        is_view="VIEW" in kind,
    )


def _column(row: tuple[Any, ...]) -> TargetColumn:
    name, type_, nullable, default, extra, collation, expression = row
    extra = extra.lower()
    return replace(
        parse_type(name, type_ if isinstance(type_, str) else type_.decode()),
        nullable=nullable == "YES",
        has_default=default not in {None, "NULL"}
        or "auto_increment" in extra
        or "default_generated" in extra,
        generated=bool(expression) or "virtual generated" in extra or "stored generated" in extra,
        collation=collation,
    )
