"""The value a header's text stands for: the narrowest type that holds it without loss (INV-7). Pure; task thread.

A decimal becomes a float only when the float prints the same number again. What no rule fits is a string.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from replicator.api.converter import SchemaAndValue
from replicator.api.errors import DataError
from replicator.api.logical import date_schema, decimal_schema, time_schema, timestamp_schema
from replicator.api.schema import (
    BOOLEAN,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    Schema,
    SchemaType,
    array_schema,
    map_schema,
)

_NUMBER: Final = re.compile(r"([+-]?\d+\.?\d*|[+-]\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_INTEGERS: Final = ((INT8, 7), (INT16, 15), (INT32, 31), (INT64, 63))
_WIDTH: Final = {SchemaType.INT8: 0, SchemaType.INT16: 1, SchemaType.INT32: 2, SchemaType.INT64: 3}
_FLOAT_WIDTH: Final = {SchemaType.FLOAT32: 4, SchemaType.FLOAT64: 5}
NULL: Final = SchemaAndValue(None, None)


def infer(text: str) -> SchemaAndValue:
    """The value a header's text stands for."""
    stripped = text.strip()
    if stripped[:1] in ("[", "{"):
        try:
            return _Reader(stripped).whole()
        except (DataError, RecursionError):
            return SchemaAndValue(STRING, text)
    found = _scalar(stripped)
    return SchemaAndValue(STRING, text) if found is None else found


def _scalar(text: str) -> SchemaAndValue | None:
    if text == "null":
        return NULL
    if text in ("true", "false"):
        return SchemaAndValue(BOOLEAN, text == "true")
    if _NUMBER.fullmatch(text):
        return _number(Decimal(text))
    try:
        if _DATE.fullmatch(text):
            return SchemaAndValue(date_schema(), dt.date.fromisoformat(text))
        if _TIME.fullmatch(text):
            return SchemaAndValue(time_schema(), dt.time.fromisoformat(text[:-1]))
        if _TIMESTAMP.fullmatch(text):
            return SchemaAndValue(timestamp_schema(), dt.datetime.fromisoformat(text[:-1]))
    except ValueError:
        return None  # the form of a date, but no such day
    return None


def _number(number: Decimal) -> SchemaAndValue:
    if number.adjusted() < 20 and number == number.to_integral_value():
        whole = int(number)
        for schema, bits in _INTEGERS:
            if -(1 << bits) <= whole < 1 << bits:
                return SchemaAndValue(schema, whole)
    exponent = number.as_tuple().exponent
    scale = -exponent if isinstance(exponent, int) else 0
    if scale != 0:
        double = float(number)
        if _is_single(number, double):
            return SchemaAndValue(FLOAT32, double)
        if math.isfinite(double) and Decimal(repr(double)) == number:
            return SchemaAndValue(FLOAT64, double)
    return SchemaAndValue(decimal_schema(scale), number)


def _is_single(number: Decimal, double: float) -> bool:
    """Whether a single precision float prints these very digits, or is this very number."""
    try:
        single = struct.unpack(">f", struct.pack(">f", double))[0]
    except OverflowError:
        return False
    if single == double and Decimal(repr(double)) == number:
        return True
    shortest = next((t for t in (f"{single:.{n}g}" for n in range(1, 10)) if _same_single(t, single)), "")
    return bool(shortest) and Decimal(shortest) == number


def _same_single(text: str, single: float) -> bool:
    try:
        return bool(struct.unpack(">f", struct.pack(">f", float(text)))[0] == single)
    except OverflowError:
        return False


class _Reader:
    """Reads `[...]` and `{k:v}`; DataError means that the text is a plain string after all."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> SchemaAndValue:
        found = self._value()
        if self.at != len(self.text):
            raise DataError("text after the end of the value")
        return found

    def _value(self) -> SchemaAndValue:
        self._skip_space()
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            return self._list()
        if opening == "{":
            return self._map()
        if opening == '"':
            return SchemaAndValue(STRING, self._string())
        return self._token()

    def _list(self) -> SchemaAndValue:
        elements: list[SchemaAndValue] = []
        self._expect("[")
        while not self._took("]"):
            if elements:
                self._expect(",")
                if self._took("]"):
                    break
            elements.append(self._value())
        element = common_schema([e.schema for e in elements if e.value is not None])
        values = [_as_member(element, e.value) for e in elements]
        return SchemaAndValue(element and array_schema(element), values)

    def _map(self) -> SchemaAndValue:
        entries: list[tuple[SchemaAndValue, SchemaAndValue]] = []
        self._expect("{")
        while not self._took("}"):
            if entries:
                self._expect(",")
                if self._took("}"):
                    break
            name = self._value()
            self._expect(":")
            entries.append((name, self._value()))
        keys = common_schema([k.schema for k, _ in entries])
        values = common_schema([v.schema for _, v in entries if v.value is not None])
        try:
            value = {_as_member(keys, k.value): _as_member(values, v.value) for k, v in entries}
        except TypeError as error:
            raise DataError("a container cannot be a key") from error
        return SchemaAndValue(map_schema(keys, values) if keys and values else None, value)

    def _string(self) -> str:
        characters: list[str] = []
        self.at += 1
        while True:
            character = self._next()
            if character == '"':
                return "".join(characters)
            characters.append(self._next() if character == "\\" else character)

    def _token(self) -> SchemaAndValue:
        characters: list[str] = []
        while self.text[self.at : self.at + 1] not in ("", ",", ":", "]", "}"):
            character = self._next()
            characters.append(self._next() if character == "\\" else character)
        found = _scalar("".join(characters).strip())
        if found is None:
            raise DataError("Failed to parse embedded value")
        return found

    def _next(self) -> str:
        if self.at >= len(self.text):
            raise DataError("the text ends within a value")
        self.at += 1
        return self.text[self.at - 1]

    def _skip_space(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def _took(self, character: str) -> bool:
        self._skip_space()
        if self.text[self.at : self.at + 1] != character:
            return False
        self.at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._took(character):
            raise DataError(f"expected {character}")


def _as_member(schema: Schema | None, value: Any) -> Any:
    """A value as its container's schema has it: among floats, whole numbers are floats too."""
    return (
        float(value) if schema is not None and schema.type in _FLOAT_WIDTH and type(value) is int else value
    )


def common_schema(schemas: Sequence[Schema | None]) -> Schema | None:
    """The schema that holds values of all these schemas, or None."""
    if not schemas or None in schemas:
        return None
    first = schemas[0]
    if all(s == first for s in schemas):
        return first
    widths = {**_WIDTH, **_FLOAT_WIDTH}
    plain = [s for s in schemas if s is not None and s.name is None and s.type in widths]
    if len(plain) != len(schemas):
        return None
    return max(plain, key=lambda s: widths[s.type])
