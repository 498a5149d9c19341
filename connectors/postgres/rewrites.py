"""What DDL did to rows without an event: columns renamed or filled, types changed, partitions attached with rows.

Logical decoding hands out rows that change one by one; ALTER TABLE changes all of them at once and tells only the
new columns. The watch thread compares the catalog with what it was at the last look. What it knows and what it found is
stored among the connector's offsets, so that changes made while nothing ran are found at the next start; without it the
first look learns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql

from connectors.postgres import catalog
from connectors.postgres.catalog import Files, Relation
from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated

_COLUMNS: Final = """
SELECT attrelid::int8, attnum, attname, format_type(atttypid, atttypmod),
       (atthasdef OR attidentity::text <> '') AND NOT atthasmissing
  FROM pg_attribute
 WHERE attrelid = ANY(%s::oid[]) AND attnum > 0 AND NOT attisdropped AND attgenerated::text = ''
"""
_ATTACHED: Final = """
SELECT n.nspname, c.relname, (SELECT min(age(i.xmin)) FROM pg_inherits i
         WHERE i.inhrelid IN (SELECT relid FROM pg_partition_ancestors(c.oid)) OR i.inhrelid = c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = ANY(%s::oid[]) AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
"""
_OLDER_ROWS: Final = "SELECT bool_or(age(x) > {}) FROM (SELECT xmin AS x FROM ONLY {} LIMIT 1000) AS first"
_STORED: Final = "tables"
_WIDENINGS: Final = frozenset(
    {("smallint", "integer"), ("smallint", "bigint"), ("integer", "bigint"), ("real", "double precision")}
)
"""Changes of type that rewrite a table and keep its values."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A table as of the last look: columns by number (name, type, default that fills rows), and its files."""

    columns: dict[int, tuple[str, str, bool]]
    files: Files


class Rewrites:
    """Remembers the tables' columns and files, and what it found until the table is copied anew."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        """Begin with what was stored, if anything was."""
        self._known: dict[int, _Known] = {}
        self._found: dict[str, dict[str, None]] = {}
        if stored:
            self._load(json.loads(stored[_STORED]))
        self._stored = self.to_map()

    def _load(self, stored: Mapping[str, Any]) -> None:
        for oid, (columns, files) in stored["known"].items():
            facts = {int(number): (name, type_, filled) for number, name, type_, filled in columns}
            self._known[int(oid)] = _Known(facts, frozenset((leaf, file) for leaf, file in files))
        self._found = {name: dict.fromkeys(sentences) for name, sentences in stored["found"].items()}

    def to_map(self) -> dict[str, Any]:
        """As stored."""
        known = {
            oid: [[[n, *facts] for n, facts in sorted(k.columns.items())], sorted(k.files)]
            for oid, k in sorted(self._known.items())
        }
        found = {name: list(sentences) for name, sentences in self._found.items() if sentences}
        return {_STORED: json.dumps({"known": known, "found": found}, separators=(",", ":"))}

    def to_store(self) -> dict[str, Any] | None:
        """What is to be stored, if it differs from what was."""
        now = self.to_map()
        if now == self._stored:
            return None
        self._stored = now
        return now

    def inspect(self, connection: PlainConnection, relations: Sequence[Relation]) -> list[str]:
        """Sentences about tables whose rows in the target are not those of the source any more."""
        columns = _columns(connection, [r.oid for r in relations])
        files = catalog.files(connection, [r.oid for r in relations])
        self._known = {r.oid: self._known[r.oid] for r in relations if r.oid in self._known}
        names = {r.full_name for r in relations}
        self._found = {name: said for name, said in self._found.items() if name in names}
        for relation in relations:
            now = _Known(columns.get(relation.oid, {}), files.get(relation.oid, frozenset()))
            before = self._known.get(relation.oid)
            self._known[relation.oid] = now
            if before is None or before == now:
                continue
            found = [*_changed_columns(relation.full_name, before, now)]
            if relation.partitioned:
                found += _attached(connection, relation.full_name, before, now)
            self._found.setdefault(relation.full_name, {}).update(dict.fromkeys(found))
        return [sentence for table in self._found.values() for sentence in table]

    def copied(self, names: Iterable[str]) -> None:
        """These tables were copied anew."""
        for name in names:
            self._found.pop(name, None)


def _columns(connection: PlainConnection, oids: list[int]) -> dict[int, dict[int, tuple[str, str, bool]]]:
    with translated("looking at columns"):
        rows = connection.execute(_COLUMNS, [oids]).fetchall()
    found: dict[int, dict[int, tuple[str, str, bool]]] = {}
    for oid, number, name, type_text, filled in rows:
        found.setdefault(oid, {})[number] = (name, type_text, filled)
    return found


def _changed_columns(table: str, before: _Known, now: _Known) -> list[str]:
    rewritten = bool(before.files and before.files.isdisjoint(now.files))
    said = []
    for number, (name, type_text, filled) in now.columns.items():
        if number not in before.columns:
            if filled and rewritten:
                said.append(f"Column {name} was added to {table} with a computed default: older rows")
            continue
        old_name, old_type, _ = before.columns[number]
        if old_name != name:
            said.append(f"Column {old_name} of {table} was renamed {name}: older rows")
        if rewritten and old_type != type_text and (old_type, type_text) not in _WIDENINGS:
            said.append(
                f"Column {name} of {table} changed from {old_type} to {type_text}: values that it changed in older rows"
            )
    return [
        f"{part} are not in the log and the target lacks them. Copy the table anew: replicator recopy --tables {table}"
        for part in said
    ]


def _attached(connection: PlainConnection, table: str, before: _Known, now: _Known) -> list[str]:
    known = {leaf for leaf, _ in before.files}
    new = [leaf for leaf, _ in now.files if leaf not in known]
    if not new:
        return []
    said = []
    with translated("looking at attached partitions"), connection.transaction():
        # A look at rows waits for nobody's ALTER TABLE.
        connection.execute("SET LOCAL lock_timeout = '1s'")
        for schema, name, age in connection.execute(_ATTACHED, [new]).fetchall():
            query = sql.SQL(_OLDER_ROWS).format(sql.Literal(age), sql.Identifier(schema, name))
            row = connection.execute(query).fetchone()
            if row and row[0]:
                said.append(
                    f"Partition {schema}.{name} was attached to {table} with rows: they are not in the log and the "
                    f"target lacks them. Copy the table anew: replicator recopy --tables {table}"
                )
    return said
