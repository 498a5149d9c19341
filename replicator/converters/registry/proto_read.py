"""Compiles (Connect schema, message) into a function from messages to Connect values. One closure per field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from replicator.api.errors import DataError
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import decimal_of
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.registry.proto_names import is_map, is_repeated, real_oneofs, unwraps
from replicator.converters.registry.proto_scalars import scalar_writer
from replicator.converters.registry.proto_to_connect import FromProto

Make = Callable[[Any], Any]

_EPOCH: Final = dt.datetime(1970, 1, 1)


class ReadCompiler:
    """Compiles readers under one set of options."""

    def __init__(self, names: FromProto) -> None:
        self._names = names
        self._options = names.options

    def message(self, schema: Schema, message: Descriptor) -> Make:
        """The function from messages to dicts of fields."""
        takes: list[tuple[str, Make]] = []
        for oneof in real_oneofs(message):
            name = self._names.oneof_name(oneof)
            takes.append((name, self._oneof(schema, name, oneof.name, message)))
        in_oneofs = {f.name for o in real_oneofs(message) for f in o.fields}
        for field in message.fields:
            own = schema.field(field.name)
            if field.name not in in_oneofs and own is not None:
                takes.append((field.name, self._take(own.schema, field)))

        def read(made: Any) -> dict[str, Any]:
            return {name: take(made) for name, take in takes}

        return read

    def _oneof(self, schema: Schema, name: str, oneof: str, message: Descriptor) -> Make:
        field = schema.field(name)
        if field is None:
            raise DataError(f"Cannot find field with name {name}")
        union = field.schema
        members = {f.name: self._value(f.schema, message.fields_by_name[f.name]) for f in union.fields}

        def take(made: Any) -> Any:
            chosen = made.WhichOneof(oneof)
            if chosen is None:
                return None
            return Struct(union, {chosen: members[chosen](getattr(made, chosen))})

        return take

    def _take(self, schema: Schema, field: FieldDescriptor) -> Make:
        name = field.name
        convert = self._value(schema, field)
        present_only = field.message_type is not None or (
            self._options.optional_for_nullables and field.has_presence
        )
        if present_only and not is_repeated(field):
            return lambda made: convert(getattr(made, name)) if made.HasField(name) else None
        return lambda made: convert(getattr(made, name))

    def _value(self, schema: Schema, field: FieldDescriptor) -> Make:
        if schema.type is SchemaType.MAP and field.message_type is not None:
            return self._map(schema, field.message_type)
        if schema.type is SchemaType.ARRAY and schema.value_schema is not None:
            element = self._single(schema.value_schema, field)
            return lambda values: [element(v) for v in values]
        return self._single(schema, field)

    def _map(self, schema: Schema, entry: Descriptor) -> Make:
        if schema.key_schema is None or schema.value_schema is None or not is_map(entry):
            raise DataError("Map schema did not specify the key or value type")
        of_key = self._value(schema.key_schema, entry.fields_by_name["key"])
        of_value = self._value(schema.value_schema, entry.fields_by_name["value"])
        if entry.GetOptions().map_entry:
            return lambda found: {of_key(k): of_value(found[k]) for k in found}
        take_key = self._take(schema.key_schema, entry.fields_by_name["key"])
        take_value = self._take(schema.value_schema, entry.fields_by_name["value"])
        return lambda found: {take_key(e): take_value(e) for e in found}

    def _single(self, schema: Schema, field: FieldDescriptor) -> Make:
        message = field.message_type
        if message is not None:
            if schema.name in _LOGICAL_READERS:
                return _LOGICAL_READERS[str(schema.name)]
            if schema.type is SchemaType.STRUCT:
                read = self.message(schema, message)
                return lambda value: Struct(schema, read(value))
            if unwraps(message, self._options) is not None:
                return lambda value: value.value
        enum = field.enum_type
        if enum is not None and schema.type is SchemaType.STRING:
            names, prefix = {v.number: v.name for v in enum.values}, f"UNKNOWN_ENUM_VALUE_{enum.name}_"
            return lambda number: names.get(number, f"{prefix}{number}")
        if schema.type is SchemaType.INT64 and field.type in (
            FieldDescriptor.TYPE_UINT64,
            FieldDescriptor.TYPE_FIXED64,
        ):
            # Java's long: what is above its range wraps there, here it is refused.
            return scalar_writer(schema)
        return _same


def _same(value: Any) -> Any:
    return value


def _read_decimal(value: Any) -> Decimal:
    return decimal_of(value.value, value.scale)


def _read_date(value: Any) -> dt.date:
    try:
        return dt.date(value.year, value.month, value.day)
    except ValueError as error:
        raise DataError(f"No date: {value.year}-{value.month}-{value.day}") from error


def _read_time(value: Any) -> dt.time:
    try:
        return dt.time(value.hours, value.minutes, value.seconds, value.nanos // 1_000_000 * 1000)
    except ValueError as error:
        raise DataError(f"No time: {value.hours}:{value.minutes}:{value.seconds}") from error


def _read_timestamp(value: Any) -> dt.datetime:
    try:
        return _EPOCH + dt.timedelta(seconds=value.seconds, milliseconds=value.nanos // 1_000_000)
    except OverflowError as error:
        raise DataError(f"Timestamp {value.seconds} is outside the years 1 to 9999") from error


_LOGICAL_READERS: Final[dict[str, Make]] = {
    DECIMAL: _read_decimal,
    DATE: _read_date,
    TIME: _read_time,
    TIMESTAMP: _read_timestamp,
}
