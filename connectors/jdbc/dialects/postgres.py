"""Postgres as a target. The task's thread owns the session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg

from connectors.jdbc.dialects import postgres_literals, postgres_types
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
from connectors.jdbc.dialects.postgres_catalog import describe_table
from connectors.jdbc.dialects.postgres_errors import translate
from connectors.jdbc.dialects.postgres_tls import tls_arguments
from connectors.jdbc.dialects.statement import Statement, row_template
from connectors.jdbc.url import TargetUrl
from replicator.api import ConnectError, Schema, StructuralError

_SESSION: Final = (
    "SET TIME ZONE 'UTC'; SET standard_conforming_strings=on; SET datestyle='ISO,YMD'; SET lock_timeout='10s'; "
    "SET client_encoding='UTF8'"
)
_MAX_STATEMENT: Final = 16 << 20
_LADDER: Final = ("smallint", "integer", "bigint")


class PostgresConnection(Connection):
    """See `Connection`."""

    def __init__(self, url: TargetUrl, application_name: str) -> None:
        try:
            self._driver: psycopg.Connection[Any] = psycopg.connect(
                **connect_arguments(url, application_name)
            )
            self.execute_text(_SESSION)
            self._driver.commit()
        except Exception as error:
            raise translate(error) from error

    def execute(self, sql: str, args: Sequence[Any] | None = None) -> int:
        try:
            return max(0, self._driver.execute(sql.encode(), args).rowcount)
        except Exception as error:
            raise translate(error) from error

    def query(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        try:
            return [tuple(row) for row in self._driver.execute(sql.encode(), args).fetchall()]
        except Exception as error:
            raise translate(error) from error

    def execute_text(self, sql: str) -> int:
        try:
            cursor = self._driver.execute(sql.encode())
            found = max(0, cursor.rowcount)
            while cursor.nextset():
                found += max(0, cursor.rowcount)
        except Exception as error:
            raise translate(error) from error
        return found

    def begin(self) -> None:
        # The driver begins a transaction before the first statement.
        self.ping()

    def commit(self) -> None:
        try:
            self._driver.commit()
        except Exception as error:
            raise translate(error) from error

    def rollback(self) -> None:
        try:
            self._driver.rollback()
        except psycopg.Error:
            # The server rolls back what a lost session left open.
            self.close()

    def close(self) -> None:
        self._driver.close()

    def connection_id(self) -> int:
        return self._driver.info.backend_pid

    def ping(self) -> None:
        self.query("SELECT 1")


def connect_arguments(url: TargetUrl, application_name: str) -> dict[str, Any]:
    """The driver's arguments; TLS options have libpq's names."""
    return {
        "host": url.host,
        "port": url.port,
        "user": url.user or None,
        "password": url.password.reveal() or None,
        "dbname": url.database or None,
        "application_name": application_name,
        "connect_timeout": url.options.get("connect_timeout", "10"),
        "keepalives_idle": 30,
        **tls_arguments(url),
    }


class PostgresDialect(Dialect):
    """Postgres 12 and later."""

    kind = "postgresql"
    max_name_length = 63
    max_rows = 10_000

    # --- session ---

    def connect(self, url: TargetUrl, application_name: str) -> Connection:
        return PostgresConnection(url, application_name)

    def translate(self, error: BaseException) -> ConnectError:
        return translate(error)

    @property
    def max_statement_bytes(self) -> int:
        return _MAX_STATEMENT

    # --- names and tables ---

    def quote(self, name: str) -> str:
        return f'"{name.replace(chr(34), chr(34) * 2)}"'

    def check_name(self, name: str, what: str = "column") -> None:
        super().check_name(name, what)
        if len(name.encode()) > self.max_name_length:
            raise StructuralError(f"The name of {what} {name} is longer than {self.max_name_length} bytes")

    def describe_table(self, connection: Connection, table: TableName) -> TargetTable | None:
        return describe_table(connection, table)

    # --- types ---

    def column_type(self, schema: Schema, *, key: KeyContext | None = None) -> ColumnType:
        return postgres_types.column_type(schema)

    def literal_for(self, column: TargetColumn, schema: Schema) -> Literal:
        return postgres_literals.literal_for(column, schema)

    def plan_columns(
        self,
        fields: Sequence[tuple[str, Schema]],
        keys: Sequence[str],
        lengths: Mapping[str, int] | None = None,
    ) -> tuple[ColumnSpec, ...]:
        for name, _ in fields:
            self.check_name(name)
        return super().plan_columns(fields, keys, lengths)

    # --- DDL ---

    def create_table(self, table: TableName, columns: Sequence[ColumnSpec]) -> str:
        self.check_name(table.name, "table")
        return self.plain_create_table(table, columns)

    def add_columns(self, table: TableName, columns: Sequence[ColumnSpec]) -> list[str]:
        added = ", ".join(f"ADD COLUMN {self.column_definition(c)}" for c in columns)
        return [f"ALTER TABLE {self.quote_table(table)} {added}"] if columns else []

    def widen_column(self, table: TargetTable, column: TargetColumn, wanted: ColumnType) -> str | None:
        target = postgres_types.parse_type(column.name, wanted.sql)
        if _holds(column, target):
            return None
        if not _holds(target, column):
            raise StructuralError(
                f"Column {column.name} of {table.name} is {column.type}: becoming {wanted.sql} could lose values"
            )
        name = self.quote(column.name)
        return f"ALTER TABLE {self.quote_table(table.name)} ALTER COLUMN {name} TYPE {wanted.sql}"

    def relax_column(self, table: TargetTable, column: TargetColumn) -> str | None:
        return (
            f"ALTER TABLE {self.quote_table(table.name)} ALTER COLUMN {self.quote(column.name)} DROP NOT NULL"
        )

    # --- statements ---

    def insert_into(self, table: TableName, columns: Sequence[BoundColumn]) -> str:
        # Without it a GENERATED ALWAYS AS IDENTITY column refuses the source's values.
        return f"{super().insert_into(table, columns)} OVERRIDING SYSTEM VALUE"

    def upsert(self, table: TableName, columns: Sequence[BoundColumn], keys: Sequence[str]) -> Statement:
        target = ",".join(self.quote(k) for k in keys)
        changed = [self.quote(c.column) for c in columns if c.column not in set(keys)]
        action = "UPDATE SET " + ",".join(f"{c}=EXCLUDED.{c}" for c in changed) if changed else "NOTHING"
        suffix = f" ON CONFLICT ({target}) DO {action}"
        return self._statement(f"{self.insert_into(table, columns)} VALUES ", suffix, row_template(columns))


def _holds(wide: TargetColumn, narrow: TargetColumn) -> bool:
    """Whether every value of `narrow` is one of `wide`."""
    if wide.base in _LADDER and narrow.base in _LADDER:
        return _LADDER.index(wide.base) >= _LADDER.index(narrow.base)
    if wide.base == "numeric" and narrow.base in {"numeric", *_LADDER}:
        return wide.precision is None or (narrow.precision is not None and _holds_number(wide, narrow))
    if wide.base == "text" and narrow.base in {"varchar", "text"}:
        return True
    if wide.base == narrow.base == "varchar":
        return wide.length is None or (narrow.length is not None and wide.length >= narrow.length)
    if wide.base == "double precision" and narrow.base == "real":
        return True
    return (
        wide.base == narrow.base
        and wide.length == narrow.length
        and (wide.fraction or 0) >= (narrow.fraction or 0)
    )


def _holds_number(wide: TargetColumn, narrow: TargetColumn) -> bool:
    scale, other = wide.scale or 0, narrow.scale or 0
    return scale >= other and (wide.precision or 0) - scale >= (narrow.precision or 0) - other
