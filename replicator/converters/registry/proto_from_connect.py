"""Connect schemas as Protobuf files, by the rules of Confluent's Protobuf converter. Pure, any thread."""

from __future__ import annotations

from typing import Final

from google.protobuf import descriptor_pb2 as pb

from replicator.api.errors import DataError
from replicator.api.logical import DECIMAL
from replicator.api.logical_values import PRECISION_PARAMETER
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry import proto_meta
from replicator.converters.registry.proto_messages import map_entry_name
from replicator.converters.registry.proto_names import (
    ENUM,
    LOGICAL,
    MAP_KEYS,
    SCALARS,
    TAG,
    UNION,
    WRAPPERS,
    ProtoOptions,
    is_union,
    wrapped,
)
from replicator.converters.registry.proto_text import MAIN
from replicator.converters.registry.sums import DEFAULT_NAME, SUM_UNION, contained, enum_marker, scrubbed

_F: Final = pb.FieldDescriptorProto


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
            inner = contained(schema.value_schema)
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
        if schema.name in LOGICAL:
            message, place = LOGICAL[schema.name]
            self._foreign(field, message, place)
            if schema.name == DECIMAL:
                given = {
                    "precision": schema.parameters.get(PRECISION_PARAMETER),
                    "scale": schema.parameters.get("scale"),
                }
                self._annotate(field, {k: v for k, v in given.items() if v is not None})
        elif schema.type is SchemaType.STRUCT:
            self._struct(made, field, schema, full)
        elif enum_marker(schema, ENUM) is not None:
            self._enum(made, field, schema, full)
        else:
            if wrapped(schema, self.options):
                self._foreign(
                    field, f"google.protobuf.{WRAPPERS[schema.type]}", "google/protobuf/wrappers.proto"
                )
            else:
                field.type = SCALARS[schema.type]
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
        marker = str(enum_marker(schema, ENUM))
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
        key, value = contained(schema.key_schema), contained(schema.value_schema)
        entry = made.nested_type.add(name=map_entry_name(field.name))
        inside = f"{full}.{entry.name}"
        field.label, field.type, field.type_name = _F.LABEL_REPEATED, _F.TYPE_MESSAGE, inside
        plain_key = key.type in MAP_KEYS and not wrapped(key, self.options)
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
