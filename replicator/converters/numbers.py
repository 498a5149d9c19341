"""Converters of single numbers and booleans: fixed width, big endian, as Kafka's serdes. Task thread."""

from __future__ import annotations

import struct
from typing import Any, ClassVar

from replicator.api.converter import SchemaAndValue
from replicator.api.errors import DataError
from replicator.api.schema import (
    OPTIONAL_BOOLEAN,
    OPTIONAL_FLOAT32,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT16,
    OPTIONAL_INT32,
    OPTIONAL_INT64,
    Schema,
    SchemaType,
)
from replicator.converters.text import DataAsHeader


class NumberConverter(DataAsHeader):
    """What the number converters share; a subclass names its format and schema."""

    layout: ClassVar[struct.Struct]
    schema: ClassVar[Schema]
    type_name: ClassVar[str]

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if value is None:
            return None
        try:
            if isinstance(value, bool):
                raise TypeError("a boolean is not a number")
            return self.layout.pack(value)
        except (struct.error, TypeError, OverflowError) as error:
            raise DataError(f"Failed to serialize to a {self.type_name}: {error}") from error

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        if data is None:
            return SchemaAndValue(self.schema, None)
        if len(data) != self.layout.size:
            raise DataError(
                f"Failed to deserialize {self.type_name}: Size of data received is not {self.layout.size}"
            )
        return SchemaAndValue(self.schema, self.layout.unpack(data)[0])


class ShortConverter(NumberConverter):
    """16 bit integers."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.converters.ShortConverter",)
    layout = struct.Struct(">h")
    schema = OPTIONAL_INT16
    type_name = "short"


class IntegerConverter(NumberConverter):
    """32 bit integers."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.converters.IntegerConverter",)
    layout = struct.Struct(">i")
    schema = OPTIONAL_INT32
    type_name = "integer"


class LongConverter(NumberConverter):
    """64 bit integers."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.converters.LongConverter",)
    layout = struct.Struct(">q")
    schema = OPTIONAL_INT64
    type_name = "long"


class FloatConverter(NumberConverter):
    """Single precision floats."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.converters.FloatConverter",)
    layout = struct.Struct(">f")
    schema = OPTIONAL_FLOAT32
    type_name = "float"


class DoubleConverter(NumberConverter):
    """Double precision floats."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.converters.DoubleConverter",)
    layout = struct.Struct(">d")
    schema = OPTIONAL_FLOAT64
    type_name = "double"


class BooleanConverter(DataAsHeader):
    """One byte, 1 or 0."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.converters.BooleanConverter",)

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if schema is not None and schema.type is not SchemaType.BOOLEAN:
            raise DataError(f"Invalid schema type for BooleanConverter: {schema.type.name}")
        if value is None:
            return None
        if not isinstance(value, bool):
            raise DataError(f"Failed to serialize to a boolean: {type(value).__name__}")
        return b"\x01" if value else b"\x00"

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        if data is None:
            return SchemaAndValue(OPTIONAL_BOOLEAN, None)
        if len(data) != 1:
            raise DataError("Failed to deserialize boolean: Size of data received is not 1")
        if data not in (b"\x00", b"\x01"):
            raise DataError(f"Failed to deserialize boolean: Unexpected byte received: {data[0]}")
        return SchemaAndValue(OPTIONAL_BOOLEAN, data == b"\x01")
