"""What Connect schemas and Protobuf messages share: names, types, options. Pure, any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor

from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry.sums import SUM_UNION

NAMESPACE: Final = "io.confluent.connect.protobuf"
ENUM: Final = f"{NAMESPACE}.Enum"
UNION: Final = f"{NAMESPACE}.Union"
TAG: Final = f"{NAMESPACE}.Tag"
_F: Final = pb.FieldDescriptorProto
LOGICAL: Final = {
    DECIMAL: ("confluent.type.Decimal", "confluent/type/decimal.proto"),
    DATE: ("google.type.Date", "google/type/date.proto"),
    TIME: ("google.type.TimeOfDay", "google/type/timeofday.proto"),
    TIMESTAMP: ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
}
OF_LOGICAL: Final = {message: name for name, (message, _) in LOGICAL.items()}
SCALARS: Final = {
    SchemaType.INT8: _F.TYPE_INT32,
    SchemaType.INT16: _F.TYPE_INT32,
    SchemaType.INT32: _F.TYPE_INT32,
    SchemaType.INT64: _F.TYPE_INT64,
    SchemaType.FLOAT32: _F.TYPE_FLOAT,
    SchemaType.FLOAT64: _F.TYPE_DOUBLE,
    SchemaType.BOOLEAN: _F.TYPE_BOOL,
    SchemaType.STRING: _F.TYPE_STRING,
    SchemaType.BYTES: _F.TYPE_BYTES,
}
WRAPPERS: Final = {
    SchemaType.INT8: "Int32Value",
    SchemaType.INT16: "Int32Value",
    SchemaType.INT32: "Int32Value",
    SchemaType.INT64: "Int64Value",
    SchemaType.FLOAT32: "FloatValue",
    SchemaType.FLOAT64: "DoubleValue",
    SchemaType.BOOLEAN: "BoolValue",
    SchemaType.STRING: "StringValue",
    SchemaType.BYTES: "BytesValue",
}
OF_WRAPPERS: Final = {
    "DoubleValue": SchemaType.FLOAT64,
    "FloatValue": SchemaType.FLOAT32,
    "Int64Value": SchemaType.INT64,
    "UInt64Value": SchemaType.INT64,
    "Int32Value": SchemaType.INT32,
    "UInt32Value": SchemaType.INT64,
    "BoolValue": SchemaType.BOOLEAN,
    "StringValue": SchemaType.STRING,
    "BytesValue": SchemaType.BYTES,
}
OF_SCALARS: Final = {
    FieldDescriptor.TYPE_INT32: SchemaType.INT32,
    FieldDescriptor.TYPE_SINT32: SchemaType.INT32,
    FieldDescriptor.TYPE_SFIXED32: SchemaType.INT32,
    FieldDescriptor.TYPE_UINT32: SchemaType.INT64,
    FieldDescriptor.TYPE_FIXED32: SchemaType.INT64,
    FieldDescriptor.TYPE_INT64: SchemaType.INT64,
    FieldDescriptor.TYPE_UINT64: SchemaType.INT64,
    FieldDescriptor.TYPE_SINT64: SchemaType.INT64,
    FieldDescriptor.TYPE_FIXED64: SchemaType.INT64,
    FieldDescriptor.TYPE_SFIXED64: SchemaType.INT64,
    FieldDescriptor.TYPE_FLOAT: SchemaType.FLOAT32,
    FieldDescriptor.TYPE_DOUBLE: SchemaType.FLOAT64,
    FieldDescriptor.TYPE_BOOL: SchemaType.BOOLEAN,
    FieldDescriptor.TYPE_STRING: SchemaType.STRING,
    FieldDescriptor.TYPE_BYTES: SchemaType.BYTES,
}
NARROW: Final = {"int8": SchemaType.INT8, "int16": SchemaType.INT16}
MAP_KEYS: Final = frozenset((
    SchemaType.INT8,
    SchemaType.INT16,
    SchemaType.INT32,
    SchemaType.INT64,
    SchemaType.BOOLEAN,
    SchemaType.STRING,
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProtoOptions:
    """Options that decide the form of schemas; see the converter."""

    enhanced: bool = False
    scrub: bool = False
    int_for_enums: bool = False
    optional_for_nullables: bool = False
    index_for_unions: bool = True
    wrapper_for_nullables: bool = False
    wrapper_for_raw: bool = True
    generalized: bool = False


def is_union(schema: Schema) -> bool:
    """Whether a struct stands for a oneof."""
    return schema.type is SchemaType.STRUCT and (
        SUM_UNION in schema.parameters or (schema.name or "").startswith(f"{UNION}.")
    )


def wrapped(schema: Schema, options: ProtoOptions) -> bool:
    """Whether a value is written inside one of Google's wrapper messages."""
    return options.wrapper_for_nullables and schema.optional and schema.type in WRAPPERS


def unwraps(message: Descriptor, options: ProtoOptions) -> SchemaType | None:
    """The type inside one of Google's wrapper messages, if it is read as that."""
    if not (options.wrapper_for_nullables or options.wrapper_for_raw):
        return None
    package, _, name = message.full_name.rpartition(".")
    return OF_WRAPPERS.get(name) if package == "google.protobuf" else None


def is_map(message: Descriptor) -> bool:
    """Whether a message is the entry of a map."""
    if message.GetOptions().map_entry:
        return True
    return message.name.endswith("Entry") and [f.name for f in message.fields] == ["key", "value"]


def is_repeated(field: FieldDescriptor) -> bool:
    """Whether a field is repeated."""
    return bool(field.is_repeated)


def in_real_oneof(field: FieldDescriptor) -> bool:
    """Whether a field belongs to a oneof that somebody wrote."""
    oneof, message = field.containing_oneof, field.containing_type
    return oneof is not None and message is not None and oneof in real_oneofs(message)


def real_oneofs(message: Descriptor) -> list[OneofDescriptor]:
    """The oneofs that somebody wrote, without those of proto3's `optional`."""
    proto = pb.DescriptorProto()
    message.CopyToProto(proto)
    made_up = {f.oneof_index for f in proto.field if f.proto3_optional}
    return [o for o in message.oneofs if o.index not in made_up]
