"""StringConverter and ByteArrayConverter, as converters and as header converters. Task thread."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from replicator.api import java_text
from replicator.api.config import ConfigDef, Importance, Width, key
from replicator.api.converter import Converter, HeaderConverter, SchemaAndValue
from replicator.api.errors import ConfigError, DataError
from replicator.api.option_types import Type
from replicator.api.schema import OPTIONAL_BYTES, OPTIONAL_STRING, Schema, SchemaType

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
    return java_text.text_of(value, _other)


def _other(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise DataError("Failed to serialize to a string: bytes have no text form")
    return str(value)
