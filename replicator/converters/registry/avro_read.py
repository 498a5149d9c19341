"""Compiles (Avro type, Connect schema) into a function from Avro's binary form to Connect values.

fastavro decodes; what is compiled here changes only what looks different in Connect: logical types,
maps stored as arrays of entries, unions, schemaless data. Plain records are taken as they are.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import fastavro

from replicator.api.errors import DataError
from replicator.api.logical import DECIMAL
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, decoder
from replicator.converters.registry.avro_model import AvroNode, codec_names, codec_tree
from replicator.converters.registry.avro_schemas import ANYTHING, FromAvro, union_kind

Convert = Callable[[Any], Any]

_PYTHON: Final[dict[SchemaType, tuple[type, ...]]] = {
    SchemaType.INT8: (int,),
    SchemaType.INT16: (int,),
    SchemaType.INT32: (int,),
    SchemaType.INT64: (int,),
    SchemaType.FLOAT32: (float,),
    SchemaType.FLOAT64: (float,),
    SchemaType.BOOLEAN: (bool,),
    SchemaType.STRING: (str,),
    SchemaType.BYTES: (bytes, Decimal),
    SchemaType.ARRAY: (list,),
    SchemaType.MAP: (dict,),
}
_BROKEN: Final = (
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    StopIteration,
    TypeError,
    UnicodeDecodeError,
    ValueError,
    MemoryError,
)


class AvroReader:
    """Reads values of one Avro schema."""

    def __init__(self, node: AvroNode, schema: Schema | None, names: FromAvro) -> None:
        self.schema = schema
        self._parsed = fastavro.parse_schema(codec_tree(node))
        self._names = {name: n for name, n in codec_names(node).items() if n.type == "record"}
        compiler = _ReadCompiler(names, self._names)
        self._convert: Convert | None
        self._wrap = schema if schema is not None and schema.type is SchemaType.STRUCT else None
        if schema is None:
            self._convert = _plain_data
        else:
            self._convert = compiler.value(schema, node)

    def read(self, data: bytes, start: int) -> Any:
        """The value that begins at `start`.

        Raises:
            DataError: the bytes are not of this schema.
        """
        source = io.BytesIO(data)
        source.seek(start)
        try:
            value = fastavro.schemaless_reader(
                source, self._parsed, None, return_record_name=True, return_record_name_override=True
            )
        except _BROKEN as error:
            raise DataError(
                f"Error deserializing Avro message: {str(error) or type(error).__name__}"
            ) from error
        if self._convert is not None:
            value = self._convert(value)
        return Struct(self._wrap, value) if self._wrap is not None and type(value) is dict else value


class _ReadCompiler:
    """Compiles conversions; None means that the decoded value is already right."""

    def __init__(self, names: FromAvro, records: dict[str, AvroNode]) -> None:
        self._names = names
        self._records = {id(node): name for name, node in records.items()}

    def value(self, schema: Schema, node: AvroNode) -> Convert | None:
        """The conversion of values, null included."""
        if node.type == "union":
            branches = [b for b in node.branches if b.type != "null"]
            if union_kind(schema):
                return self._union(schema, branches)
            convert = self.present(schema, branches[0])
            if convert is None:
                return None
            return lambda value: None if value is None else convert(value)
        return self.present(schema, node)

    def present(self, schema: Schema, node: AvroNode) -> Convert | None:
        """The conversion of values that are not null."""
        if schema.name in LOGICAL_NAMES:
            return _decimal(schema) if schema.name == DECIMAL else decoder(schema)
        if node.type == "record":
            return self._record(schema, node)
        if node.type == "array":
            return self._array(schema, node)
        if node.type == "map" and schema.value_schema is not None:
            convert = self.value(schema.value_schema, node.content())
            if convert is None:
                return None
            return lambda value: {k: convert(v) for k, v in value.items()}
        return None

    def _record(self, schema: Schema, node: AvroNode) -> Convert | None:
        if node.name == ANYTHING:
            return _plain_data
        found: list[tuple[str, Convert]] = []
        for field in node.fields:
            own = schema.field(field.name)
            convert = self.value(own.schema, field.node) if own is not None else None
            if convert is not None:
                found.append((field.name, convert))
        if not found:
            return None
        conversions = tuple(found)

        def convert_record(value: Any) -> Any:
            for name, change in conversions:
                one = value[name]
                if one is not None:
                    value[name] = change(one)
            return value

        return convert_record

    def _array(self, schema: Schema, node: AvroNode) -> Convert | None:
        element = node.content()
        if schema.type is SchemaType.MAP:
            return self._entries(schema, element)
        if schema.value_schema is None:
            return None
        convert, inner = self.value(schema.value_schema, element), schema.value_schema
        wrap = inner.type is SchemaType.STRUCT and not union_kind(inner)
        if convert is None and not wrap:
            return None

        def convert_list(values: Any) -> list[Any]:
            made = values if convert is None else [convert(v) for v in values]
            return [Struct(inner, v) if type(v) is dict else v for v in made] if wrap else made

        return convert_list

    def _entries(self, schema: Schema, entry: AvroNode) -> Convert:
        key, value = entry.field_named("key"), entry.field_named("value")
        if key is None or value is None or schema.key_schema is None or schema.value_schema is None:
            raise DataError("Found map encoded as array of key-value pairs, but it has no key or value")
        of_key = self.value(schema.key_schema, key.node) or _same
        of_value = self.value(schema.value_schema, value.node) or _same
        return lambda entries: {of_key(e["key"]): of_value(e["value"]) for e in entries}

    def _union(self, schema: Schema, branches: list[AvroNode]) -> Convert:
        by_record: dict[str, tuple[str, Convert, Schema]] = {}
        plain: list[tuple[str, Convert, tuple[type, ...], tuple[int, int] | None]] = []
        for field, branch in zip(schema.fields, branches, strict=True):
            convert = self.present(field.schema, branch) or _same
            if branch.type == "record":
                by_record[self._records[id(branch)]] = field.name, convert, field.schema
            else:
                limits = (-(1 << 31), 1 << 31) if branch.type == "int" else None
                plain.append((field.name, convert, _decoded(branch), limits))
        single = next(iter(by_record.values())) if len(by_record) == 1 else None

        def convert_union(value: Any) -> Any:
            if value is None:
                return None
            if type(value) is tuple:
                name, change, own = by_record[value[0]]
                return Struct(schema, {name: Struct(own, change(value[1]))})
            if type(value) is dict and single is not None and not any(dict in t for _, _, t, _ in plain):
                return Struct(schema, {single[0]: Struct(single[2], single[1](value))})
            for name, change, types, limits in plain:
                if type(value) in types and (limits is None or limits[0] <= value < limits[1]):
                    return Struct(schema, {name: change(value)})
            raise DataError(f"Did not find matching union field for data: {value}")

        return convert_union


def _decoded(branch: AvroNode) -> tuple[type, ...]:
    return {
        "int": (int,),
        "long": (int,),
        "float": (float,),
        "double": (float,),
        "boolean": (bool,),
        "string": (str,),
        "enum": (str,),
        "bytes": (bytes,),
        "fixed": (bytes,),
        "array": (list,),
        "map": (dict,),
    }[branch.type]


def _same(value: Any) -> Any:
    return value


def _decimal(schema: Schema) -> Convert:
    scale = int(schema.parameters.get("scale", "0"))

    def decode(value: Any) -> Decimal:
        unscaled = int.from_bytes(value, "big", signed=True)
        return Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -scale))

    return decode


def _plain_data(value: Any) -> Any:
    """Schemaless data out of the record with one field per kind."""
    if not isinstance(value, dict):
        raise DataError("Invalid Avro data for schemaless Connect data")
    for kind, content in value.items():
        if content is None:
            continue
        if kind == "array":
            return [_plain_data(v) for v in content]
        if kind == "map":
            return {_plain_data(e["key"]): _plain_data(e["value"]) for e in content}
        return content
    return None
