"""Protobuf messages as Connect schemas, by the rules of Confluent's Protobuf converter. Pure, any thread."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from replicator.api.errors import DataError
from replicator.api.logical import DECIMAL, TIMESTAMP
from replicator.api.logical_values import PRECISION_PARAMETER
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry import proto_meta
from replicator.converters.registry.proto_names import (
    ENUM,
    NARROW,
    OF_LOGICAL,
    OF_SCALARS,
    TAG,
    UNION,
    ProtoOptions,
    in_real_oneof,
    is_map,
    is_repeated,
    real_oneofs,
    unwraps,
)
from replicator.converters.registry.sums import SUM_ENUM, SUM_UNION


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
        kind = OF_SCALARS.get(field.type)
        if kind is None:
            raise DataError(f"Unknown Connect schema type: {field.type}")
        if kind is SchemaType.INT32:
            narrow = proto_meta.params(field.GetOptions()).get("connect.type", "")
            kind = NARROW.get(narrow, kind)
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
        logical = OF_LOGICAL.get(message.full_name)
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
            return Schema(NARROW.get(narrow, wrapper), optional=True)
        return self._struct(message, optional=True)

    def _decimal(self, field: FieldDescriptor) -> Schema:
        params = proto_meta.params(field.GetOptions())
        scale = params.get("scale", "0")
        parameters = {"scale": scale if scale.lstrip("-").isdigit() else "0"}
        if params.get("precision", "").isdigit():
            parameters[PRECISION_PARAMETER] = params["precision"]
        return Schema(SchemaType.BYTES, name=DECIMAL, version=1, parameters=parameters, optional=True)


def _snake(name: str) -> str:
    made = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return made.lstrip("_")
