"""Facts about Postgres types, read from pg_type when a table first uses them.

Owned by the reader thread, with one catalog connection. Enum labels can grow at any time, so facts are kept
only until `forget` is called (at each reconnect and each change of a table).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from connectors.cdc.tables import TypeFacts, TypeKind
from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated

_TYPES: Final = """
SELECT t.oid::int8, t.typname, n.nspname, t.typtype::text, t.typbasetype::int8, t.typtypmod, t.typelem::int8,
       EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid), t.typdelim::text,
       CASE WHEN t.typtype = 'e' THEN
            (SELECT array_agg(l.enumlabel::text ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid)
       END
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.oid = ANY(%s::oid[])
"""
_KINDS: Final[dict[str, TypeKind]] = {
    "e": "enum", "d": "domain", "c": "composite", "r": "range", "m": "range",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    oid: int
    name: str
    schema: str
    type: str
    base: int
    typmod: int
    element: int
    is_array: bool
    delimiter: str
    labels: tuple[str, ...]


class TypeCatalog:
    """Types by object id."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._facts: dict[int, TypeFacts] = {}

    def forget(self) -> None:
        """Read every type anew when it is next asked for."""
        self._rows.clear()
        self._facts.clear()

    def load(self, connection: PlainConnection, oids: Iterable[int]) -> None:
        """Read the types that are not known yet, with those they are made of."""
        wanted = {oid for oid in oids if oid and oid not in self._rows}
        while wanted:
            with translated("reading types"):
                rows = connection.execute(_TYPES, [sorted(wanted)]).fetchall()
            found = [_row(row) for row in rows]
            self._rows.update((r.oid, r) for r in found)
            parts = {oid for r in found for oid in (r.base, r.element if r.is_array else 0)}
            wanted = {oid for oid in parts if oid and oid not in self._rows}

    def name(self, oid: int) -> str:
        """Name of a type; a dropped type has none and is called unknown."""
        row = self._rows.get(oid)
        return row.name if row is not None else "unknown"

    def facts(self, oid: int) -> TypeFacts:
        """Facts of a loaded type."""
        facts = self._facts.get(oid)
        if facts is None:
            facts = self._facts[oid] = self._build(oid)
        return facts

    def _build(self, oid: int) -> TypeFacts:
        row = self._rows.get(oid)
        if row is None:
            return TypeFacts(oid=oid, name="unknown")
        if row.type == "d":
            return self._domain(row)
        kind: TypeKind = "array" if row.is_array else _KINDS.get(row.type, "base")
        element = self.facts(row.element) if row.is_array else None
        return TypeFacts(
            kind=kind,
            schema=row.schema,
            oid=row.oid,
            name=row.name,
            element=element,
            labels=row.labels,
            delimiter=row.delimiter,
        )

    def _domain(self, row: _Row) -> TypeFacts:
        typmod, inner = row.typmod, self._rows.get(row.base)
        while inner is not None and inner.type == "d":
            typmod = inner.typmod if typmod == -1 else typmod
            inner = self._rows.get(inner.base)
        base = self.facts(inner.oid) if inner is not None else None
        return TypeFacts(
            kind="domain",
            schema=row.schema,
            oid=row.oid,
            name=row.name,
            base_oid=inner.oid if inner is not None else 0,
            base_name=inner.name if inner is not None else "",
            base_typmod=typmod,
            base=base if base is not None and base.kind != "base" else None,
            delimiter=row.delimiter,
        )


def _row(row: tuple[Any, ...]) -> _Row:
    oid, name, schema, type_, base, typmod, element, is_array, delimiter, labels = row
    return _Row(oid, name, schema, type_, base, typmod, element, is_array, delimiter, tuple(labels or ()))
