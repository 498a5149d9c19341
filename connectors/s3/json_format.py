"""Records as lines of JSON, as Connect's JsonConverter without schemas writes them. Pure but for the buffer."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
from decimal import Decimal
from typing import Any, Final, Protocol

import orjson

from connectors.s3.plain import unscaled
from replicator.api import DataError, Schema, SchemaType, Struct
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import days_of, scale_of, time_ms, timestamp_ms
from replicator.api.plain_json import NATIVE_TYPES, dumps, floating_number, whole_number


class Output(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take bytes."""
        ...

    def flush(self) -> object:
        """Nothing is kept back."""
        ...


class LineWriter:
    """One file of lines; also of raw bytes, which are lines of another kind."""

    def __init__(self, output: Output, level: int | None) -> None:
        self._output = output
        # The same records give the same bytes: no time of writing in the header.
        self._gzip = None if level is None else gzip.GzipFile("", "wb", 9 if level < 0 else level, output, 0)

    def append(self, data: bytes) -> None:
        """Append what was prepared."""
        (self._gzip or self._output).write(data)

    def close(self) -> None:
        """End the compression, if there is any."""
        if self._gzip is not None:
            self._gzip.close()


class JsonWriter(LineWriter):
    """Lines of JSON."""

    def __init__(self, output: Output, level: int | None, numeric: bool) -> None:
        super().__init__(output, level)
        self._numeric = numeric

    def prepare(self, schema: Schema | None, value: Any) -> bytes:
        """A record's line.

        Raises:
            DataError: it cannot be JSON.
        """
        return dumps(json_of(schema, value, self._numeric)) + b"\n"


class BytesWriter(LineWriter):
    """Values as they are, with a separator after each."""

    def __init__(self, output: Output, level: int | None, separator: bytes) -> None:
        super().__init__(output, level)
        self._separator = separator

    def prepare(self, schema: Schema | None, value: Any) -> bytes:
        """A record's bytes.

        Raises:
            DataError: it is not made of bytes.
        """
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise DataError(
                f"ByteArrayFormat takes bytes, not {type(value).__name__}:"
                " set value.converter to org.apache.kafka.connect.converters.ByteArrayConverter"
            )
        return bytes(value) + self._separator


def json_of(schema: Schema | None, value: Any, numeric: bool) -> Any:
    """The value in JSON's own types."""
    if schema is None:
        return value.plain() if isinstance(value, Struct) else _schemaless(value)
    if value is None:
        value = schema.default
        if value is None:
            if not schema.optional:
                raise DataError(
                    "Conversion error: null value for field that is required and has no default value"
                )
            return None
    if schema.type is SchemaType.STRUCT:
        members = value.fields if isinstance(value, Struct) else value
        return {f.name: json_of(f.schema, members.get(f.name), numeric) for f in schema.fields}
    if schema.name in _LOGICAL:
        return _LOGICAL[schema.name](schema, value, numeric)
    if schema.type in NATIVE_TYPES:
        return value
    if schema.type is SchemaType.ARRAY:
        return [json_of(schema.value_schema, member, numeric) for member in value]
    if schema.type is SchemaType.MAP:
        return _map(schema, value, numeric)
    return _schemaless(value)


def _map(schema: Schema, value: dict[Any, Any], numeric: bool) -> Any:
    key_schema, values = schema.key_schema, schema.value_schema
    if key_schema is not None and key_schema.type is SchemaType.STRING and not key_schema.optional:
        return {k: json_of(values, v, numeric) for k, v in value.items()}
    return [[json_of(key_schema, k, numeric), json_of(values, v, numeric)] for k, v in value.items()]


def _schemaless(value: Any) -> Any:
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, int):
        return whole_number(value)
    if isinstance(value, float):
        return floating_number(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, Struct):
        return json_of(value.schema, value, False)
    if isinstance(value, dict):
        return {k if isinstance(k, str) else json.dumps(k): _schemaless(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_schemaless(member) for member in value]
    return _object(value)


def _object(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    if isinstance(value, dt.datetime):
        return timestamp_ms(value)
    if isinstance(value, dt.date):
        return days_of(value) * 86_400_000
    if isinstance(value, dt.time):
        return time_ms(value)
    raise DataError(f"Converting to JSON failed: {type(value).__name__} has no JSON form")


def _decimal(schema: Schema, value: Any, numeric: bool) -> Any:
    if not isinstance(value, Decimal):
        raise DataError(f"Invalid type for Decimal: {type(value).__name__}")
    if numeric:
        return orjson.Fragment(str(value))
    return base64.b64encode(unscaled(value, scale_of(schema))).decode()


_LOGICAL: Final[dict[str | None, Any]] = {
    DECIMAL: _decimal,
    DATE: lambda schema, value, numeric: days_of(value),
    TIME: lambda schema, value, numeric: time_ms(value),
    TIMESTAMP: lambda schema, value, numeric: timestamp_ms(value),
}
