"""Compiles (Connect schema, Avro type) into a function that writes values in Avro's binary form.

The function appends pieces to a list. Structs become generated straight code with one look at each
field; nothing is copied and no branch of a union is searched for. Keeps INV-7: a value of another
type, or an integer that the type cannot hold, raises DataError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replicator.api.errors import DataError
from replicator.api.logical_values import scale_of
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, encoder
from replicator.converters.registry.avro_anything import AnythingWriter
from replicator.converters.registry.avro_default_values import default_from_json
from replicator.converters.registry.avro_from_connect import ToAvro
from replicator.converters.registry.avro_model import MISSING, AvroField, AvroNode
from replicator.converters.registry.avro_names import AvroOptions, enum_name, is_map_entry, union_kind
from replicator.converters.registry.avro_scalars import (
    ENCODERS,
    END,
    FITS,
    SMALL,
    Append,
    Write,
    decimal,
    enum,
    fixed,
    integer,
    text,
    varint,
    wrong_type,
)
from replicator.converters.registry.avro_to_connect import FromAvro
from replicator.converters.registry.avro_write_record import RecordWriter


class WriteCompiler:
    """Compiles schemas under one set of options; keeps what it compiled."""

    def __init__(self, to_avro: ToAvro, *, ignore_default: bool = False) -> None:
        self.to_avro = to_avro
        self.ignore_default = ignore_default
        self._records: dict[tuple[Schema, int], tuple[AvroNode, Write]] = {}

    def scrub(self, name: str) -> str:
        """A field's name in Avro."""
        return self.to_avro.scrub(name)

    def value(self, schema: Schema | None, node: AvroNode) -> Write:
        """The writer of values, null included."""
        if schema is None:
            return AnythingWriter(node).write
        if node.type != "union":
            return self._required(schema, node)
        if union_kind(schema):
            return self._union(schema, node)
        return self._nullable(schema, node)

    def _required(self, schema: Schema, node: AvroNode) -> Write:
        write = self.present(schema, node)
        default = None if schema.default is None else schema.default

        def encode(append: Append, value: Any) -> None:
            if value is None:
                value = default
                if value is None:
                    raise DataError("Found null value for non-optional schema")
            write(append, value)

        return encode

    def _nullable(self, schema: Schema, node: AvroNode) -> Write:
        null = next((i for i, b in enumerate(node.branches) if b.type == "null"), None)
        index = self._branch(schema, node)
        mark, write = SMALL[index], self.present(schema, node.branches[index])
        null_mark = None if null is None else SMALL[null]
        default = None if self.ignore_default else schema.default

        def encode(append: Append, value: Any) -> None:
            if value is None:
                value = default
            if value is not None:
                append(mark)
                write(append, value)
            elif null_mark is not None:
                append(null_mark)
            else:
                raise DataError("Found null value for non-optional schema")

        return encode

    def _branch(self, schema: Schema, node: AvroNode) -> int:
        """The branch that takes values of a schema."""
        candidates = [i for i, b in enumerate(node.branches) if b.type in FITS[schema.type]]
        if len(candidates) > 1:
            wanted = self.to_avro.node(schema, ignore_optional=True)
            same = [i for i in candidates if node.branches[i].name == wanted.name and wanted.name]
            exact = [i for i in candidates if node.branches[i].type == wanted.type]
            candidates = same or exact or candidates
        if not candidates:
            raise DataError(f"The Avro schema has no type for a {schema.type.name}")
        return candidates[0]

    def _union(self, schema: Schema, node: AvroNode) -> Write:
        null = next((SMALL[i] for i, b in enumerate(node.branches) if b.type == "null"), None)
        members: dict[str, tuple[bytes, Write]] = {}
        for field in schema.fields:
            index = self._branch(field.schema, node)
            members[field.name] = SMALL[index], self.present(field.schema, node.branches[index])

        def encode(append: Append, value: Any) -> None:
            fields = value.fields if isinstance(value, Struct) else value
            if fields is not None:
                for name, (mark, write) in members.items():
                    one = fields.get(name)
                    if one is not None:
                        append(mark)
                        write(append, one)
                        return
            if null is None:
                raise DataError("Found null value for non-optional schema")
            append(null)

        return encode

    def present(self, schema: Schema, node: AvroNode) -> Write:
        """The writer of values that are not null."""
        if node.type not in FITS[schema.type]:
            raise DataError(f"A {schema.type.name} cannot be written as Avro {node.type}")
        if schema.name in LOGICAL_NAMES:
            return _appending(_logical(schema, node))
        if node.type == "record":
            return self._record(schema, node)
        if node.type == "array" and schema.type is SchemaType.ARRAY:
            return self._array(schema, node)
        if schema.type is SchemaType.MAP:
            return self._map(schema, node)
        if node.type == "enum":
            return _appending(enum(node))
        if node.type == "fixed":
            return _appending(fixed(node))
        if node.type in ("float", "double"):
            return _appending(ENCODERS[SchemaType.FLOAT32 if node.type == "float" else SchemaType.FLOAT64])
        return _appending(ENCODERS[schema.type])

    def plain(self, schema: Schema, node: AvroNode) -> str | None:
        """The kind of straight code that writes such values, if there is one."""
        if schema.name in LOGICAL_NAMES or node.type in ("enum", "fixed", "float", "double"):
            return None
        if schema.type in (SchemaType.INT32, SchemaType.INT64):
            return "integer"
        if schema.type is SchemaType.STRING and enum_name(schema) is None:
            return "text"
        return None

    def _array(self, schema: Schema, node: AvroNode) -> Write:
        if schema.value_schema is None:
            raise DataError("Array schema did not specify the element type")
        write = self.value(schema.value_schema, node.content())

        def encode(append: Append, value: Any) -> None:
            if not isinstance(value, (list, tuple)):
                raise wrong_type("ARRAY", value)
            if value:
                append(varint(len(value)))
                for element in value:
                    write(append, element)
            append(END)

        return encode

    def _map(self, schema: Schema, node: AvroNode) -> Write:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        if node.type == "map":
            write_key: Write = _appending(text)
            write_value = self.value(schema.value_schema, node.content())
        else:
            entry = node.content()
            key, value = entry.field_named("key"), entry.field_named("value")
            if not is_map_entry(entry) or key is None or value is None:
                raise DataError("A map cannot be written as this Avro array")
            write_key = self.value(schema.key_schema, key.node)
            write_value = self.value(schema.value_schema, value.node)

        def encode(append: Append, value: Any) -> None:
            if not isinstance(value, dict):
                raise wrong_type("MAP", value)
            if value:
                append(varint(len(value)))
                for one_key, one in value.items():
                    write_key(append, one_key)
                    write_value(append, one)
            append(END)

        return encode

    def _record(self, schema: Schema, node: AvroNode) -> Write:
        known = self._records.get((schema, id(node)))
        if known is None:
            known = self._records[schema, id(node)] = (node, RecordWriter(self, schema, node).compile())
        return known[1]

    def field_default(self, one: AvroField, name: str) -> bytes:
        """The bytes of a field that our schema lacks.

        Raises:
            DataError: it has no default.
        """
        if one.default is MISSING:
            raise DataError(f"The Avro schema needs the field {name}, which the data have not")
        names = FromAvro(AvroOptions())
        schema = names.schema(one.node)
        if schema is None:
            raise DataError(f"The Avro schema needs the field {name}, which the data have not")
        content = one.node
        if content.type == "union" and not union_kind(schema):
            content = content.branches[0]
        value = (
            None
            if one.default is None
            else default_from_json(schema, content, one.default, names.branch_name)
        )
        parts: list[bytes] = []
        self.value(schema, one.node)(parts.append, value)
        return b"".join(parts)


def _appending(encode: Callable[[Any], bytes]) -> Write:
    def write(append: Append, value: Any) -> None:
        append(encode(value))

    return write


def _logical(schema: Schema, node: AvroNode) -> Callable[[Any], bytes]:
    if schema.type is SchemaType.BYTES:
        return decimal(scale_of(schema), node.size if node.type == "fixed" else None)
    base, number = encoder(schema, numeric=False), integer(schema.type)
    return lambda value: number(base(value))
