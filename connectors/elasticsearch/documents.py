"""Values as documents: Connect's values in JSON the server understands. One writer is compiled per schema. Pure.

Decimals are numbers with all their digits, dates are ISO dates, times and timestamps are milliseconds.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import orjson

from replicator.api import DataError, Schema, SchemaType, Struct
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import time_ms, timestamp_ms
from replicator.api.plain_json import NATIVE_TYPES, floating_number, whole_number

Encode = Callable[[Any], Any]


class Documents:
    """Encodes values; keeps what it compiled for the last schemas."""

    def __init__(self, compact_maps: bool) -> None:
        self._compact = compact_maps
        self._compiled: dict[int, tuple[Schema, Encode]] = {}

    def plain(self, schema: Schema | None, value: Any) -> Any:
        """The value in JSON's own types.

        Raises:
            DataError: it does not fit its schema, or has no JSON form.
        """
        if schema is None:
            return self._schemaless(value)
        found = self._compiled.get(id(schema))
        if found is None:
            if len(self._compiled) >= 1000:
                self._compiled.clear()
            found = self._compiled[id(schema)] = schema, self._compile(schema)
        try:
            return found[1](value)
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(f"The value does not fit its schema: {error}") from error

    def _compile(self, schema: Schema) -> Encode:
        encode, default = self._of_type(schema), schema.default
        if default is not None:
            return lambda value: encode(default if value is None else value)
        if schema.optional:
            return lambda value: None if value is None else encode(value)

        def required(value: Any) -> Any:
            if value is None:
                raise DataError("null value for a field that is required and has no default value")
            return encode(value)

        return required

    def _of_type(self, schema: Schema) -> Encode:
        if schema.name in _LOGICAL:
            return _LOGICAL[schema.name]
        if schema.type is SchemaType.STRUCT:
            return self._struct(schema)
        if schema.type in NATIVE_TYPES:
            return lambda value: value
        if schema.type is SchemaType.BYTES:
            return lambda value: base64.b64encode(value).decode()
        if schema.type is SchemaType.ARRAY:
            element = self._inner(schema.value_schema)
            return lambda value: [element(member) for member in value]
        if schema.type is SchemaType.MAP:
            return self._map(schema)
        return _float

    def _struct(self, schema: Schema) -> Encode:
        fields = [(field.name, self._compile(field.schema)) for field in schema.fields]

        def encode(value: Any) -> dict[str, Any]:
            get = (value.fields if isinstance(value, Struct) else value).get
            return {name: write(get(name)) for name, write in fields}

        return encode

    def _map(self, schema: Schema) -> Encode:
        keys, values = self._inner(schema.key_schema), self._inner(schema.value_schema)
        if self._compact and schema.key_schema is not None and schema.key_schema.type is SchemaType.STRING:
            return lambda value: {str(k): values(v) for k, v in value.items()}
        return lambda value: [{"key": keys(k), "value": values(v)} for k, v in value.items()]

    def _inner(self, schema: Schema | None) -> Encode:
        return self._schemaless if schema is None else self._compile(schema)

    def _schemaless(self, value: Any) -> Any:
        if value is None or isinstance(value, (str, bool)):
            return value
        if isinstance(value, int):
            return whole_number(value)
        if isinstance(value, float):
            return _float(value)
        if isinstance(value, Struct):
            return self.plain(value.schema, value)
        if isinstance(value, dict):
            return {str(k): self._schemaless(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._schemaless(member) for member in value]
        return _object(value)


def _float(value: Any) -> Any:
    # The server refuses the text of what is no number where the field is one, and says so.
    return floating_number(float(value))


def _decimal(value: Any) -> Any:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise DataError(f"{value!r} is no decimal number")
    return orjson.Fragment(str(value))


def _date(value: dt.date) -> str:
    return value.strftime("%Y-%m-%d") if value.year >= 1000 else f"{value.year:04d}-{value:%m-%d}"


_LOGICAL: Final[dict[str | None, Encode]] = {
    DECIMAL: _decimal,
    DATE: _date,
    TIME: time_ms,
    TIMESTAMP: timestamp_ms,
}
_OBJECTS: Final[tuple[tuple[type, Encode], ...]] = (
    (bytes, lambda value: base64.b64encode(value).decode()),
    (bytearray, lambda value: base64.b64encode(value).decode()),
    (memoryview, lambda value: base64.b64encode(value).decode()),
    (Decimal, _decimal),
    (dt.datetime, timestamp_ms),
    (dt.date, _date),
    (dt.time, time_ms),
)


def _object(value: Any) -> Any:
    for type_, encode in _OBJECTS:
        if isinstance(value, type_):
            return encode(value)
    raise DataError(f"Converting to JSON failed: {type(value).__name__} has no JSON form")
