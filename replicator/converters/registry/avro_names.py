"""What Connect schemas and Avro schemas share: names, options, how unions and maps are told. Pure, any thread."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry.avro_model import AvroField, AvroNode

NAMESPACE: Final = "io.confluent.connect.avro"
DEFAULT_NAME: Final = "ConnectDefault"
MAP_ENTRY: Final = "MapEntry"
UNION: Final = f"{NAMESPACE}.Union"
ENUM: Final = f"{NAMESPACE}.Enum"
ANYTHING: Final = f"{NAMESPACE}.Anything"
RECORD_DOC: Final = f"{NAMESPACE}.record.doc"
FIELD_DOC: Final = f"{NAMESPACE}.field.doc."
FIELD_DEFAULT: Final = f"{NAMESPACE}.field.default"
ENUM_DOC: Final = f"{NAMESPACE}.enum.doc."
ENUM_DEFAULT: Final = f"{NAMESPACE}.enum.default."
SUM_UNION: Final = "org.apache.kafka.connect.data.Union"
SUM_ENUM: Final = "org.apache.kafka.connect.data.Enum"
SUM_PREFIX: Final = "connect_union_"
SUM_FIELD: Final = "connect_union_field_"
_BAD_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_]")


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
    return schema.type is SchemaType.STRUCT and (schema.name == UNION or SUM_UNION in schema.parameters)


def enum_name(schema: Schema) -> str | None:
    """Name of the parameter that marks a string as an enum, if it is one."""
    if schema.type is SchemaType.STRING:
        return next((p for p in (ENUM, SUM_ENUM) if p in schema.parameters), None)
    return None


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


def contained(schema: Schema | None) -> Schema:
    """The schema of what a container holds.

    Raises:
        DataError: there is none.
    """
    if schema is None:
        raise DataError("Schema of a container does not say what it contains")
    return schema


def scrubbed(name: str) -> str:
    """A name of letters, digits and underscores that starts with a letter or underscore."""
    encoded = quote_plus(name, safe="*-._")
    if not (encoded[:1].isascii() and (encoded[:1].isalpha() or encoded[:1] == "_")):
        encoded = f"x{encoded}"
    return _BAD_CHARACTER.sub("_", encoded)
