"""Values as the schema encodes them -> one plain form per kind, the same for every target.

| kind            | plain form                                                               |
|-----------------|--------------------------------------------------------------------------|
| decimal         | text without exponent; `NaN`, `Infinity`, `-Infinity`                     |
| date            | `2017-09-15`; years before 1 and above 9999 as signed ISO years           |
| time            | `12:00:00.123456`, also `24:00:00`                                        |
| timestamp       | `2020-01-01 12:00:00.123456`, zoned ones in UTC; `infinity`, `-infinity`  |
| bits            | int                                                                       |
| JSON kinds      | JSON text                                                                 |

Pure functions; None never comes here.
"""

from __future__ import annotations

import base64
from decimal import Context, Decimal
from typing import Any, Final

import orjson

from connectors.jdbc.types.contract import Contract, Kind
from connectors.jdbc.types.decode_times import (
    Decoder,
    date_number,
    date_text,
    time_number,
    timestamp_number,
    timestamp_text,
)
from replicator.api import DataError, SchemaType, Struct

_DECIMAL_WORDS: Final = {
    "NAN": "NaN",
    "POSITIVE_INFINITY": "Infinity",
    "NEGATIVE_INFINITY": "-Infinity",
    "INFINITY": "Infinity",
    "+INFINITY": "Infinity",
    "-INFINITY": "-Infinity",
}


def decoder(contract: Contract) -> Decoder:
    """The function that brings this contract's values into plain form."""
    kind, schema = contract.kind, contract.schema
    if kind is Kind.DECIMAL:
        return decimal_text
    if kind is Kind.DATE:
        return date_number(schema.name or "") if schema.type is SchemaType.INT32 else date_text
    if kind is Kind.TIME:
        return time_number(schema.name or "")
    if kind is Kind.TIMESTAMP:
        return timestamp_number(schema.name or "")
    if kind is Kind.ZONED_TIMESTAMP:
        return timestamp_text
    if kind is Kind.BITS or (kind is Kind.VARBITS and schema.type is SchemaType.BYTES):
        return bits_number
    if kind in {Kind.JSON, Kind.JSONB, Kind.ARRAY, Kind.STRUCT}:
        return json_text
    return _same


def _same(value: Any) -> Any:
    return value


# --- numbers ---


def decimal_text(value: Any) -> str:
    """A number as plain decimal text."""
    if isinstance(value, str):
        word = _DECIMAL_WORDS.get(value.strip().upper())
        if word is not None:
            return word
        try:
            value = Decimal(value.replace(",", "").replace("$", "") if "$" in value else value)
        except ArithmeticError:
            raise DataError(f"not a decimal number: {value[:80]!r}") from None
    elif isinstance(value, Struct):
        value = value.fields
    if isinstance(value, dict):
        value = Decimal(int.from_bytes(value["value"], "big", signed=True)).scaleb(
            -int(value["scale"]), _WIDE
        )
    elif isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, Decimal):
        raise DataError(f"not a decimal number: {type(value).__name__}")
    return f"{value:f}" if value.is_finite() else _DECIMAL_WORDS[str(value).upper()]


_WIDE: Final = Context(prec=200_000)


def bits_number(value: Any) -> int:
    """Debezium's Bits: little endian."""
    if isinstance(value, bool):
        return int(value)
    return int.from_bytes(value, "little")


# --- times ---


# --- JSON ---


def json_text(value: Any) -> str:
    """JSON text as it is; lists, maps and structs become JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        # orjson would make null of them.
        value = [str(item) if isinstance(item, float) and item - item != 0.0 else item for item in value]
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError) as error:
        raise DataError(f"not expressible as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return value.fields
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}".encode()) if value.is_finite() else str(value)
    raise TypeError(type(value).__name__)
