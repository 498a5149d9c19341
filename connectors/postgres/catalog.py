"""Tables of the source as its catalog describes them now.

Owned by the reader thread. `Relation` is what selection, publications and the copy need of every candidate
table; `Table` with its columns is read for the captured ones only. The key is the replica identity's index
where one is set, else the primary key, else a unique index that allows no NULL: a delete must carry the key.
Deferrable constraints are no keys: Postgres takes none for a replica identity and would refuse updates, and two
rows may have the same values for a while within a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from connectors.cdc.tables import Column, Table
from connectors.postgres import defaults
from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated
from connectors.postgres.pgoutput import Relation as RelationMessage
from connectors.postgres.types_catalog import TypeCatalog

_LEAVES: Final = """
WITH RECURSIVE leaves AS (
    SELECT c.oid AS root, c.oid AS leaf FROM pg_class c WHERE c.oid = ANY(%s::oid[])
    UNION ALL
    SELECT l.root, i.inhrelid FROM leaves l
      JOIN pg_class p ON p.oid = l.leaf AND p.relkind = 'p'
      JOIN pg_inherits i ON i.inhparent = l.leaf
)
"""
_CANDIDATES: Final = """
SELECT c.oid::int8, n.nspname, c.relname, c.relkind = 'p' AS partitioned, c.relispartition,
       pg_get_userbyid(c.relowner)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
   AND n.nspname NOT LIKE 'pg\\_temp%'
 ORDER BY n.nspname, c.relname
"""
_UNLOGGED: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'u' ORDER BY 1, 2
"""
_LEAF_FACTS: Final = (
    _LEAVES
    + """
SELECT l.root::int8, l.leaf::int8, greatest(c.reltuples, -1)::float8, greatest(c.relpages, 0),
       (greatest(c.relpages, 0)
         + coalesce((SELECT greatest(t.relpages, 0) FROM pg_class t WHERE t.oid = c.reltoastrelid), 0))
         * current_setting('block_size')::int8,
       CASE WHEN c.relreplident = 'f' THEN 'full'
            WHEN c.relreplident = 'i' AND EXISTS
                (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indimmediate AND x.indisreplident) THEN 'index'
            WHEN c.relreplident = 'd' AND EXISTS
                (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indimmediate AND x.indisprimary) THEN 'key'
            ELSE 'none' END
  FROM leaves l JOIN pg_class c ON c.oid = l.leaf WHERE c.relkind = 'r'
"""
)
_LEAF_NAMES: Final = """
SELECT c.oid::int8, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = ANY(%s::oid[]) ORDER BY c.oid
"""
_FILES: Final = (
    _LEAVES
    + """
SELECT l.root::int8, l.leaf::int8, c.relfilenode::int8
  FROM leaves l JOIN pg_class c ON c.oid = l.leaf WHERE c.relkind = 'r'
"""
)
_COLUMNS: Final = """
SELECT a.attrelid::int8, a.attname, a.atttypid::int8, a.atttypmod, a.attnotnull, a.attgenerated::text <> '',
       coalesce((SELECT array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) FROM pg_index i
          WHERE i.indexrelid = chosen.oid), 0),
       CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END,
       pg_get_expr(d.adbin, d.adrelid),
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
            ELSE format_type(a.atttypid, a.atttypmod) END
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
  LEFT JOIN LATERAL (
       SELECT i.indexrelid AS oid FROM pg_index i
        WHERE i.indrelid = a.attrelid AND i.indisvalid AND i.indpred IS NULL
          AND i.indimmediate AND (i.indisprimary OR i.indisreplident OR (i.indisunique AND i.indexprs IS NULL
               AND NOT EXISTS (SELECT FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) AS k
                   JOIN pg_attribute ka ON ka.attrelid = i.indrelid AND ka.attnum = k AND NOT ka.attnotnull)))
        ORDER BY i.indisreplident AND (SELECT relreplident = 'i' FROM pg_class WHERE oid = a.attrelid) DESC,
                 i.indisprimary DESC, i.indexrelid
        LIMIT 1) chosen ON true
 WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY(%s::oid[])
 ORDER BY a.attrelid, a.attnum
"""

Files = frozenset[tuple[int, int]]
"""(table, file) of each leaf: another set means that the table was rewritten or its partitions changed."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A candidate for capture.

    Attributes:
        oid, schema, name: which table.
        partitioned: whether it is a partitioned table (its rows are in leaves).
        partition: whether it is a partition of another table.
        owner: role that owns it.
        leaves: object ids of the tables that hold its rows.
        identity: weakest replica identity among the leaves: key, index, full or none.
        rows: estimated number of rows, -1 when never analysed.
        pages: blocks of the heap, as last analysed (nothing here waits for a table's lock).
        size: bytes of heap and TOAST, as last analysed.
    """

    oid: int
    schema: str
    name: str
    partitioned: bool = False
    partition: bool = False
    owner: str = ""
    leaves: tuple[int, ...] = ()
    identity: str = "key"
    rows: int = -1
    pages: int = 0
    size: int = 0

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def has_identity(self) -> bool:
        """Whether updates and deletes may be published (C4)."""
        return self.identity != "none"


def candidates(connection: PlainConnection, *, via_root: bool) -> list[Relation]:
    """Every table that could be captured: roots of partitioned tables, or their leaves."""
    with translated("listing tables"):
        rows = connection.execute(_CANDIDATES).fetchall()
    found = [Relation(*row) for row in rows]
    if via_root:
        return [r for r in found if not r.partition]
    return [r for r in found if not r.partitioned]


def unlogged(connection: PlainConnection) -> list[tuple[str, str]]:
    """Schema and name of tables that are not in the log at all and can never be captured."""
    with translated("listing unlogged tables"):
        return [(row[0], row[1]) for row in connection.execute(_UNLOGGED)]


def with_leaves(connection: PlainConnection, relations: Sequence[Relation]) -> list[Relation]:
    """The relations with the facts that come from their leaves."""
    with translated("reading sizes and identities of tables"):
        rows = connection.execute(_LEAF_FACTS, [[r.oid for r in relations]]).fetchall()
    by_root: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_root.setdefault(row[0], []).append(row)
    return [_joined(r, by_root.get(r.oid, [])) for r in relations]


def leaf_tables(connection: PlainConnection, relation: Relation) -> list[Relation]:
    """The tables that hold a partitioned table's rows, each as a relation of its own."""
    with translated("listing partitions"):
        rows = connection.execute(_LEAF_NAMES, [list(relation.leaves)]).fetchall()
    return with_leaves(connection, [Relation(*row) for row in rows])


_WEAKEST_FIRST: Final = ("none", "index", "full", "key")


def _joined(relation: Relation, leaves: list[tuple[Any, ...]]) -> Relation:
    identities = {leaf[5] for leaf in leaves} or {"key"}
    known = [leaf[2] for leaf in leaves if leaf[2] >= 0]
    return replace(
        relation,
        leaves=tuple(leaf[1] for leaf in leaves),
        identity=next(i for i in _WEAKEST_FIRST if i in identities),
        rows=int(sum(known)) if known or not leaves else -1,
        pages=sum(leaf[3] for leaf in leaves),
        size=sum(leaf[4] for leaf in leaves),
    )


def files(connection: PlainConnection, oids: Iterable[int]) -> dict[int, Files]:
    """The files that hold each table's rows, as the connection's snapshot sees them."""
    with translated("reading the tables' files"):
        rows = connection.execute(_FILES, [list(oids)]).fetchall()
    found: dict[int, set[tuple[int, int]]] = {}
    for root, leaf, node in rows:
        found.setdefault(root, set()).add((leaf, node))
    return {root: frozenset(nodes) for root, nodes in found.items()}


def tables(
    connection: PlainConnection, types: TypeCatalog, relations: Sequence[Relation]
) -> dict[int, Table]:
    """Tables with their columns as of now, by object id; generated columns are left out (C6)."""
    with translated("reading columns"):
        rows = connection.execute(_COLUMNS, [[r.oid for r in relations]]).fetchall()
    types.load(connection, {row[2] for row in rows})
    constants = defaults.texts(connection, {(row[0], row[1]): (row[8], row[9]) for row in rows if row[8]})
    columns: dict[int, list[Column]] = {}
    for oid, name, type_oid, typmod, not_null, generated, position, missing, *_ in rows:
        if not generated:
            column = _column(types, name, type_oid, typmod, optional=not not_null, key_position=position)
            default = constants.get((oid, name))
            columns.setdefault(oid, []).append(replace(column, missing=missing, default=default))
    return {r.oid: Table(r.schema, r.name, tuple(columns.get(r.oid, ())), r.oid) for r in relations}


def table_of(connection: PlainConnection, types: TypeCatalog, message: RelationMessage) -> Table:
    """The table a relation message describes, completed from the catalog.

    The message speaks of the past, the catalog of now. Columns, types and (under the default identity or an
    index) the key's columns are the message's; the catalog gives nullability, the key's order and, where
    the message cannot know it, the key. A table that was dropped since has optional columns.
    """
    now = tables(connection, types, [Relation(message.oid, message.schema, message.name)])[message.oid]
    types.load(connection, {c.type_oid for c in message.columns})
    positions = _key_positions(message, now)
    columns = []
    for c in message.columns:
        known = now.column(c.name)
        same = known is not None and known.type_oid == c.type_oid
        optional = True if known is None or not same else known.optional
        column = _column(
            types,
            c.name,
            c.type_oid,
            c.typmod,
            optional=optional and c.name not in positions,
            key_position=positions.get(c.name, 0),
        )
        if known is not None and same:
            column = replace(column, missing=known.missing, default=known.default)
        columns.append(column)
    return Table(message.schema, message.name, tuple(columns), message.oid)


def _key_positions(message: RelationMessage, now: Table) -> dict[str, int]:
    present = [c.name for c in message.columns]
    flagged = [c.name for c in message.columns if c.is_key]
    ordered = [c.name for c in now.key_columns if c.name in present]
    if message.identity in ("d", "i") and flagged and set(flagged) != set(ordered):
        ordered = flagged
    return {name: i for i, name in enumerate(ordered, 1)}


def _column(
    types: TypeCatalog, name: str, type_oid: int, typmod: int, *, optional: bool, key_position: int
) -> Column:
    return Column(
        name=name,
        type_oid=type_oid,
        type_name=types.name(type_oid),
        typmod=typmod,
        optional=optional,
        key_position=key_position,
        type_facts=types.facts(type_oid),
    )
