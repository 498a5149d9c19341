"""What the sink asks of a target database; one subclass per kind of database.

A `Dialect` has no state of its own but the server's version and limits, so any thread may use it. Drivers' errors leave
this package only as the service's own (INV-6).
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from connectors.jdbc.dialects.connection import Connection
from connectors.jdbc.dialects.model import (
    BoundColumn,
    ColumnSpec,
    ColumnType,
    KeyContext,
    Literal,
    TableName,
    TargetColumn,
    TargetTable,
)
from connectors.jdbc.dialects.statement import Statement, Template, compile_row, row_template
from connectors.jdbc.url import TargetUrl
from replicator.api import ConnectError, Schema, StructuralError


class Dialect(abc.ABC):
    """SQL, types and limits of one kind of database."""

    kind: ClassVar[str]
    max_name_length: ClassVar[int] = 63
    max_rows: ClassVar[int] = 1_000_000

    # --- session ---

    @abc.abstractmethod
    def connect(self, url: TargetUrl, application_name: str) -> Connection:
        """Open a session; learns the server's version and limits."""

    @abc.abstractmethod
    def translate(self, error: BaseException) -> ConnectError:
        """The service's error for a driver's error."""

    @property
    @abc.abstractmethod
    def max_statement_bytes(self) -> int:
        """Statements are cut below this many bytes; a single row above it is a data error."""

    # --- names and tables ---

    @abc.abstractmethod
    def quote(self, name: str) -> str:
        """One identifier, quoted."""

    def quote_table(self, table: TableName) -> str:
        """A table's name, quoted."""
        parts = [table.schema, table.name] if table.schema else [table.name]
        return ".".join(self.quote(part) for part in parts)

    def check_name(self, name: str, what: str = "column") -> None:
        """Refuse a name the database cannot have.

        Raises:
            StructuralError: with the reason.
        """
        if not name or "\0" in name:
            raise StructuralError(f"{name!r} cannot be the name of a {what}")

    @abc.abstractmethod
    def describe_table(self, connection: Connection, table: TableName) -> TargetTable | None:
        """The table as the catalog has it, or None if there is none of exactly this name."""

    # --- types ---

    @abc.abstractmethod
    def column_type(self, schema: Schema, *, key: KeyContext | None = None) -> ColumnType:
        """The type of a column made for this schema.

        Raises:
            StructuralError: no column type can hold it.
        """

    @abc.abstractmethod
    def literal_for(self, column: TargetColumn, schema: Schema) -> Literal:
        """Writes this schema's values into a column that may not be of our making.

        Raises:
            StructuralError: the column cannot hold the type.
        """

    def plan_columns(
        self,
        fields: Sequence[tuple[str, Schema]],
        keys: Sequence[str],
        lengths: Mapping[str, int] | None = None,
    ) -> tuple[ColumnSpec, ...]:
        """Columns of a new table, sized so that key and row fit (C21); key columns first.

        Args:
            fields: column names and schemas.
            keys: names of the key columns, in key order.
            lengths: longest value of text key columns in characters, where known.

        Raises:
            StructuralError: the key or the row cannot fit.
        """
        by_name = dict(fields)
        key_columns = [
            ColumnSpec(k, self.column_type(by_name[k], key=KeyContext()), False, True) for k in keys
        ]
        others = [ColumnSpec(n, self.column_type(s), s.optional) for n, s in fields if n not in keys]
        return (*key_columns, *others)

    # --- DDL ---

    @abc.abstractmethod
    def create_table(self, table: TableName, columns: Sequence[ColumnSpec]) -> str:
        """CREATE TABLE; the columns with `is_key` form the primary key, in this order."""

    @abc.abstractmethod
    def add_columns(self, table: TableName, columns: Sequence[ColumnSpec]) -> list[str]:
        """Statements that add columns."""

    @abc.abstractmethod
    def widen_column(self, table: TargetTable, column: TargetColumn, wanted: ColumnType) -> str | None:
        """The statement that makes a column hold `wanted` without loss; None when it already does.

        Raises:
            StructuralError: the change is not a widening.
        """

    @abc.abstractmethod
    def relax_column(self, table: TargetTable, column: TargetColumn) -> str | None:
        """The statement that lets a column take NULL; None where that cannot be done."""

    # --- statements ---

    def bind(self, table: TargetTable, fields: Sequence[tuple[str, Schema]]) -> tuple[BoundColumn, ...]:
        """Match fields to the table's columns; generated columns are left out.

        Raises:
            StructuralError: a column is missing or cannot hold its field.
        """
        bound = []
        for name, schema in fields:
            column = table.column(name)
            if column is None:
                raise StructuralError(f"Table {table.name} has no column {name}")
            if not column.generated:
                literal = self.literal_for(column, schema)
                bound.append(BoundColumn(name, column.name, literal, column.nullable))
        return tuple(bound)

    @abc.abstractmethod
    def upsert(self, table: TableName, columns: Sequence[BoundColumn], keys: Sequence[str]) -> Statement:
        """Insert rows, or set all the columns of rows with the same key. `keys` are the target's columns."""

    def insert(self, table: TableName, columns: Sequence[BoundColumn]) -> Statement:
        """Insert rows."""
        return self._statement(f"{self.insert_into(table, columns)} VALUES ", "", row_template(columns))

    def update(self, table: TableName, columns: Sequence[BoundColumn], keys: Sequence[str]) -> Statement:
        """Set the columns that are no keys where the keys match; each row is a statement of its own."""
        key_set = set(keys)
        parts: list[str | int] = [f"UPDATE {self.quote_table(table)} SET "]
        parts += self._assignments([(i, c) for i, c in enumerate(columns) if c.column not in key_set], ",")
        parts.append(" WHERE ")
        parts += self._assignments([(i, c) for i, c in enumerate(columns) if c.column in key_set], " AND ")
        return self._statement("", "", Template(tuple(parts), tuple(columns)), separator=";")

    def delete(self, table: TableName, keys: Sequence[BoundColumn]) -> Statement:
        """Delete the rows with these keys."""
        names = ",".join(self.quote(c.column) for c in keys)
        left, rows = (
            (names, row_template(keys, "", "")) if len(keys) == 1 else (f"({names})", row_template(keys))
        )
        return self._statement(f"DELETE FROM {self.quote_table(table)} WHERE {left} IN (", ")", rows)

    def move_key(self, table: TableName, keys: Sequence[BoundColumn]) -> Statement:
        """Give rows a new key: values by ("old", name) and ("new", name), see `moved`."""
        count = len(keys)
        both = [
            BoundColumn(moved(age, k.field), k.column, k.literal, k.nullable)
            for age in ("new", "old")
            for k in keys
        ]
        parts: list[str | int] = [f"UPDATE {self.quote_table(table)} SET "]
        parts += self._assignments(list(enumerate(both))[:count], ",")
        parts.append(" WHERE ")
        parts += self._assignments(list(enumerate(both))[count:], " AND ")
        return self._statement("", "", Template(tuple(parts), tuple(both)), separator=";")

    def truncate(self, table: TableName) -> str:
        """Remove all rows."""
        return f"TRUNCATE TABLE {self.quote_table(table)}"

    # --- parts of statements ---

    def plain_create_table(self, table: TableName, columns: Sequence[ColumnSpec]) -> str:
        """CREATE TABLE without options."""
        lines = [self.column_definition(c) for c in columns]
        keys = ",".join(self.quote(c.name) for c in columns if c.is_key)
        if keys:
            lines.append(f"PRIMARY KEY ({keys})")
        body = ",\n  ".join(lines)
        return f"CREATE TABLE {self.quote_table(table)} (\n  {body}\n)"

    def column_definition(self, column: ColumnSpec) -> str:
        """`name TYPE DEFAULT x NULL`."""
        nullable = column.nullable and not column.is_key
        default = "" if column.default is None else f" DEFAULT {column.default}"
        return f"{self.quote(column.name)} {column.type.sql}{default} {'NULL' if nullable else 'NOT NULL'}"

    def insert_into(self, table: TableName, columns: Sequence[BoundColumn]) -> str:
        """`INSERT INTO t (a,b)`."""
        return f"INSERT INTO {self.quote_table(table)} ({','.join(self.quote(c.column) for c in columns)})"

    def _assignments(self, columns: Sequence[tuple[int, BoundColumn]], separator: str) -> list[str | int]:
        parts: list[str | int] = []
        for n, (i, column) in enumerate(columns):
            parts += [f"{separator if n else ''}{self.quote(column.column)}=", i]
        return parts

    @staticmethod
    def limited(statement: Statement, rows: int) -> Statement:
        """The statement with fewer rows at a time."""
        return replace(statement, max_rows=min(rows, statement.max_rows))

    def _statement(self, prefix: str, suffix: str, template: Template, *, separator: str = ",") -> Statement:
        row_text, lossy_text = compile_row(template)
        return Statement(
            prefix=prefix,
            suffix=suffix,
            row_text=row_text,
            lossy_text=lossy_text,
            separator=separator,
            max_rows=self.max_rows,
        )


def moved(age: str, field: str) -> str:
    """Name of a key value in the row given to `move_key`: `moved("old", "id")`, `moved("new", "id")`."""
    return f"{age}:{field}"
