"""What Connect schemas and JSON Schemas share: names, options, how alternatives and maps are told. Pure, any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry.sums import is_sum

NAMESPACE: Final = "io.confluent.connect.json"
ENUM: Final = f"{NAMESPACE}.Enum"
ONE_OF: Final = f"{NAMESPACE}.OneOf"
INDEX: Final = "connect.index"
TYPE: Final = "connect.type"
NUMBERS: Final = {
    SchemaType.INT8: ("integer", "int8"),
    SchemaType.INT16: ("integer", "int16"),
    SchemaType.INT32: ("integer", "int32"),
    SchemaType.INT64: ("integer", "int64"),
    SchemaType.FLOAT32: ("number", "float32"),
    SchemaType.FLOAT64: ("number", "float64"),
}


@dataclass(frozen=True, slots=True)
class JsonSchemaOptions:
    """Options that decide the form of schemas; see the converter."""

    additional_properties: bool = True
    optional_for_nonrequired: bool = False
    generalized: bool = False


def one_of(schema: Schema) -> bool:
    """Whether a struct stands for one of several alternatives."""
    return is_sum(schema, ONE_OF)


def string_keys(schema: Schema) -> bool:
    """Whether a map is written as an object."""
    key = schema.key_schema
    return key is not None and key.type is SchemaType.STRING and not key.optional
