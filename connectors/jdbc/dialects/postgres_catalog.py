"""Reads a table's shape from pg_catalog, by exact name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connectors.jdbc.dialects.connection import Connection
from connectors.jdbc.dialects.model import TableName, TargetTable
from connectors.jdbc.dialects.postgres_types import parse_type

_TABLE: Final = (
    "SELECT c.oid::bigint, c.relkind::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
    "ON n.oid=c.relnamespace WHERE n.nspname=COALESCE(%s::text, current_schema()::text) AND c.relname=%s::text "
    "AND c.relkind IN ('r','p','v','m','f')"
)
_COLUMNS: Final = (
    "SELECT attname::text, format_type(atttypid, atttypmod), NOT attnotnull, atthasdef OR attidentity<>'', "
    "attgenerated<>'' FROM pg_catalog.pg_attribute WHERE attrelid=%s::bigint AND attnum>0 AND NOT attisdropped "
    "ORDER BY attnum"
)
_INDEXES: Final = (
    "SELECT i.relname::text, x.indisprimary, array_agg(COALESCE(a.attname::text, '') ORDER BY k.n) "
    "FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid=x.indexrelid "
    "CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY k(attnum, n) "
    "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid=x.indrelid AND a.attnum=k.attnum AND k.attnum>0 "
    "WHERE x.indrelid=%s::bigint AND x.indisunique AND k.n<=x.indnkeyatts GROUP BY 1, 2 ORDER BY 1"
)


def describe_table(connection: Connection, table: TableName) -> TargetTable | None:
    """See `Dialect.describe_table`."""
    found = connection.query(_TABLE, (table.schema, table.name))
    if not found:
        return None
    oid, kind = found[0]
    columns = tuple(
        replace(
            parse_type(name, type_),
            nullable=nullable,
            has_default=default and not generated,
            generated=generated,
        )
        for name, type_, nullable, default, generated in connection.query(_COLUMNS, (oid,))
    )
    indexes = connection.query(_INDEXES, (oid,))
    return TargetTable(
        name=table,
        columns=columns,
        primary_key=next((tuple(names) for _, primary, names in indexes if primary), ()),
        unique_indexes={index: tuple(names) for index, primary, names in indexes if not primary},
        is_view=kind in {"v", "m"},
    )
