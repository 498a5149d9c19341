"""SQLite as a target: for trying things out and for tests. The task's thread owns the session.

SQLite's types are hints, so everything that has no exact form there is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from connectors.jdbc.dialects import literals
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
from connectors.jdbc.dialects.sqlite_connection import SqliteConnection, translate
from connectors.jdbc.dialects.statement import Statement, row_template
from connectors.jdbc.types.contract import INTEGER_KINDS, Contract, Kind, contract_of
from connectors.jdbc.types.decode import decoder
from connectors.jdbc.url import TargetUrl
from replicator.api import (
    ConnectError,
    DataError,
    Schema,
    SchemaType,
    StructuralError,
)

_MAX_STATEMENT: Final = 500_000


class SqliteDialect(Dialect):
    """SQLite 3.35 and later."""

    kind = "sqlite"
    max_rows = 500

    def connect(self, url: TargetUrl, application_name: str) -> Connection:
        return SqliteConnection(url)

    def translate(self, error: BaseException) -> ConnectError:
        return translate(error)

    @property
    def max_statement_bytes(self) -> int:
        return _MAX_STATEMENT

    def quote(self, name: str) -> str:
        return f'"{name.replace(chr(34), chr(34) * 2)}"'

    def describe_table(self, connection: Connection, table: TableName) -> TargetTable | None:
        master = "sqlite_master" if table.schema is None else f"{self.quote(table.schema)}.sqlite_master"
        found = connection.query(
            f"SELECT type, name FROM {master} WHERE type IN ('table','view') AND name=%s COLLATE NOCASE",
            (table.name,),
        )
        if not found:
            return None
        infos = connection.query(
            'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(%s)', (table.name,)
        )
        indexes = connection.query(
            "SELECT name FROM pragma_index_list(%s) WHERE \"unique\" AND origin<>'pk'", (table.name,)
        )
        of_index = "SELECT COALESCE(name,'') FROM pragma_index_info(%s)"
        return TargetTable(
            name=table,
            columns=tuple(_column(*info) for info in infos),
            primary_key=tuple(info[0] for info in sorted(infos, key=lambda info: info[4]) if info[4]),
            unique_indexes={n: tuple(c for (c,) in connection.query(of_index, (n,))) for (n,) in indexes},
            is_view=found[0][0] == "view",
        )

    def column_type(self, schema: Schema, *, key: KeyContext | None = None) -> ColumnType:
        contract = contract_of(schema)
        return ColumnType(sql=_affinity(contract), literal=_literal(contract))

    def literal_for(self, column: TargetColumn, schema: Schema) -> Literal:
        return _literal(contract_of(schema))

    def create_table(self, table: TableName, columns: Sequence[ColumnSpec]) -> str:
        return self.plain_create_table(table, columns)

    def add_columns(self, table: TableName, columns: Sequence[ColumnSpec]) -> list[str]:
        return [
            f"ALTER TABLE {self.quote_table(table)} ADD COLUMN {self.column_definition(c)}" for c in columns
        ]

    def widen_column(self, table: TargetTable, column: TargetColumn, wanted: ColumnType) -> str | None:
        return None

    def relax_column(self, table: TargetTable, column: TargetColumn) -> str | None:
        return None

    def upsert(self, table: TableName, columns: Sequence[BoundColumn], keys: Sequence[str]) -> Statement:
        target = ",".join(self.quote(k) for k in keys)
        changed = [self.quote(c.column) for c in columns if c.column not in set(keys)]
        action = "UPDATE SET " + ",".join(f"{c}=excluded.{c}" for c in changed) if changed else "NOTHING"
        suffix = f" ON CONFLICT ({target}) DO {action}"
        return self._statement(f"{self.insert_into(table, columns)} VALUES ", suffix, row_template(columns))

    def delete(self, table: TableName, keys: Sequence[BoundColumn]) -> Statement:
        if len(keys) == 1:
            return super().delete(table, keys)
        names = ",".join(self.quote(c.column) for c in keys)
        prefix = f"DELETE FROM {self.quote_table(table)} WHERE ({names}) IN (VALUES "
        return self._statement(prefix, ")", row_template(keys))

    def truncate(self, table: TableName) -> str:
        return f"DELETE FROM {self.quote_table(table)}"


def _column(name: str, type_: str, not_null: int, default: str | None, key: int, hidden: int) -> TargetColumn:
    return TargetColumn(
        name=name,
        type=type_.lower(),
        base=type_.lower().partition("(")[0].strip(),
        nullable=not not_null and not key,
        has_default=default is not None,
        generated=hidden in {2, 3},
    )


def _affinity(contract: Contract) -> str:
    if contract.kind in INTEGER_KINDS or contract.kind is Kind.BOOLEAN:
        return "INTEGER"
    if contract.kind in {Kind.FLOAT32, Kind.FLOAT64}:
        return "REAL"
    is_text = contract.kind not in {Kind.BYTES, Kind.BITS} and contract.kind is not Kind.GEOMETRY
    return "TEXT" if is_text or contract.schema.type is not SchemaType.BYTES else "BLOB"


def _literal(contract: Contract) -> Literal:
    kind = contract.kind
    if kind in INTEGER_KINDS:
        return Literal(_integer)
    if kind is Kind.BOOLEAN:
        return literals.boolean()
    if kind in {Kind.FLOAT32, Kind.FLOAT64}:
        return literals.double()
    if kind is Kind.BITS and contract.schema.type is SchemaType.BYTES:
        return Literal(lambda value: f"x'{bytes(value).hex()}'")
    if kind is Kind.GEOMETRY:
        raise StructuralError(f"{contract.describe()} has no column type here", hint="Leave the column out.")
    if kind is Kind.BYTES:
        return Literal(lambda value: f"x'{bytes(value).hex()}'")
    if kind is Kind.VARBITS:
        return literals.bit_text(None)
    decode = decoder(contract)
    return Literal(lambda value: _text(decode(value)))


def _integer(value: Any) -> str:
    if not -(2**63) <= value < 2**63:
        raise DataError(f"{value} is no 64 bit integer; the column would keep an approximation")
    return f"{value:d}"


def _text(value: Any) -> str:
    if type(value) is not str:
        raise DataError(f"expected text, got {type(value).__name__}")
    if "\0" in value:
        return f"CAST(x'{value.encode().hex()}' AS TEXT)"
    return f"""'{value.replace("'", "''")}'"""
