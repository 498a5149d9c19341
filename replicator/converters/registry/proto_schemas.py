"""Connect schemas <-> Protobuf messages, by the rules of Confluent's Protobuf converter. Pure, any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from replicator.api.errors import DataError
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry import proto_meta
from replicator.converters.registry.avro_schemas import SUM_ENUM, SUM_UNION, scrubbed
from replicator.converters.registry.proto_parse import map_entry_name
from replicator.converters.registry.proto_text import MAIN

NAMESPACE: Final = "io.confluent.connect.protobuf"
DEFAULT_NAME: Final = "ConnectDefault"
ENUM: Final = f"{NAMESPACE}.Enum"
UNION: Final = f"{NAMESPACE}.Union"
TAG: Final = f"{NAMESPACE}.Tag"
_PRECISION: Final = "connect.decimal.precision"
_F: Final = pb.FieldDescriptorProto
_LOGICAL: Final = {
    DECIMAL: ("confluent.type.Decimal", "confluent/type/decimal.proto"),
    DATE: ("google.type.Date", "google/type/date.proto"),
    TIME: ("google.type.TimeOfDay", "google/type/timeofday.proto"),
    TIMESTAMP: ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
}
_OF_LOGICAL: Final = {message: name for name, (message, _) in _LOGICAL.items()}
_SCALARS: Final = {
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
_WRAPPERS: Final = {
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
_OF_WRAPPERS: Final = {
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
_OF_SCALARS: Final = {
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
_NARROW: Final = {"int8": SchemaType.INT8, "int16": SchemaType.INT16}
_MAP_KEYS: Final = frozenset((
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
    struct_for_nulls: bool = False
    index_for_unions: bool = True
    wrapper_for_nullables: bool = False
    wrapper_for_raw: bool = True
    generalized: bool = False


def is_union(schema: Schema) -> bool:
    """Whether a struct stands for a oneof."""
    return schema.type is SchemaType.STRUCT and (
        SUM_UNION in schema.parameters or (schema.name or "").startswith(f"{UNION}.")
    )


def enum_marker(schema: Schema) -> str | None:
    """Name of the parameter that marks an enum, if the schema is one."""
    return next((p for p in (ENUM, SUM_ENUM) if p in schema.parameters), None)


def wrapped(schema: Schema, options: ProtoOptions) -> bool:
    """Whether a value is written inside one of Google's wrapper messages."""
    return options.wrapper_for_nullables and schema.optional and schema.type in _WRAPPERS


class ToProto:
    """Builds the file for one top level schema; `root` is its message's full name."""

    def __init__(self, options: ProtoOptions) -> None:
        self.options = options
        self.file = pb.FileDescriptorProto(name=MAIN, syntax="proto3")
        self.root = ""
        self._unnamed = 0
        self._messages: dict[str, str] = {}

    def build(self, schema: Schema) -> pb.FileDescriptorProto:
        """The file.

        Raises:
            DataError: the schema has no Protobuf form.
        """
        if schema.type is not SchemaType.STRUCT:
            raise DataError(f"Unsupported root schema of type {schema.type.name}")
        package, _, name = self._named(schema.name).rpartition(".")
        self.file.package = package
        name = self.scrub(name)
        self.root = f"{package}.{name}" if package else name
        if schema.name:
            self._messages[schema.name] = f".{self.root}"
        self._message(self.file.message_type.add(name=name), schema, f".{self.root}")
        return self.file

    def scrub(self, name: str) -> str:
        """A name that Protobuf allows, if asked to make one."""
        if not self.options.scrub:
            return name
        made = scrubbed(name)
        return f"x{made}" if made.startswith("_") else made

    def _named(self, name: str | None) -> str:
        if name:
            return name
        self._unnamed += 1
        return f"{DEFAULT_NAME}{self._unnamed}"

    def _message(self, made: pb.DescriptorProto, schema: Schema, full: str) -> None:
        index = 1
        for field in schema.fields:
            if is_union(field.schema):
                index = self._oneof(made, field.name, field.schema, full, index)
                continue
            index = self._numbered(made, field.name, field.schema, full, index)
        _real_oneofs_first(made)

    def _numbered(self, made: pb.DescriptorProto, name: str, schema: Schema, full: str, index: int) -> int:
        tag = schema.parameters.get(TAG)
        number = int(tag) if tag is not None else index
        self._field(made, self.scrub(name), schema, number, full)
        return index if tag is not None else index + 1

    def _oneof(self, made: pb.DescriptorProto, name: str, schema: Schema, full: str, index: int) -> int:
        own = (schema.name or "").removeprefix(f"{UNION}.") if SUM_UNION not in schema.parameters else ""
        own = own or schema.parameters.get(SUM_UNION) or name
        number = len(made.oneof_decl)
        made.oneof_decl.add(name=self.scrub(own.rpartition(".")[2]))
        for field in schema.fields:
            before = len(made.field)
            index = self._numbered(made, field.name, field.schema, full, index)
            made.field[before].oneof_index = number
            made.field[before].proto3_optional = False
        return index

    def _field(self, made: pb.DescriptorProto, name: str, schema: Schema, number: int, full: str) -> None:
        field = made.field.add(name=name, number=number, label=_F.LABEL_OPTIONAL)
        inner = schema
        if schema.type is SchemaType.ARRAY:
            field.label = _F.LABEL_REPEATED
            inner = _contained(schema.value_schema)
            if inner.type in (SchemaType.ARRAY, SchemaType.MAP):
                raise DataError("Array cannot be nested")
        if schema.type is SchemaType.MAP:
            self._map(made, field, schema, full)
            return
        self._type(made, field, inner, full)
        plain = field.label == _F.LABEL_OPTIONAL and field.type != _F.TYPE_MESSAGE
        if self.options.optional_for_nullables and schema.optional and plain:
            field.proto3_optional = True

    def _type(
        self, made: pb.DescriptorProto, field: pb.FieldDescriptorProto, schema: Schema, full: str
    ) -> None:
        if schema.name in _LOGICAL:
            message, place = _LOGICAL[schema.name]
            self._foreign(field, message, place)
            if schema.name == DECIMAL:
                given = {
                    "precision": schema.parameters.get(_PRECISION),
                    "scale": schema.parameters.get("scale"),
                }
                self._annotate(field, {k: v for k, v in given.items() if v is not None})
        elif schema.type is SchemaType.STRUCT:
            self._struct(made, field, schema, full)
        elif enum_marker(schema) is not None:
            self._enum(made, field, schema, full)
        else:
            if wrapped(schema, self.options):
                self._foreign(
                    field, f"google.protobuf.{_WRAPPERS[schema.type]}", "google/protobuf/wrappers.proto"
                )
            else:
                field.type = _SCALARS[schema.type]
            if schema.type in (SchemaType.INT8, SchemaType.INT16):
                self._annotate(field, {"connect.type": schema.type.value})

    def _annotate(self, field: pb.FieldDescriptorProto, params: dict[str, str]) -> None:
        proto_meta.add_params(field.options, params)
        self._depend("confluent/meta.proto")

    def _foreign(self, field: pb.FieldDescriptorProto, message: str, place: str) -> None:
        field.type = _F.TYPE_MESSAGE
        field.type_name = f".{message}"
        self._depend(place)

    def _depend(self, place: str) -> None:
        if place not in self.file.dependency:
            self.file.dependency.append(place)

    def _struct(
        self, made: pb.DescriptorProto, field: pb.FieldDescriptorProto, schema: Schema, full: str
    ) -> None:
        field.type = _F.TYPE_MESSAGE
        known = self._messages.get(schema.name) if schema.name else None
        if known is None:
            name = self.scrub(self._named(schema.name).rpartition(".")[2])
            # A message and a field of one message cannot share a name.
            if name == field.name:
                name += "Message"
            known = f"{full}.{name}"
            if schema.name:
                self._messages[schema.name] = known
            self._message(made.nested_type.add(name=name), schema, known)
        field.type_name = known

    def _enum(
        self, made: pb.DescriptorProto, field: pb.FieldDescriptorProto, schema: Schema, full: str
    ) -> None:
        marker = str(enum_marker(schema))
        name = self.scrub((schema.parameters[marker] or schema.name or DEFAULT_NAME).rpartition(".")[2])
        field.type = _F.TYPE_ENUM
        field.type_name = f"{full}.{name}"
        if any(e.name == name for e in made.enum_type):
            return
        enum = made.enum_type.add(name=name)
        prefix = f"{marker}."
        symbols = [
            (k.removeprefix(prefix), int(v)) for k, v in schema.parameters.items() if k.startswith(prefix)
        ]
        for symbol, number in sorted(symbols, key=lambda pair: (pair[1] != 0, pair[1])):
            enum.value.add(name=symbol, number=number)

    def _map(
        self, made: pb.DescriptorProto, field: pb.FieldDescriptorProto, schema: Schema, full: str
    ) -> None:
        key, value = _contained(schema.key_schema), _contained(schema.value_schema)
        entry = made.nested_type.add(name=map_entry_name(field.name))
        inside = f"{full}.{entry.name}"
        field.label, field.type, field.type_name = _F.LABEL_REPEATED, _F.TYPE_MESSAGE, inside
        plain_key = key.type in _MAP_KEYS and not wrapped(key, self.options)
        plain_value = value.type not in (SchemaType.ARRAY, SchemaType.MAP)
        holder = pb.DescriptorProto(name=entry.name)
        self._field(holder, "key", key, 1, inside)
        self._field(holder, "value", value, 2, inside)
        for part in holder.field:
            part.proto3_optional = False
        entry.options.map_entry = plain_key and plain_value and not holder.enum_type
        entry.field.extend(holder.field)
        entry.enum_type.extend(holder.enum_type)
        for nested in holder.nested_type:
            # Protobuf's map entries have no types of their own: those of a value go to the message around it.
            self._move(nested, made if entry.options.map_entry else entry, inside, full, entry)

    def _move(
        self,
        nested: pb.DescriptorProto,
        into: pb.DescriptorProto,
        inside: str,
        full: str,
        entry: pb.DescriptorProto,
    ) -> None:
        if into is entry:
            into.nested_type.append(nested)
            return
        before, after = f"{inside}.{nested.name}", f"{full}.{nested.name}"
        into.nested_type.append(nested)
        _rename(entry, before, after)
        _rename(into.nested_type[-1], before, after)
        for name, known in self._messages.items():
            if known == before or known.startswith(f"{before}."):
                self._messages[name] = after + known.removeprefix(before)


def _rename(message: pb.DescriptorProto, before: str, after: str) -> None:
    for field in message.field:
        if field.type_name == before or field.type_name.startswith(f"{before}."):
            field.type_name = after + field.type_name.removeprefix(before)
    for nested in message.nested_type:
        _rename(nested, before, after)


def _real_oneofs_first(made: pb.DescriptorProto) -> None:
    for field in made.field:
        if field.proto3_optional:
            field.oneof_index = len(made.oneof_decl)
            made.oneof_decl.add(name=f"_{field.name}")


def _contained(schema: Schema | None) -> Schema:
    if schema is None:
        raise DataError("Schema of a container does not say what it contains")
    return schema


class FromProto:
    """Turns a message into a Connect schema."""

    def __init__(self, options: ProtoOptions) -> None:
        self.options = options
        self._open: list[str] = []

    def schema(self, message: Descriptor, version: int | None) -> Schema:
        """The schema of a top level message."""
        return self._struct(message, version=version)

    def _struct(self, message: Descriptor, *, version: int | None = None, **more: Any) -> Schema:
        if message.full_name in self._open:
            raise DataError(f"The message {message.full_name} contains itself, which is not supported")
        self._open.append(message.full_name)
        fields: list[tuple[str, Schema]] = []
        for oneof in real_oneofs(message):
            fields.append((self.oneof_name(oneof), self._oneof(oneof)))
        for field in message.fields:
            if not in_real_oneof(field):
                fields.append((field.name, self._field(field)))
        self._open.pop()
        name = message.full_name if self.options.enhanced else message.name
        return Schema(SchemaType.STRUCT, fields=fields, name=name, version=version, **more)

    def oneof_name(self, oneof: OneofDescriptor) -> str:
        """Name of the field that stands for a oneof."""
        return f"{oneof.name}_{oneof.index}" if self.options.index_for_unions else oneof.name

    def _oneof(self, oneof: OneofDescriptor) -> Schema:
        fields = [(f.name, self._field(f, in_oneof=True)) for f in oneof.fields]
        if self.options.generalized:
            return Schema(
                SchemaType.STRUCT,
                fields=fields,
                name=oneof.name,
                optional=True,
                parameters={SUM_UNION: oneof.name},
            )
        return Schema(SchemaType.STRUCT, fields=fields, name=f"{UNION}.{oneof.name}", optional=True)

    def _field(self, field: FieldDescriptor, *, in_oneof: bool = False) -> Schema:
        options = self.options
        single = self._single(field)
        optional = single.optional
        repeated = is_repeated(field) and single.type is not SchemaType.MAP
        if repeated:
            single = Schema(SchemaType.ARRAY, value_schema=single.evolve(optional=True))
            optional = True
        if options.optional_for_nullables:
            optional = (
                in_oneof
                or bool(field.has_presence and field.message_type is None)
                or (field.message_type is not None and not repeated and single.type is not SchemaType.MAP)
            )
        elif not options.wrapper_for_nullables:
            optional = True
        parameters = {**single.parameters, TAG: str(field.number)}
        return single.evolve(optional=optional, parameters=parameters)

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.message_type is not None:
            return self._message(field, field.message_type)
        kind = _OF_SCALARS.get(field.type)
        if kind is None:
            raise DataError(f"Unknown Connect schema type: {field.type}")
        if kind is SchemaType.INT32:
            narrow = proto_meta.params(field.GetOptions()).get("connect.type", "")
            kind = _NARROW.get(narrow, kind)
        return Schema(kind)

    def _enum(self, enum: EnumDescriptor) -> Schema:
        marker = SUM_ENUM if self.options.generalized else ENUM
        name = enum.full_name if self.options.enhanced else enum.name
        parameters = {marker: name}
        for value in enum.values:
            parameters[f"{marker}.{value.name}"] = str(value.number)
        kind = SchemaType.INT32 if self.options.int_for_enums else SchemaType.STRING
        return Schema(kind, name=name, parameters=parameters, optional=True)

    def _message(self, field: FieldDescriptor, message: Descriptor) -> Schema:
        logical = _OF_LOGICAL.get(message.full_name)
        if logical == DECIMAL:
            return self._decimal(field)
        if logical is not None:
            kind = SchemaType.INT64 if logical == TIMESTAMP else SchemaType.INT32
            return Schema(kind, name=logical, version=1, optional=True)
        if is_map(message):
            name = message.name.removesuffix("Entry")
            key, value = message.fields_by_name["key"], message.fields_by_name["value"]
            return Schema(
                SchemaType.MAP,
                key_schema=self._field(key),
                value_schema=self._field(value),
                name=_snake(name),
                optional=True,
            )
        wrapper = unwraps(message, self.options)
        if wrapper is not None:
            narrow = proto_meta.params(field.GetOptions()).get("connect.type", "")
            return Schema(_NARROW.get(narrow, wrapper), optional=True)
        return self._struct(message, optional=True)

    def _decimal(self, field: FieldDescriptor) -> Schema:
        params = proto_meta.params(field.GetOptions())
        scale = params.get("scale", "0")
        parameters = {"scale": scale if scale.lstrip("-").isdigit() else "0"}
        if params.get("precision", "").isdigit():
            parameters[_PRECISION] = params["precision"]
        return Schema(SchemaType.BYTES, name=DECIMAL, version=1, parameters=parameters, optional=True)


def unwraps(message: Descriptor, options: ProtoOptions) -> SchemaType | None:
    """The type inside one of Google's wrapper messages, if it is read as that."""
    if not (options.wrapper_for_nullables or options.wrapper_for_raw):
        return None
    package, _, name = message.full_name.rpartition(".")
    return _OF_WRAPPERS.get(name) if package == "google.protobuf" else None


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


def _snake(name: str) -> str:
    made = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return made.lstrip("_")
