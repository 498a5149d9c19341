"""Avro schemas as a tree. Pure, any thread.

Named types are one node however often they are used, so a recursive schema is a graph.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from replicator.api.errors import SchemaError

PRIMITIVES: Final = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
NAMED: Final = frozenset(("record", "error", "enum", "fixed"))
MISSING: Final = object()
"""Stands for a default that is not there."""


@dataclass(eq=False, slots=True)
class AvroField:
    """A field of a record; `default` is the JSON value or MISSING."""

    name: str
    node: AvroNode
    default: Any = MISSING
    doc: str | None = None
    order: str | None = None
    aliases: tuple[str, ...] = ()
    props: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class AvroNode:
    """One type.

    Attributes:
        type: its kind; `union` for unions.
        name: full name of a record, enum or fixed.
        fields: of a record.
        inner: element of an array, value of a map.
        branches: of a union.
        symbols: of an enum.
        size: of a fixed.
        props: members that Avro does not know, and logicalType, scale and precision.
    """

    type: str
    name: str | None = None
    doc: str | None = None
    aliases: tuple[str, ...] = ()
    fields: list[AvroField] = field(default_factory=list)
    inner: AvroNode | None = None
    branches: list[AvroNode] = field(default_factory=list)
    symbols: tuple[str, ...] = ()
    default: str | None = None
    size: int = 0
    props: dict[str, Any] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """The name without its namespace."""
        return (self.name or "").rpartition(".")[2]

    def field_named(self, name: str) -> AvroField | None:
        """The record's field of this name."""
        return next((f for f in self.fields if f.name == name), None)

    def content(self) -> AvroNode:
        """The contained type.

        Raises:
            SchemaError: there is none.
        """
        if self.inner is None:
            raise SchemaError(f"An Avro {self.type} does not say what it contains")
        return self.inner
