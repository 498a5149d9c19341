"""What Connect schemas and Avro schemas share: names, options, how unions and maps are told. Pure, any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry.avro_model import AvroField, AvroNode
from replicator.converters.registry.sums import enum_marker, is_sum

NAMESPACE: Final = "io.confluent.connect.avro"
MAP_ENTRY: Final = "MapEntry"
UNION: Final = f"{NAMESPACE}.Union"
ENUM: Final = f"{NAMESPACE}.Enum"
ANYTHING: Final = f"{NAMESPACE}.Anything"
RECORD_DOC: Final = f"{NAMESPACE}.record.doc"
FIELD_DOC: Final = f"{NAMESPACE}.field.doc."
FIELD_DEFAULT: Final = f"{NAMESPACE}.field.default"
ENUM_DOC: Final = f"{NAMESPACE}.enum.doc."
ENUM_DEFAULT: Final = f"{NAMESPACE}.enum.default."


@dataclass(frozen=True, slots=True)
class AvroOptions:
    """Options that decide the form of schemas; see the converter."""

    enhanced: bool = False
    meta_data: bool = True
    scrub: bool = False
    optional_map_keys: bool = False
    discard_type_doc: bool = False
    generalized: bool = False


def _nullable(node: AvroNode) -> AvroNode:
    return AvroNode("union", branches=[AvroNode("null"), node])


def _anything() -> AvroNode:
    """The type of schemaless data: a record with one field per kind of value, itself inside."""
    anything = AvroNode("record", name=ANYTHING)
    entry = AvroNode("record", name=f"{NAMESPACE}.{MAP_ENTRY}")
    entry.fields = [AvroField("key", anything), AvroField("value", anything)]
    plain = ("boolean", "bytes", "double", "float", "int", "long", "string")
    anything.fields = [
        *(AvroField(kind, _nullable(AvroNode(kind)), None) for kind in plain),
        AvroField("array", _nullable(AvroNode("array", inner=anything)), None),
        AvroField("map", _nullable(AvroNode("array", inner=entry)), None),
    ]
    return anything


ANYTHING_NODE: Final = _anything()


def union_kind(schema: Schema) -> bool:
    """Whether a struct stands for a union."""
    return is_sum(schema, UNION)


def enum_name(schema: Schema) -> str | None:
    """Name of the parameter that marks a string as an enum, if it is one."""
    return enum_marker(schema, ENUM) if schema.type is SchemaType.STRING else None


def object_keys(schema: Schema, options: AvroOptions) -> bool:
    """Whether a map has keys that Avro's maps can have."""
    key = schema.key_schema
    return (
        key is not None and key.type is SchemaType.STRING and (not key.optional or options.optional_map_keys)
    )


def is_map_entry(node: AvroNode) -> bool:
    """Whether an array of this type is a map whose keys are no strings."""
    return node.type == "record" and (
        node.name == f"{NAMESPACE}.{MAP_ENTRY}" or node.props.get("connect.internal.type") == MAP_ENTRY
    )
