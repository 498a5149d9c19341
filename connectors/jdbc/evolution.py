"""Makes target tables and keeps them wide enough for the records: never drops, renames or narrows.

DDL runs on the task's own connection and thread, outside of transactions (C19, D5); it commits what
is open. Every step may be repeated: what is there already counts as done, and the table is read
again afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson

from connectors.jdbc.dialects import (
    ColumnSpec,
    ColumnType,
    Connection,
    Dialect,
    TableName,
    TargetColumn,
    TargetTable,
)
from connectors.jdbc.dialects.failures import AlreadyThereError
from replicator.api import DataError, Schema, StructuralError, logical

Fields = Sequence[tuple[str, Schema]]
_ROUNDS: Final = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolution:
    """What a table lacks for a record schema.

    Attributes:
        missing: columns to be added.
        additions: DDL that adds them.
        growth: DDL that widens columns or lets them take NULL; not vital, as values that do not fit
            are refused one by one.
    """

    missing: tuple[str, ...] = ()
    additions: tuple[str, ...] = ()
    growth: tuple[str, ...] = ()


def compare(dialect: Dialect, table: TargetTable, fields: Fields) -> Evolution:
    """What has to change before rows of these fields can be written.

    Raises:
        StructuralError: a missing column cannot be made.
    """
    missing = [(name, schema) for name, schema in fields if table.column(name) is None]
    additions = dialect.add_columns(table.name, [_added(dialect, name, schema) for name, schema in missing])
    growth: list[str] = []
    for name, schema in fields:
        column = table.column(name)
        if column is not None and not column.generated:
            growth += _changes(dialect, table, column, schema)
    growth += _abandoned(dialect, table, fields)
    return Evolution(
        missing=tuple(name for name, _ in missing), additions=tuple(additions), growth=tuple(growth)
    )


def _added(dialect: Dialect, name: str, schema: Schema) -> ColumnSpec:
    """A column added later. Rows that are there already get the value that the source's older rows have,
    or the schema's default; without one the column allows NULL even where the source does not.
    """
    made = dialect.column_type(schema)
    made = made.off_row or made
    default = _older_rows(made, schema)
    return (
        ColumnSpec(name, made)
        if default is None
        else ColumnSpec(name, made, schema.optional, default=default)
    )


def _older_rows(made: ColumnType, schema: Schema) -> str | None:
    """SQL literal of what rows without the column hold; kept as the column's default, because changes from
    before the column was added may still be on their way.
    """
    missing = schema.parameters.get(logical.MISSING_VALUE_PARAMETER)
    value = schema.default if missing is None else orjson.loads(missing)
    try:
        return None if value is None else made.literal(value)
    except DataError:
        return None


def _changes(dialect: Dialect, table: TargetTable, column: TargetColumn, schema: Schema) -> list[str]:
    """Widening and relaxing; a column that cannot be widened stays, and refuses values one by one."""
    if column.has_default and schema.parameters.get(logical.MISSING_VALUE_PARAMETER, "null") == "null":
        return []  # somebody's default, which the change would take away
    changed: list[str | None] = []
    try:
        changed = [dialect.widen_column(table, column, dialect.column_type(schema))]
    except StructuralError:
        changed = []
    if schema.optional and not column.nullable and column.name not in table.primary_key:
        changed.append(dialect.relax_column(table, column))
    return [sql for sql in changed if sql]


def _abandoned(dialect: Dialect, table: TargetTable, fields: Fields) -> list[str]:
    """Columns that the source no longer has: they stay, and must let new rows leave them out."""
    given = {name.casefold() for name, _ in fields}
    relaxed = [
        dialect.relax_column(table, column)
        for column in table.columns
        if column.name.casefold() not in given
        and not (column.nullable or column.has_default or column.generated)
        and column.name not in table.primary_key
    ]
    return [sql for sql in relaxed if sql]


def evolve(
    dialect: Dialect,
    connection: Connection,
    name: TableName,
    table: TargetTable | None,
    fields: Fields,
    keys: Sequence[str],
    *,
    create: bool,
    change: bool,
) -> TargetTable:
    """The table, made or changed so that every field has a column.

    Args:
        dialect: the target's.
        connection: the task's, with no transaction worth keeping.
        name: the table's name.
        table: the table as last read, or None if it was not there.
        fields: names and schemas of a row.
        keys: names of the key fields.
        create: whether a missing table may be made (`auto.create`).
        change: whether columns may be added and widened (`auto.evolve`).

    Raises:
        StructuralError: it is missing or lacks columns and may not be changed, or cannot hold the row.
        RetriableError: another session is in the way.
    """
    for _ in range(_ROUNDS):
        if table is None:
            table = _create(dialect, connection, name, fields, keys, create)
        wanted = compare(dialect, table, fields)
        if not wanted.missing and not (change and wanted.growth and not table.is_view):
            return table
        _may_change(table, wanted, change)
        _apply(connection, wanted.additions)
        _grow(connection, wanted.growth)
        table = dialect.describe_table(connection, name)
        connection.commit()
        if table is not None and not compare(dialect, table, fields).missing:
            return table
    raise StructuralError(f"Table {name} still lacks columns after {_ROUNDS} attempts to add them")


def _create(
    dialect: Dialect,
    connection: Connection,
    name: TableName,
    fields: Fields,
    keys: Sequence[str],
    create: bool,
) -> TargetTable:
    schemas = dict(fields)
    columns = [
        replace(c, default=_older_rows(c.type, schemas[c.name]))
        if logical.MISSING_VALUE_PARAMETER in schemas[c.name].parameters
        else c
        for c in dialect.plan_columns(fields, keys)
    ]
    ddl = dialect.create_table(name, columns)
    if not create:
        raise StructuralError(f"Table {name} does not exist", hint=f"Set auto.create=true, or run: {ddl}")
    _apply(connection, [ddl])
    made = dialect.describe_table(connection, name)
    connection.commit()
    if made is None:
        raise StructuralError(f"Table {name} was made but cannot be seen", hint="Check the account's rights.")
    return made


def _may_change(table: TargetTable, wanted: Evolution, change: bool) -> None:
    lacking = ", ".join(wanted.missing)
    if table.is_view:
        raise StructuralError(f"View {table.name} lacks {lacking}; views are never altered")
    if not change:
        ddl = "; ".join(wanted.additions)
        raise StructuralError(
            f"Table {table.name} lacks {lacking}", hint=f"Set auto.evolve=true, or run: {ddl}"
        )


def _apply(connection: Connection, statements: Sequence[str]) -> None:
    connection.commit()
    for sql in statements:
        try:
            connection.execute_text(sql)
        except AlreadyThereError:
            # Another task was quicker; what it made is checked afterwards.
            connection.rollback()
        else:
            connection.commit()


def _grow(connection: Connection, statements: Sequence[str]) -> None:
    for sql in statements:
        try:
            connection.execute_text(sql)
        except (StructuralError, DataError) as error:
            connection.rollback()
            _log.warning(
                "A column keeps its type, values that do not fit are refused: %s (%s)", sql, error.message
            )
        else:
            connection.commit()
