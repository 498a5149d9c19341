"""Compiles (Avro type, Connect schema) into a function from Avro's binary form to Connect values.

A reader takes the bytes and a position and gives the value and the position after it. Records become
generated straight code that reads common fields in place, so nothing is converted a second time. Bytes
that end too early are noticed once at the end, or by an index error before (INV-7).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.logical import DECIMAL
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, decoder
from replicator.converters.registry.avro_model import AvroField, AvroNode
from replicator.converters.registry.avro_names import ANYTHING, union_kind

Read = Callable[[bytes, int], tuple[Any, int]]

_BROKEN: Final = (IndexError, UnicodeDecodeError, struct.error, OverflowError, RecursionError)
_MOST_EMPTY_ITEMS: Final = 1_000_000
_FLOAT: Final = struct.Struct("<f").unpack_from
_DOUBLE: Final = struct.Struct("<d").unpack_from


class AvroReader:
    """Reads values of one Avro schema."""

    def __init__(self, node: AvroNode, schema: Schema | None) -> None:
        self._read = _Anything(node).value if schema is None else _ReadCompiler().value(schema, node)
        struct_ = schema is not None and schema.type is SchemaType.STRUCT and not union_kind(schema)
        self._wrap = schema if struct_ else None

    def read(self, data: bytes, start: int) -> Any:
        """The value that begins at `start`.

        Raises:
            DataError: the bytes are not of this schema.
        """
        try:
            value, end = self._read(data, start)
        except _BROKEN as error:
            raise DataError(
                f"Error deserializing Avro message: {str(error) or type(error).__name__}"
            ) from error
        if end > len(data):
            raise DataError("Error deserializing Avro message: the message ends too early")
        return Struct(self._wrap, value) if self._wrap is not None and value is not None else value


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """An integer of up to 64 bits."""
    made = shift = 0
    while True:
        byte = data[at]
        at += 1
        made |= (byte & 127) << shift
        if byte < 128:
            return (made >> 1) ^ -(made & 1), at
        shift += 7
        if shift > 63:
            raise DataError("Error deserializing Avro message: Invalid long encoding")


def _size(data: bytes, at: int) -> tuple[int, int]:
    size, at = read_long(data, at)
    if size < 0:
        raise DataError(f"Error deserializing Avro message: Malformed data. Length is negative: {size}")
    if size > len(data) - at:
        raise DataError("Error deserializing Avro message: the message ends too early")
    return size, at


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """A string."""
    size, at = _size(data, at)
    return data[at : at + size].decode(), at + size


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """A byte string."""
    size, at = _size(data, at)
    return data[at : at + size], at + size


def _read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    byte = data[at]
    if byte > 1:
        raise DataError(f"Error deserializing Avro message: {byte} is no boolean")
    return byte == 1, at + 1


def _read_float(data: bytes, at: int) -> tuple[float, int]:
    return _FLOAT(data, at)[0], at + 4


def _read_double(data: bytes, at: int) -> tuple[float, int]:
    return _DOUBLE(data, at)[0], at + 8


def _read_null(data: bytes, at: int) -> tuple[None, int]:
    return None, at


_PLAIN: Final[dict[str, Read]] = {
    "null": _read_null,
    "boolean": _read_boolean,
    "int": read_long,
    "long": read_long,
    "float": _read_float,
    "double": _read_double,
    "string": read_text,
    "bytes": read_bytes,
}


def bad_branch(index: int) -> Any:
    """Raise: a union has no such branch."""
    raise DataError(f"Error deserializing Avro message: a union has no branch {index}")


class _ReadCompiler:
    """Compiles readers; keeps those of records."""

    def __init__(self) -> None:
        self._records: dict[tuple[int, int], tuple[AvroNode, Schema, Read]] = {}

    def value(self, schema: Schema, node: AvroNode) -> Read:
        """The reader of values, null included; structs come as dicts."""
        if node.type != "union":
            return self.present(schema, node)
        if union_kind(schema):
            return self._union(schema, node)
        readers = [_read_null if b.type == "null" else self.present(schema, b) for b in node.branches]

        def read(data: bytes, at: int) -> tuple[Any, int]:
            index, at = read_long(data, at)
            return readers[index](data, at) if 0 <= index < len(readers) else bad_branch(index)

        return read

    def member(self, schema: Schema, node: AvroNode) -> Read:
        """The same for members of lists and maps, where structs come as Struct."""
        read = self.value(schema, node)
        if schema.type is not SchemaType.STRUCT or union_kind(schema):
            return read

        def wrapped(data: bytes, at: int) -> tuple[Any, int]:
            value, at = read(data, at)
            return Struct(schema, value) if value is not None else None, at

        return wrapped

    def present(self, schema: Schema, node: AvroNode) -> Read:
        """The reader of values that are not null."""
        if node.type == "record":
            return self._record(schema, node)
        if node.type == "array":
            return self._array(schema, node)
        if node.type == "map":
            if schema.value_schema is None:
                raise DataError("Map schema did not specify the value type")
            return _blocks(self._pair(read_text, self.member(schema.value_schema, node.content())), dict)
        if node.type == "enum":
            return _enum(node)
        read = _fixed(node.size) if node.type == "fixed" else _PLAIN[node.type]
        return _converted(read, conversion(schema)) if schema.name in LOGICAL_NAMES else read

    def _record(self, schema: Schema, node: AvroNode) -> Read:
        if node.name == ANYTHING:
            return _Anything(node).value
        known = self._records.get((id(node), id(schema)))
        if known is None:
            read = _RecordSource(self, schema, node).compile()
            known = self._records[id(node), id(schema)] = (node, schema, read)
        return known[2]

    def _array(self, schema: Schema, node: AvroNode) -> Read:
        element = node.content()
        if schema.type is not SchemaType.MAP:
            if schema.value_schema is None:
                raise DataError("Array schema did not specify the element type")
            return _blocks(self.member(schema.value_schema, element), list)
        if schema.key_schema is None or schema.value_schema is None or len(element.fields) != 2:
            raise DataError("Found map encoded as array of key-value pairs, but it has no key or value")
        key, value = element.fields
        if key.name != "key":
            raise DataError("Found map encoded as array of key-value pairs, but its key is not first")
        pair = self._pair(
            self.member(schema.key_schema, key.node), self.member(schema.value_schema, value.node)
        )
        return _blocks(pair, dict)

    def _pair(self, key: Read, value: Read) -> Read:
        def read(data: bytes, at: int) -> tuple[Any, int]:
            one, at = key(data, at)
            other, at = value(data, at)
            return (one, other), at

        return read

    def _union(self, schema: Schema, node: AvroNode) -> Read:
        members = iter(schema.fields)
        branches: list[tuple[Field, Read] | None] = []
        for branch in node.branches:
            field = None if branch.type == "null" else next(members)
            branches.append(None if field is None else (field, self.present(field.schema, branch)))

        def read(data: bytes, at: int) -> tuple[Any, int]:
            index, at = read_long(data, at)
            if not 0 <= index < len(branches):
                return bad_branch(index)  # type: ignore[no-any-return]
            branch = branches[index]
            if branch is None:
                return None, at
            value, at = branch[1](data, at)
            return Struct(schema, {branch[0].name: value}), at

        return read


def _converted(read: Read, convert: Callable[[Any], Any]) -> Read:
    def converted(data: bytes, at: int) -> tuple[Any, int]:
        value, at = read(data, at)
        return convert(value), at

    return converted


def _enum(node: AvroNode) -> Read:
    symbols = node.symbols

    def read(data: bytes, at: int) -> tuple[str, int]:
        index, at = read_long(data, at)
        if not 0 <= index < len(symbols):
            raise DataError(f"Error deserializing Avro message: the enum {node.name} has no symbol {index}")
        return symbols[index], at

    return read


def _fixed(size: int) -> Read:
    return lambda data, at: (data[at : at + size], at + size)


def _blocks(item: Read, make: Callable[[list[Any]], Any]) -> Read:
    """Lists and maps come in blocks, each with its count and perhaps its size in bytes."""

    def read(data: bytes, at: int) -> tuple[Any, int]:
        found: list[Any] = []
        while True:
            count, at = read_long(data, at)
            if count == 0:
                return (found if make is list else make(found)), at
            if count < 0:
                count = -count
                _, at = read_long(data, at)
            if count > max(len(data), _MOST_EMPTY_ITEMS):
                raise DataError(f"Error deserializing Avro message: a block of {count} items")
            for _ in range(count):
                one, at = item(data, at)
                found.append(one)

    return read


def conversion(schema: Schema) -> Callable[[Any], Any]:
    """From the base type of a logical schema to its Python object."""
    if schema.name != DECIMAL:
        return decoder(schema)
    scale = int(schema.parameters.get("scale", "0"))

    def decimal(value: bytes) -> Decimal:
        unscaled = int.from_bytes(value, "big", signed=True)
        return Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -scale))

    return decimal


class _RecordSource:
    """Generates the source of one record's reader."""

    def __init__(self, compiler: _ReadCompiler, schema: Schema, node: AvroNode) -> None:
        self._compiler = compiler
        self._schema = schema
        self._node = node
        self._bound: dict[str, Any] = {"long": read_long, "text": read_text, "bad": bad_branch}
        self._lines = ["def read(d, i):"]

    def compile(self) -> Read:
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
            self._call(index, self._compiler.value(schema, node), "    ")
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
            self._call(index, self._compiler.present(schema, node), indent)

    def _call(self, index: int, read: Read, indent: str) -> None:
        self._bound[f"R{index}"] = read
        self._lines.append(f"{indent}x{index}, i = R{index}(d, i)")


class _Anything:
    """Reads schemaless data out of the record with one field per kind."""

    def __init__(self, node: AvroNode) -> None:
        if node.name != ANYTHING:
            raise DataError("Invalid Avro data for schemaless Connect data")
        entries = _blocks(self._entry, dict)
        special: dict[str, Read] = {"array": _blocks(self.value, list), "map": entries}
        self._readers = [
            special.get(f.name) or _PLAIN[next(b.type for b in f.node.branches if b.type != "null")]
            for f in node.fields
        ]

    def value(self, data: bytes, at: int) -> tuple[Any, int]:
        """One value."""
        found: Any = None
        for read in self._readers:
            index, at = read_long(data, at)
            if index == 1:
                found, at = read(data, at)
            elif index != 0:
                bad_branch(index)
        return found, at

    def _entry(self, data: bytes, at: int) -> tuple[Any, int]:
        key, at = self.value(data, at)
        one, at = self.value(data, at)
        return (key, one), at
