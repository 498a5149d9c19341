"""What a Postgres database holds: tables, columns, keys and replica identities, in two queries.

Read by the command line (preflight, verify); the streaming task reads one table at a time through
`catalog.py`. Partitioned tables appear as their root; the identity of a root is the weakest of its
leaves, because each leaf publishes for itself (C4).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import Any

import psycopg

from replicator.api.database import ColumnInfo, TableInfo

_TABLES = """
WITH RECURSIVE leaves AS (
    SELECT c.oid AS root, c.oid AS leaf FROM pg_class c
    UNION ALL
    SELECT l.root, i.inhrelid FROM leaves l JOIN pg_inherits i ON i.inhparent = l.leaf
      JOIN pg_class p ON p.oid = l.leaf AND p.relkind = 'p'
)
SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', c.relpersistence,
       (SELECT sum(greatest(lc.reltuples, -1)) FROM leaves l JOIN pg_class lc ON lc.oid = l.leaf
         WHERE l.root = c.oid AND lc.relkind = 'r'),
       (SELECT sum(pg_total_relation_size(l.leaf)) FROM leaves l WHERE l.root = c.oid),
       (SELECT string_agg(DISTINCT CASE
            WHEN lc.relreplident = 'f' THEN 'full'
            WHEN lc.relreplident = 'i' AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = lc.oid AND x.indisreplident)
                THEN 'index'
            WHEN lc.relreplident = 'd' AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = lc.oid AND x.indisprimary)
                THEN 'key'
            ELSE 'none' END, ',')
          FROM leaves l JOIN pg_class lc ON lc.oid = l.leaf WHERE l.root = c.oid AND lc.relkind = 'r')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
   AND n.nspname NOT LIKE 'pg\\_temp%'
 ORDER BY n.nspname, c.relname
"""

_COLUMNS = """
WITH RECURSIVE base(oid, typname, typtype, typelem, typbasetype, typcategory, root) AS (
    SELECT t.oid, t.typname, t.typtype, t.typelem, t.typbasetype, t.typcategory, t.oid FROM pg_type t
    UNION ALL
    SELECT t.oid, t.typname, t.typtype, t.typelem, t.typbasetype, t.typcategory, b.root
      FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
       b.typname, b.typtype, b.typcategory,
       coalesce((SELECT array_position(i.indkey::int2[], a.attnum) + 1 FROM pg_index i
          WHERE i.indrelid = a.attrelid AND i.indisprimary), 0),
       coalesce((SELECT array_position(i.indkey::int2[], a.attnum) + 1 FROM pg_index i
          WHERE i.indrelid = a.attrelid AND i.indisreplident), 0)
  FROM pg_attribute a JOIN base b ON b.root = a.atttypid AND b.typtype <> 'd'
 WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY(%s)
 ORDER BY a.attrelid, a.attnum
"""

_KINDS = {
    "bool": "bool", "int2": "int", "int4": "int", "int8": "int", "oid": "int", "xid": "int", "cid": "int",
    "numeric": "numeric", "money": "numeric", "float4": "float4", "float8": "float8",
    "text": "text", "varchar": "text", "name": "text", "citext": "text", "bpchar": "bpchar", "bytea": "bytes",
    "date": "date", "time": "time", "timestamp": "timestamp", "timestamptz": "timestamptz",
    "json": "json", "jsonb": "jsonb", "hstore": "hstore", "interval": "interval", "uuid": "uuid",
    "bit": "bit", "varbit": "varbit",
}  # fmt: skip


def kind_of(typname: str, category: str) -> str:
    """How verify compares a column of this (base) type; see `ColumnInfo.kind`."""
    if category == "A":
        return "array"
    return _KINDS.get(typname, "other")


def read(connection: psycopg.Connection[Any], include: Sequence[str], exclude: Sequence[str]) -> list[TableInfo]:
    """Tables matching the `schema.table` globs, with their columns (schemas not filled in)."""
    chosen = [
        row for row in connection.execute(_TABLES).fetchall()
        if _selected(f"{row[1]}.{row[2]}", include, exclude)
    ]
    columns: dict[int, list[tuple[Any, ...]]] = {}
    for row in connection.execute(_COLUMNS, [[row[0] for row in chosen]]).fetchall():
        columns.setdefault(row[0], []).append(row)
    return [_table(row, columns.get(row[0], [])) for row in chosen]


def _selected(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    wanted = any(fnmatch.fnmatchcase(name, pattern) for pattern in include)
    return wanted and not any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude)


def _table(row: tuple[Any, ...], columns: list[tuple[Any, ...]]) -> TableInfo:
    _oid, schema, name, partitioned, persistence, tuples, size, identities = row
    identity = _weakest(identities)
    position = 9 if identity == "index" or not any(c[8] for c in columns) else 8
    return TableInfo(
        schema=schema,
        name=name,
        columns=tuple(
            ColumnInfo(
                name=c[1], type=c[2], nullable=not c[3], generated=c[4], key_position=c[position],
                kind=kind_of(c[5], c[7]),
            )
            for c in columns
        ),
        identity=identity,
        rows=-1 if tuples is None or tuples < 0 else int(tuples),
        size_bytes=int(size or 0),
        partitioned=partitioned,
        unlogged=persistence == "u",
    )


def _weakest(identities: str | None) -> str:
    """The identity all leaves offer; a root without leaves publishes nothing yet and counts as keyed."""
    found = set((identities or "key").split(","))
    for weak in ("none", "index", "full"):
        if weak in found:
            return weak
    return "key"
