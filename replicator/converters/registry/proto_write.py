"""Compiles (Connect schema, message) into a function from Connect values to messages.

One closure per field; the functions are made once per schema. Nothing is rounded: what a field cannot
hold raises DataError, except Connect's own limit of milliseconds (INV-7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from replicator.api.errors import DataError
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry.avro_scalars import class_name, fields_of
from replicator.converters.registry.proto_from_connect import ToProto
from replicator.converters.registry.proto_names import is_union
from replicator.converters.registry.proto_scalars import (
    Make,
    _date_writer,
    _decimal_writer,
    _enum_writer,
    _time_writer,
    _timestamp_writer,
    scalar_writer,
)

Put = Callable[[Any, Any], None]


class WriteCompiler:
    """Compiles writers under one set of options."""

    def __init__(self, to_proto: ToProto, *, ignore_default: bool = False) -> None:
        self._to_proto = to_proto
        self._ignore_default = ignore_default
        self._known: dict[tuple[int, str], tuple[Schema, Make]] = {}

    def message(self, schema: Schema, message: Descriptor) -> Make:
        """The function from structs to messages."""
        known = self._known.get((id(schema), message.full_name))
        if known is None:
            known = self._known[id(schema), message.full_name] = (schema, self._message(schema, message))
        return known[1]

    def _message(self, schema: Schema, message: Descriptor) -> Make:
        made_class = message_factory.GetMessageClass(message)
        puts: list[tuple[str, Put, Any]] = []
        for field in schema.fields:
            if is_union(field.schema):
                puts.append((field.name, self._union(field.schema, message), None))
                continue
            target = message.fields_by_name.get(self._to_proto.scrub(field.name))
            if target is None:
                raise DataError(f"Cannot find field with name {field.name}")
            default = None if self._ignore_default else field.schema.default
            puts.append((field.name, self._put(field.schema, target), default))

        def make(value: Any) -> Message:
            fields = value if type(value) is dict else fields_of(value)
            made = made_class()
            get = fields.get
            for name, put, default in puts:
                one = get(name)
                if one is None:
                    one = default
                if one is not None:
                    put(made, one)
            return made

        return make

    def _union(self, schema: Schema, message: Descriptor) -> Put:
        puts: dict[str, Put] = {}
        for field in schema.fields:
            target = message.fields_by_name.get(self._to_proto.scrub(field.name))
            if target is None:
                raise DataError(f"Cannot find field with name {field.name}")
            puts[field.name] = self._put(field.schema, target)

        def put(made: Any, value: Any) -> None:
            fields = value if type(value) is dict else fields_of(value)
            for name, put_one in puts.items():
                one = fields.get(name)
                if one is not None:
                    put_one(made, one)
                    return

        return put

    def _put(self, schema: Schema, field: FieldDescriptor) -> Put:
        name = field.name
        if schema.type is SchemaType.MAP:
            return self._put_map(schema, field)
        if schema.type is SchemaType.ARRAY:
            if schema.value_schema is None:
                raise DataError("Array schema did not specify the element type")
            element = self._single(schema.value_schema, field)

            def put_list(made: Any, value: Any) -> None:
                if not isinstance(value, (list, tuple)):
                    raise DataError(f"Invalid type for ARRAY: {class_name(value)}")
                if any(v is None for v in value):
                    raise DataError("Protobuf's repeated fields cannot hold nulls")
                getattr(made, name).extend([element(v) for v in value])

            return put_list
        single = self._single(schema, field)
        if field.message_type is not None:
            return lambda made, value: getattr(made, name).CopyFrom(single(value))

        def put(made: Any, value: Any) -> None:
            setattr(made, name, single(value))

        return put

    def _put_map(self, schema: Schema, field: FieldDescriptor) -> Put:
        name, entry = field.name, field.message_type
        if schema.key_schema is None or schema.value_schema is None or entry is None:
            raise DataError("Map schema did not specify the key or value type")
        key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
        of_key, of_value = (
            self._put(schema.key_schema, key_field),
            self._put(schema.value_schema, value_field),
        )
        made_class = message_factory.GetMessageClass(entry)
        real = bool(entry.GetOptions().map_entry)

        def put(made: Any, value: Any) -> None:
            if not isinstance(value, dict):
                raise DataError(f"Invalid type for MAP: {class_name(value)}")
            target = getattr(made, name)
            for key, one in value.items():
                pair: Any = made_class()
                if key is not None:
                    of_key(pair, key)
                if one is not None:
                    of_value(pair, one)
                if not real:
                    target.append(pair)
                elif value_field.message_type is not None:
                    target[pair.key].CopyFrom(pair.value)
                else:
                    target[pair.key] = pair.value

        return put

    def _single(self, schema: Schema, field: FieldDescriptor) -> Make:
        message = field.message_type
        if schema.name in _LOGICAL_WRITERS and message is not None:
            return _LOGICAL_WRITERS[str(schema.name)](schema, message)
        if schema.type is SchemaType.STRUCT:
            if message is None:
                raise DataError(f"The field {field.name} holds no message")
            return self.message(schema, message)
        if field.enum_type is not None:
            return _enum_writer(schema, field.enum_type)
        scalar = scalar_writer(schema)
        if message is not None:
            made_class: Any = message_factory.GetMessageClass(message)
            return lambda value: made_class(value=scalar(value))
        return scalar


_LOGICAL_WRITERS: Final[dict[str, Callable[[Schema, Descriptor], Make]]] = {
    DECIMAL: _decimal_writer,
    DATE: _date_writer,
    TIME: _time_writer,
    TIMESTAMP: _timestamp_writer,
}
