"""What a Postgres database holds, for preflight and verification: tables, keys, identities, column types.

Built on the catalog the streaming task reads, so that both see the same keys and types.
Partitioned tables appear as their root; the identity of a root is the weakest of its leaves,
because each leaf publishes for itself (C4). Run by the command line's thread.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.cdc.codec import ColumnCodec
from connectors.cdc.tables import Column, Table
from connectors.postgres import catalog
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated
from connectors.postgres.types import TypeOptions, table_codecs
from connectors.postgres.types_catalog import TypeCatalog
from replicator.api.database import ColumnInfo, TableInfo

_UNLOGGED: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND NOT c.relispartition
"""
_TYPE_TEXTS: Final = """
SELECT attrelid::int8, attname, format_type(atttypid, atttypmod), attgenerated::text <> ''
  FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid = ANY(%s::oid[]) ORDER BY attrelid, attnum
"""
_KINDS: Final = {
    "bool": "bool", "int2": "int", "int4": "int", "int8": "int", "oid": "int",
    "numeric": "numeric", "money": "numeric", "float4": "float4", "float8": "float8",
    "text": "text", "varchar": "text", "name": "text", "citext": "text", "bpchar": "bpchar", "bytea": "bytes",
    "date": "date", "time": "time", "timestamp": "timestamp", "timestamptz": "timestamptz",
    "json": "json", "jsonb": "jsonb", "hstore": "hstore", "interval": "interval", "uuid": "uuid",
    "bit": "bit", "varbit": "varbit", "oidvector": "array", "int2vector": "array",
}  # fmt: skip


def read(
    connection: PlainConnection, include: Sequence[str], exclude: Sequence[str], options: TypeOptions
) -> list[TableInfo]:
    """Tables matching the `schema.table` globs, as the connector will emit them."""
    found = [
        r for r in catalog.candidates(connection, via_root=True) if _selected(r.full_name, include, exclude)
    ]
    relations = catalog.with_leaves(connection, found)
    tables = catalog.tables(connection, TypeCatalog(), relations)
    with translated("reading columns"):
        rows = connection.execute(_TYPE_TEXTS, [[r.oid for r in relations]]).fetchall()
        unlogged = connection.execute(_UNLOGGED).fetchall()
    texts: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        texts.setdefault(row[0], []).append(row[1:])
    known = [_table(r, tables[r.oid], texts.get(r.oid, []), options) for r in relations]
    return known + [
        TableInfo(schema=schema, name=name, columns=(), unlogged=True)
        for schema, name in unlogged
        if _selected(f"{schema}.{name}", include, exclude)
    ]


def names(connection: PlainConnection, include: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """Names of the tables that match, without looking into them."""
    found = (r.full_name for r in catalog.candidates(connection, via_root=True))
    return [name for name in found if _selected(name, include, exclude)]


def _selected(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    wanted = any(fnmatch.fnmatchcase(name, pattern) for pattern in include)
    return wanted and not any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude)


def _table(
    relation: Relation, table: Table, texts: Sequence[tuple[Any, ...]], options: TypeOptions
) -> TableInfo:
    codecs = table_codecs(table, options)
    return TableInfo(
        schema=relation.schema,
        name=relation.name,
        columns=tuple(
            _column(name, text, generated, table.column(name), codecs) for name, text, generated in texts
        ),
        identity=relation.identity,
        rows=relation.rows,
        size_bytes=relation.size,
        partitioned=relation.partitioned,
    )


def _column(
    name: str, text: str, generated: bool, column: Column | None, codecs: Mapping[str, ColumnCodec]
) -> ColumnInfo:
    codec = codecs.get(name)
    if column is None or codec is None:
        return ColumnInfo(name=name, type=text, generated=generated)
    return ColumnInfo(
        name=name,
        type=text,
        nullable=column.optional,
        key_position=column.key_position,
        generated=generated,
        kind=_kind(column),
        schema=codec.schema,
        emit=codec.decode,
    )


def _kind(column: Column) -> str:
    """How verify compares a column; domains by their base type."""
    facts = column.type_facts
    if facts.kind == "domain":
        if facts.base is not None and facts.base.kind == "array":
            return "array"
        return _KINDS.get(facts.base_name, "other")
    return "array" if facts.kind == "array" else _KINDS.get(column.type_name, "other")
