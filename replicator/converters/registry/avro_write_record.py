"""Generates the code that writes one Avro record, with one look at each field. Pure, any thread."""

from __future__ import annotations

from typing import Any, Protocol

from replicator.api.schema import Field, Schema
from replicator.converters.registry.avro_model import AvroField, AvroNode
from replicator.converters.registry.avro_names import union_kind
from replicator.converters.registry.avro_scalars import (
    CACHED,
    RANGES,
    SMALL,
    Write,
    fields_of,
    marked,
    varint,
)


class Compiler(Protocol):
    """What the record needs of the compiler of all types."""

    def scrub(self, name: str) -> str:
        """A field's name in Avro."""
        ...

    def value(self, schema: Schema | None, node: AvroNode) -> Write:
        """The writer of values, null included."""
        ...

    def plain(self, schema: Schema, node: AvroNode) -> str | None:
        """The kind of straight code that writes such values, if there is one."""
        ...

    def field_default(self, one: AvroField, name: str) -> bytes:
        """The bytes of a field that our schema lacks."""
        ...


class RecordWriter:
    """Generates the source of one record's writer."""

    def __init__(self, compiler: Compiler, schema: Schema, node: AvroNode) -> None:
        self.compiler = compiler
        self.schema = schema
        self.node = node
        self.bound: dict[str, Any] = {"varint": varint, "fields_of": fields_of}
        self.lines = [
            "def write(a, v):",
            "    if type(v) is not dict: v = fields_of(v)",
            "    get = v.get",
        ]

    def compile(self) -> Write:
        """The writer."""
        ours = {self.compiler.scrub(f.name): f for f in self.schema.fields}
        for index, field in enumerate(self.node.fields):
            own = ours.get(field.name)
            if own is None:
                self.bound[f"B{index}"] = self.compiler.field_default(field, field.name)
                self.lines.append(f"    a(B{index})")
            else:
                self._field(index, own, field.node)
        if len(self.lines) == 3:
            self.lines.append("    return")
        exec("\n".join(self.lines), self.bound)
        write: Write = self.bound["write"]
        return write

    def _field(self, index: int, field: Field, node: AvroNode) -> None:
        kind = self._straight(field, node)
        if kind is None:
            write = self.compiler.value(field.schema, node)
            self.bound[f"W{index}"] = write
            self.lines.append(f"    W{index}(a, get({field.name!r}))")
            return
        # What is not plain goes to the general function, which also raises.
        mark = b""
        if node.type == "union":
            mark = SMALL[next(i for i, b in enumerate(node.branches) if b.type != "null")]
        table = f"Z{mark.hex()}"
        self.bound[table] = marked(mark)
        self.bound[f"W{index}"] = self.compiler.value(field.schema, node)
        self.lines.append(f"    x = get({field.name!r})")
        if kind == "text":
            self.lines.append("    if type(x) is str:")
            self.lines.append("        b = x.encode(); n = len(b)")
            self.lines.append(f"        a(({table}[n] if n < {CACHED} else {mark!r} + varint(n)) + b)")
        else:
            low, high = RANGES[field.schema.type]
            self.lines.append(f"    if type(x) is int and {low} <= x < {high}:")
            self.lines.append(f"        a({table}[x] if {-CACHED} <= x < {CACHED} else {mark!r} + varint(x))")
        self.lines.append(f"    else: W{index}(a, x)")

    def _straight(self, field: Field, node: AvroNode) -> str | None:
        if node.type == "union":
            branches = [b for b in node.branches if b.type != "null"]
            if len(branches) != 1 or union_kind(field.schema):
                return None
            node = branches[0]
        expected = {"integer": ("int", "long"), "text": ("string",)}
        kind = self.compiler.plain(field.schema, node)
        return kind if kind is not None and node.type in expected[kind] else None
