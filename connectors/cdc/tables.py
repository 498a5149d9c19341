"""Tables and columns as a log reader knows them at one point of the log.

Immutable values, built by the reader of a catalog or of a relation message and shared by every
thread that sees them. A changed table is a new `Table`, never a changed one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias


class Unchanged:
    """The only value of this class stands for an unchanged value the server did not send."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged()

Text: TypeAlias = "str | Unchanged | None"
"""A column value as the server prints it."""

TypeKind = Literal["base", "enum", "domain", "composite", "range", "array"]


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What the catalog says about a type beyond its name.

    Attributes:
        kind: what sort of type it is; multiranges count as "range".
        schema: schema of the type.
        oid: object id, or 0 when unknown.
        name: name of the type itself; may be empty where the column names it.
        base_oid: for domains: the innermost base type, through nested domains.
        base_name: its name.
        base_typmod: the type modifier the domains give it, or -1.
        base: facts of that base type (enums and arrays need them), or None for plain base types.
        element: for arrays: facts of the elements, with `name` filled.
        labels: for enums: the labels in their sort order.
        delimiter: for arrays: the character between elements (a semicolon for `box`).
    """

    kind: TypeKind = "base"
    schema: str = "pg_catalog"
    oid: int = 0
    name: str = ""
    base_oid: int = 0
    base_name: str = ""
    base_typmod: int = -1
    base: TypeFacts | None = None
    element: TypeFacts | None = None
    labels: tuple[str, ...] = ()
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: its name.
        type_oid: object id of its type.
        type_name: name of its type in the catalog, such as `int4`, `_int4` or `varchar`.
        typmod: type modifier, or -1.
        optional: whether it may hold NULL.
        key_position: position in the key from 1, or 0 when it is not part of it.
        generated: whether the server computes it.
        type_facts: more about the type.
        missing: text of the value that rows have which are older than the column; None for NULL.
        default: text of the column's constant default, or None.
    """

    name: str
    type_oid: int
    type_name: str
    typmod: int = -1
    optional: bool = True
    key_position: int = 0
    generated: bool = False
    type_facts: TypeFacts = field(default_factory=TypeFacts)
    missing: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns in the order in which row values come.

    Attributes:
        schema: schema of the table.
        name: its name.
        columns: columns in order.
        oid: object id, or 0 when unknown.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    oid: int = 0

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The key's columns, in key order."""
        return tuple(sorted((c for c in self.columns if c.key_position), key=lambda c: c.key_position))

    def column(self, name: str) -> Column | None:
        """The column called `name`, or None."""
        return next((c for c in self.columns if c.name == name), None)
