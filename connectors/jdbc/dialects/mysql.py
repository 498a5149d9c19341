"""MySQL as a target.

Thread: the task's own. Keeps: nothing but what the server said about itself at `connect`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from connectors.jdbc.dialects import mysql_binding, mysql_columns, mysql_planning
from connectors.jdbc.dialects.base import Dialect
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
from connectors.jdbc.dialects.mysql_catalog import describe_table
from connectors.jdbc.dialects.mysql_connection import MySqlConnection
from connectors.jdbc.dialects.mysql_errors import translate
from connectors.jdbc.dialects.mysql_widening import widen_column
from connectors.jdbc.dialects.statement import Statement, row_template
from connectors.jdbc.url import TargetUrl
from replicator.api import ConnectError, Schema, StructuralError


class MySqlDialect(Dialect):
    """MySQL 8.0 and later."""

    kind = "mysql"
    max_name_length = 64
    # The range optimiser gives up on longer IN lists (range_optimizer_max_mem_size) and scans the table.
    max_delete_rows: ClassVar[int] = 5_000
    flavour: ClassVar[mysql_columns.Flavour] = mysql_columns.MYSQL

    def __init__(self) -> None:
        self._packet = 16 << 20
        self._row_alias = True

    # --- session ---

    def connect(self, url: TargetUrl, application_name: str) -> Connection:
        connection = MySqlConnection(url, application_name)
        ((packet, version),) = connection.query("SELECT @@max_allowed_packet, VERSION()")
        connection.commit()
        self._packet = int(packet)
        connection.joined_bytes = min(connection.joined_bytes, self.max_statement_bytes)
        self._row_alias = "mariadb" not in version.lower() and _version(version) >= (8, 0, 20)
        return connection

    def translate(self, error: BaseException) -> ConnectError:
        return translate(error)

    @property
    def max_statement_bytes(self) -> int:
        return self._packet // 2

    # --- names and tables ---

    def quote(self, name: str) -> str:
        return f"`{name.replace('`', '``')}`"

    def check_name(self, name: str, what: str = "column") -> None:
        super().check_name(name, what)
        if len(name) > self.max_name_length:
            raise StructuralError(
                f"The name of {what} {name} is longer than {self.max_name_length} characters"
            )
        if name.endswith(" "):
            raise StructuralError(f"The name of {what} {name!r} ends with a space")
        if any(ord(character) > 0xFFFF for character in name):
            raise StructuralError(
                f"The name of {what} {name!r} has a character the target's names cannot have"
            )

    def describe_table(self, connection: Connection, table: TableName) -> TargetTable | None:
        return describe_table(connection, table)

    # --- types ---

    def column_type(self, schema: Schema, *, key: KeyContext | None = None) -> ColumnType:
        return mysql_columns.column_type(schema, self.flavour, key)

    def literal_for(self, column: TargetColumn, schema: Schema) -> Literal:
        return mysql_binding.literal_for(column, schema)

    def plan_columns(
        self,
        fields: Sequence[tuple[str, Schema]],
        keys: Sequence[str],
        lengths: Mapping[str, int] | None = None,
    ) -> tuple[ColumnSpec, ...]:
        for name, _ in fields:
            self.check_name(name)
        return mysql_planning.plan_columns(fields, keys, self.flavour, lengths or {})

    # --- DDL ---

    def create_table(self, table: TableName, columns: Sequence[ColumnSpec]) -> str:
        self.check_name(table.name, "table")
        return mysql_planning.create_table(self.quote_table(table), columns, self.quote, self.flavour)

    def add_columns(self, table: TableName, columns: Sequence[ColumnSpec]) -> list[str]:
        for column in columns:
            self.check_name(column.name)
        added = ", ".join(f"ADD COLUMN {mysql_planning.column_definition(c, self.quote)}" for c in columns)
        return [f"ALTER TABLE {self.quote_table(table)} {added}"] if columns else []

    def widen_column(self, table: TargetTable, column: TargetColumn, wanted: ColumnType) -> str | None:
        sql = widen_column(table, column, wanted)
        if sql is None:
            return None
        null = "NULL" if column.nullable else "NOT NULL"
        return (
            f"ALTER TABLE {self.quote_table(table.name)} MODIFY COLUMN {self.quote(column.name)} {sql} {null}"
        )

    def relax_column(self, table: TargetTable, column: TargetColumn) -> str | None:
        collation = f" COLLATE {column.collation}" if column.collation else ""
        name = self.quote(column.name)
        return (
            f"ALTER TABLE {self.quote_table(table.name)} MODIFY COLUMN {name} {column.type}{collation} NULL"
        )

    # --- statements ---

    def upsert(self, table: TableName, columns: Sequence[BoundColumn], keys: Sequence[str]) -> Statement:
        key_set = set(keys)
        changed = [self.quote(c.column) for c in columns if c.column not in key_set] or [self.quote(keys[0])]
        if self._row_alias:
            suffix = " AS `new` ON DUPLICATE KEY UPDATE " + ",".join(f"{c}=`new`.{c}" for c in changed)
        else:
            suffix = " ON DUPLICATE KEY UPDATE " + ",".join(f"{c}=VALUES({c})" for c in changed)
        return self._statement(f"{self.insert_into(table, columns)} VALUES ", suffix, row_template(columns))

    def delete(self, table: TableName, keys: Sequence[BoundColumn]) -> Statement:
        return self.limited(super().delete(table, keys), self.max_delete_rows)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", text)[:3])
