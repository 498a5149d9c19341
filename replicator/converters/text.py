"""StringConverter and ByteArrayConverter, as converters and as header converters. Task thread."""

from __future__ import annotations

import codecs
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef, Importance, Type, Width, key
from replicator.api.converter import Converter, HeaderConverter, SchemaAndValue
from replicator.api.errors import ConfigError, DataError
from replicator.api.schema import OPTIONAL_BYTES, OPTIONAL_STRING, Schema, SchemaType
from replicator.api.struct import Struct

_PACKAGE: Final = "org.apache.kafka.connect."


class DataAsHeader(Converter, HeaderConverter):
    """A converter that treats header values like record values."""

    def from_connect_header(self, topic: str, key: str, schema: Schema | None, value: Any) -> bytes | None:
        return self.from_connect_data(topic, schema, value)

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> SchemaAndValue:
        return self.to_connect_data(topic, data)


class StringConverter(DataAsHeader):
    """Writes the text form of any value; reads strings."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}storage.StringConverter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "converter.encoding",
                Type.STRING,
                "UTF-8",
                importance=Importance.HIGH,
                width=Width.MEDIUM,
                display_name="Encoding",
                doc="The name of the character set used to encode and decode strings.",
            )
        )

    def __init__(self) -> None:
        self._encoding = "utf-8"

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        name = self.config_def().parse(config)["converter.encoding"]
        try:
            self._encoding = codecs.lookup(name).name
        except LookupError as error:
            raise ConfigError(
                f"Invalid value {name} for configuration converter.encoding: unknown character set",
                option="converter.encoding",
            ) from error

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if value is None:
            return None
        try:
            return text_of(value).encode(self._encoding)
        except UnicodeEncodeError as error:
            raise DataError(f"Failed to serialize to a string: {error}") from error

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        if data is None:
            return SchemaAndValue(OPTIONAL_STRING, None)
        try:
            return SchemaAndValue(OPTIONAL_STRING, data.decode(self._encoding))
        except UnicodeDecodeError as error:
            raise DataError(f"Failed to deserialize string: {error}") from error


class ByteArrayConverter(DataAsHeader):
    """Passes bytes through."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}converters.ByteArrayConverter",)

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if schema is not None and schema.type is not SchemaType.BYTES:
            raise DataError(f"Invalid schema type for ByteArrayConverter: {schema.type.name}")
        if value is None or type(value) is bytes:
            return value
        if isinstance(value, (bytearray, memoryview)):
            return bytes(value)
        raise DataError(f"ByteArrayConverter is not compatible with objects of type {type(value).__name__}")

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        return SchemaAndValue(OPTIONAL_BYTES, data)


def text_of(value: Any) -> str:
    """The text form of a value: strings as they are, containers like Connect prints them.

    Raises:
        DataError: bytes have no text form.
    """
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return text_of_float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise DataError("Failed to serialize to a string: bytes have no text form")
    if isinstance(value, Struct):
        members = (f"{name}={text_of(v)}" for name, v in value if v is not None)
        return f"Struct{{{','.join(members)}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{text_of(k)}={text_of(v)}' for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(text_of(v) for v in value)}]"
    return str(value)


def text_of_float(value: float) -> str:
    """A float as Java prints a double: 1.0E10 from ten million on and below a thousandth."""
    if not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = repr(value)
        return plain if "e" not in plain else format(Decimal(plain), "f")
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{len(digits) - 1 + int(exponent)}"
