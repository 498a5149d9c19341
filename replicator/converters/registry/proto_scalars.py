"""Functions from Connect values to scalars of Protobuf and to its well-known types. Pure; task thread.

Nothing is rounded: what a field cannot hold raises DataError, except Connect's own limit of milliseconds (INV-7).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor

from replicator.api.errors import DataError
from replicator.api.logical_values import unscaled_bytes
from replicator.api.schema import Schema, SchemaType
from replicator.converters.json_logical import decimal_parts, encoder
from replicator.converters.registry.avro_scalars import class_name
from replicator.converters.registry.proto_names import ENUM
from replicator.converters.registry.sums import enum_marker

Make = Callable[[Any], Any]

_INTEGERS: Final = {
    SchemaType.INT8: 1 << 7,
    SchemaType.INT16: 1 << 15,
    SchemaType.INT32: 1 << 31,
    SchemaType.INT64: 1 << 63,
}
_PYTHON: Final[dict[SchemaType, tuple[type, ...]]] = {
    SchemaType.FLOAT32: (float, int),
    SchemaType.FLOAT64: (float, int),
    SchemaType.BOOLEAN: (bool,),
    SchemaType.STRING: (str,),
    SchemaType.BYTES: (bytes, bytearray, memoryview),
}


def scalar_writer(schema: Schema) -> Make:
    """Checks a number, text, boolean or bytes."""
    kind = schema.type
    limit = _INTEGERS.get(kind)
    if limit is not None:

        def integer(value: Any) -> int:
            if type(value) is not int:
                raise DataError(f"Invalid type for {kind.name}: {class_name(value)}")
            if not -limit <= value < limit:
                raise DataError(f"Invalid value for {kind.name}: {value} does not fit")
            return value

        return integer
    types = _PYTHON[kind]

    def checked(value: Any) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and kind is not SchemaType.BOOLEAN):
            raise DataError(f"Invalid type for {kind.name}: {class_name(value)}")
        return value

    if kind is SchemaType.BYTES:
        return lambda value: bytes(checked(value))
    return checked


def _enum_writer(schema: Schema, enum: EnumDescriptor) -> Make:
    by_name = {v.name: v.number for v in enum.values}

    def write(value: Any) -> int:
        if type(value) is int:
            return value
        number = by_name.get(value)
        if number is None:
            marker = enum_marker(schema, ENUM)
            tag = schema.parameters.get(f"{marker}.{value}")
            if tag is None:
                raise DataError(f"{value!r} is no symbol of the enum {enum.full_name}")
            number = int(tag)
        return number

    return write


def _decimal_writer(schema: Schema, message: Descriptor) -> Make:
    made_class: Any = message_factory.GetMessageClass(message)

    def write(value: Any) -> Any:
        unscaled, scale = decimal_parts(value)
        digits = len(str(abs(unscaled)))
        return made_class(value=unscaled_bytes(unscaled), precision=digits, scale=scale)

    return write


def _date_writer(schema: Schema, message: Descriptor) -> Make:
    made_class: Any = message_factory.GetMessageClass(message)

    def write(value: Any) -> Any:
        if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
            raise DataError(f"Invalid type for Date, expected Date but was {class_name(value)}")
        return made_class(year=value.year, month=value.month, day=value.day)

    return write


def _time_writer(schema: Schema, message: Descriptor) -> Make:
    made_class: Any = message_factory.GetMessageClass(message)

    def write(value: Any) -> Any:
        if not isinstance(value, dt.time):
            raise DataError(f"Invalid type for Time, expected Date but was {class_name(value)}")
        nanos = value.microsecond // 1000 * 1_000_000
        return made_class(hours=value.hour, minutes=value.minute, seconds=value.second, nanos=nanos)

    return write


def _timestamp_writer(schema: Schema, message: Descriptor) -> Make:
    made_class: Any = message_factory.GetMessageClass(message)
    to_milliseconds = encoder(schema, numeric=False)

    def write(value: Any) -> Any:
        seconds, milliseconds = divmod(to_milliseconds(value), 1000)
        return made_class(seconds=seconds, nanos=milliseconds * 1_000_000)

    return write
