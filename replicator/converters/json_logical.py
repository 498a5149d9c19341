"""Connect's logical types in JSON: Python objects <-> JSON primitives.

Pure functions, any thread. Keeps INV-7: what does not fit raises DataError, nothing is rounded
except Connect's own limit of milliseconds in Time and Timestamp.
"""

from __future__ import annotations

import datetime as dt
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import orjson

from replicator.api.errors import DataError
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import (
    EPOCH,
    EPOCH_DAY,
    MILLISECOND,
    days_of,
    decimal_of,
    time_ms,
    timestamp_ms,
    unscaled_bytes,
)
from replicator.api.schema import Schema

LOGICAL_NAMES: Final = frozenset((DECIMAL, DATE, TIME, TIMESTAMP))

_DAY_MS: Final = 86_400_000


class NeedsExactNumbersError(Exception):
    """A Decimal came as a JSON number: the payload must be parsed again without floats."""


def node_type(value: Any) -> str:
    """The kind of a parsed JSON value, by the names Connect's messages use."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, (int, float, Decimal)):
        return "NUMBER"
    for kind, name in ((str, "STRING"), (dict, "OBJECT"), (list, "ARRAY")):
        if isinstance(value, kind):
            return name
    return "POJO"


def encode_bytes(value: Any) -> str:
    """Base64 text of bytes."""
    try:
        return b2a_base64(value, newline=False).decode("ascii")
    except TypeError as error:
        raise DataError(f"Invalid type for bytes type: {type(value).__name__}") from error


def decode_bytes(value: Any) -> bytes:
    """Bytes of base64 text."""
    if type(value) is not str:
        raise DataError(f"Invalid bytes field: expected base64 text but was {node_type(value)}")
    try:
        return a2b_base64(value, strict_mode=True)
    except (Base64Error, ValueError) as error:
        raise DataError(f"Invalid bytes field: {error}") from error


def encoder(schema: Schema, *, numeric: bool) -> Callable[[Any], Any]:
    """The function that turns a value of a logical schema into something orjson writes."""
    if schema.name == DECIMAL:
        return _numeric_decimal if numeric else _base64_decimal(_scale(schema))
    return {DATE: _from_date, TIME: _from_time, TIMESTAMP: _from_timestamp}[str(schema.name)]


def decoder(schema: Schema) -> Callable[[Any], Any]:
    """The function that turns a parsed JSON value of a logical schema into a Python object."""
    if schema.name == DECIMAL:
        return _to_decimal(_scale(schema))
    return {DATE: _to_date, TIME: _to_time, TIMESTAMP: _to_timestamp}[str(schema.name)]


def _scale(schema: Schema) -> int:
    text = schema.parameters.get("scale")
    if text is None:
        raise DataError("Invalid Decimal schema: scale parameter not found.")
    try:
        return int(text)
    except ValueError as error:
        raise DataError("Invalid scale parameter found in Decimal schema: ") from error


def decimal_parts(value: Any) -> tuple[int, int]:
    """Unscaled integer and scale of a finite Decimal."""
    if not isinstance(value, Decimal):
        raise DataError(f"Invalid type for Decimal, expected BigDecimal but was {type(value).__name__}")
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise DataError(f"Decimal value {value} is not a number")
    # int(str) is linear enough below the interpreter's digit limit, and exact.
    unscaled = int("".join(map(str, digits)) or "0")
    return (-unscaled if sign else unscaled), -exponent


def _base64_decimal(scale: int) -> Callable[[Any], str]:
    def encode(value: Any) -> str:
        unscaled, own = decimal_parts(value)
        if own != scale:
            raise DataError(
                "Decimal value has mismatching scale for given Decimal schema. "
                f"Schema has scale {scale}, value has scale {own}."
            )
        return encode_bytes(unscaled_bytes(unscaled))

    return encode


def _numeric_decimal(value: Any) -> orjson.Fragment:
    decimal_parts(value)
    return orjson.Fragment(str(value))


def _to_decimal(scale: int) -> Callable[[Any], Decimal]:
    def decode(value: Any) -> Decimal:
        if type(value) is str:
            try:
                raw = decode_bytes(value)
            except DataError as error:
                raise DataError("Invalid bytes for Decimal field") from error
            return decimal_of(raw, scale)
        if isinstance(value, Decimal):
            return value
        if type(value) is int:
            return Decimal(value)
        if type(value) is float:
            raise NeedsExactNumbersError
        raise DataError(
            "Invalid type for Decimal, underlying representation should be numeric or bytes but was "
            f"{node_type(value)}"
        )

    return decode


def _from_date(value: Any) -> int:
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise DataError(f"Invalid type for Date, expected Date but was {type(value).__name__}")
    return days_of(value)


def _from_time(value: Any) -> int:
    if not isinstance(value, dt.time):
        raise DataError(f"Invalid type for Time, expected Date but was {type(value).__name__}")
    return time_ms(value)


def _from_timestamp(value: Any) -> int:
    if not isinstance(value, dt.datetime):
        raise DataError(f"Invalid type for Timestamp, expected Date but was {type(value).__name__}")
    return timestamp_ms(value)


def _integer(value: Any, name: str, bits: int, wanted: str = "integer") -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -(1 << bits) <= value < 1 << bits:
        return value
    raise DataError(
        f"Invalid type for {name}, underlying representation should be {wanted} but was {node_type(value)}"
    )


def _to_date(value: Any) -> dt.date:
    days = _integer(value, "Date", 31)
    try:
        return dt.date.fromordinal(days + EPOCH_DAY)
    except (ValueError, OverflowError) as error:
        raise DataError(f"Date {days} is outside the years 1 to 9999") from error


def _to_time(value: Any) -> dt.time:
    milliseconds = _integer(value, "Time", 31)
    if not 0 <= milliseconds < _DAY_MS:
        raise DataError("Time values must use number of milliseconds greater than 0 and less than 86400000")
    seconds, milliseconds = divmod(milliseconds, 1000)
    return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, milliseconds * 1000)


def _to_timestamp(value: Any) -> dt.datetime:
    milliseconds = _integer(value, "Timestamp", 63, "integral")
    try:
        return EPOCH + milliseconds * MILLISECOND
    except OverflowError as error:
        raise DataError(f"Timestamp {milliseconds} is outside the years 1 to 9999") from error
