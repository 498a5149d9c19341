"""Generates the code that reads one Avro record: common fields are read in place. Pure, any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replicator.api.errors import DataError
from replicator.api.schema import Schema
from replicator.converters.json_logical import LOGICAL_NAMES
from replicator.converters.registry.avro_decoding import Read, bad_branch, conversion, read_long, read_text
from replicator.converters.registry.avro_model import AvroField, AvroNode
from replicator.converters.registry.avro_names import union_kind

Compile = Callable[[Schema, AvroNode], Read]


class RecordReader:
    """Generates the source of one record's reader; `value` and `present` compile the other readers."""

    def __init__(self, value: Compile, present: Compile, schema: Schema, node: AvroNode) -> None:
        self._value = value
        self._present = present
        self._schema = schema
        self._node = node
        self._bound: dict[str, Any] = {"long": read_long, "text": read_text, "bad": bad_branch}
        self._lines = ["def read(d, i):"]

    def compile(self) -> Read:
        """The reader."""
        for index, field in enumerate(self._node.fields):
            own = self._schema.field(field.name)
            if own is None:
                raise DataError(f"{field.name} is not a valid field name")
            self._field(index, own.schema, field)
        members = ", ".join(f"{f.name!r}: x{n}" for n, f in enumerate(self._node.fields))
        self._lines.append(f"    return {{{members}}}, i")
        exec("\n".join(self._lines), self._bound)
        read: Read = self._bound["read"]
        return read

    def _field(self, index: int, schema: Schema, field: AvroField) -> None:
        node = field.node
        if node.type == "union" and not union_kind(schema) and len(node.branches) == 2:
            null = next((n for n, b in enumerate(node.branches) if b.type == "null"), None)
            if null is not None:
                self._optional(index, schema, node.branches[1 - null], null)
                return
        if node.type == "union":
            self._call(index, self._value(schema, node), "    ")
        else:
            self._content(index, schema, node, "    ")

    def _optional(self, index: int, schema: Schema, node: AvroNode, null: int) -> None:
        # The branches 0 and 1 are the bytes 0 and 2.
        self._lines += [
            "    b = d[i]; i += 1",
            f"    if b == {2 * null}: x{index} = None",
            f"    elif b == {2 - 2 * null}:",
        ]
        self._content(index, schema, node, "        ")
        self._lines.append("    else: bad(b)")

    def _content(self, index: int, schema: Schema, node: AvroNode, indent: str) -> None:
        x = f"x{index}"
        if node.type in ("int", "long"):
            self._lines += [
                f"{indent}b = d[i]",
                f"{indent}if b < 128: {x} = (b >> 1) ^ -(b & 1); i += 1",
                f"{indent}else: {x}, i = long(d, i)",
            ]
            if schema.name in LOGICAL_NAMES:
                self._bound[f"C{index}"] = conversion(schema)
                self._lines.append(f"{indent}{x} = C{index}({x})")
        elif node.type == "string" and schema.name not in LOGICAL_NAMES:
            self._lines += [
                f"{indent}b = d[i]",
                f"{indent}if b < 128 and not b & 1: j = i + 1 + (b >> 1); {x} = d[i + 1:j].decode(); i = j",
                f"{indent}else: {x}, i = text(d, i)",
            ]
        else:
            self._call(index, self._present(schema, node), indent)

    def _call(self, index: int, read: Read, indent: str) -> None:
        self._bound[f"R{index}"] = read
        self._lines.append(f"{indent}x{index}, i = R{index}(d, i)")
