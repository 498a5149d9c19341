"""SimpleHeaderConverter: header values as text, types guessed when reading. Task thread.

A text is read as the narrowest type that holds it without loss, so a decimal becomes a float only
when the float prints the same number again. What no rule fits is a string; what is not UTF-8 is bytes.
"""

from __future__ import annotations

import datetime as dt
from binascii import b2a_base64
from typing import Any, ClassVar

from replicator.api.converter import HeaderConverter, SchemaAndValue
from replicator.api.errors import DataError
from replicator.api.java_text import text_of_float
from replicator.api.schema import (
    BYTES,
    Schema,
)
from replicator.api.struct import Struct
from replicator.converters.header_inference import NULL, infer


class SimpleHeaderConverter(HeaderConverter):
    """Writes text; reads text with inferred types."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.storage.SimpleHeaderConverter",)

    def from_connect_header(self, topic: str, key: str, schema: Schema | None, value: Any) -> bytes | None:
        if value is None:
            return None
        try:
            return to_text(value, embedded=False).encode()
        except UnicodeEncodeError as error:
            raise DataError(f"Failed to write header {key}: {error}") from error

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> SchemaAndValue:
        if data is None:
            return NULL
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return SchemaAndValue(BYTES, data)
        return infer(text)


def to_text(value: Any, *, embedded: bool) -> str:
    """The text of a value; strings inside containers are quoted."""
    if isinstance(value, str):
        return _quoted(value) if embedded else value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b2a_base64(value, newline=False).decode("ascii")
    if isinstance(value, Struct):
        value = dict(iter(value))
    if isinstance(value, dict):
        pairs = (f"{to_text(k, embedded=True)}:{to_text(v, embedded=True)}" for k, v in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(to_text(v, embedded=True) for v in value)}]"
    return _scalar_text(value)


def _scalar_text(value: Any) -> str:
    if isinstance(value, float):
        return text_of_float(value)
    if isinstance(value, dt.datetime):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    if isinstance(value, dt.time):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    return str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
