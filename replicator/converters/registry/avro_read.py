"""Compiles (Avro type, Connect schema) into a function from Avro's binary form to Connect values.

Records become generated straight code that reads common fields in place, so nothing is converted a second time.
"""

from __future__ import annotations

from typing import Any

from replicator.api.errors import DataError
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES
from replicator.converters.registry.avro_anything import AnythingReader
from replicator.converters.registry.avro_decoding import (
    BROKEN,
    PLAIN,
    Read,
    bad_branch,
    blocks,
    conversion,
    converted,
    read_enum,
    read_fixed,
    read_long,
    read_null,
    read_text,
)
from replicator.converters.registry.avro_model import AvroNode
from replicator.converters.registry.avro_names import ANYTHING, union_kind
from replicator.converters.registry.avro_read_record import RecordReader


class AvroReader:
    """Reads values of one Avro schema."""

    def __init__(self, node: AvroNode, schema: Schema | None) -> None:
        self._read = AnythingReader(node).value if schema is None else _ReadCompiler().value(schema, node)
        struct_ = schema is not None and schema.type is SchemaType.STRUCT and not union_kind(schema)
        self._wrap = schema if struct_ else None

    def read(self, data: bytes, start: int) -> Any:
        """The value that begins at `start`.

        Raises:
            DataError: the bytes are not of this schema.
        """
        try:
            value, end = self._read(data, start)
        except BROKEN as error:
            raise DataError(
                f"Error deserializing Avro message: {str(error) or type(error).__name__}"
            ) from error
        if end > len(data):
            raise DataError("Error deserializing Avro message: the message ends too early")
        return Struct(self._wrap, value) if self._wrap is not None and value is not None else value


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
        readers = [read_null if b.type == "null" else self.present(schema, b) for b in node.branches]

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
            return blocks(self._pair(read_text, self.member(schema.value_schema, node.content())), dict)
        if node.type == "enum":
            return read_enum(node)
        read = read_fixed(node.size) if node.type == "fixed" else PLAIN[node.type]
        return converted(read, conversion(schema)) if schema.name in LOGICAL_NAMES else read

    def _record(self, schema: Schema, node: AvroNode) -> Read:
        if node.name == ANYTHING:
            return AnythingReader(node).value
        known = self._records.get((id(node), id(schema)))
        if known is None:
            read = RecordReader(self.value, self.present, schema, node).compile()
            known = self._records[id(node), id(schema)] = (node, schema, read)
        return known[2]

    def _array(self, schema: Schema, node: AvroNode) -> Read:
        element = node.content()
        if schema.type is not SchemaType.MAP:
            if schema.value_schema is None:
                raise DataError("Array schema did not specify the element type")
            return blocks(self.member(schema.value_schema, element), list)
        if schema.key_schema is None or schema.value_schema is None or len(element.fields) != 2:
            raise DataError("Found map encoded as array of key-value pairs, but it has no key or value")
        key, value = element.fields
        if key.name != "key":
            raise DataError("Found map encoded as array of key-value pairs, but its key is not first")
        pair = self._pair(
            self.member(schema.key_schema, key.node), self.member(schema.value_schema, value.node)
        )
        return blocks(pair, dict)

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
