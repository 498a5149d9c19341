"""Canonical forms: bytes that are equal on both sides exactly when the values are.

Databases print values in their own ways; verification compares these forms instead. The kinds are
those of `ColumnInfo.kind`. Pure functions.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

Normaliser = Callable[[bytes], bytes]

SORTED_ALIKE: Final = frozenset({"int", "uuid", "text"})
"""Kinds of key columns that source and target order in the same way (C24)."""

LOSSY: Final = frozenset({"numeric", "float4", "float8", "date", "timestamp", "timestamptz", "jsonb"})
"""Kinds with values that some targets cannot hold, so that the type's policy decides what is stored."""


def double(text: bytes) -> bytes:
    """Shortest text of a double."""
    return repr(float(text)).encode()


def single(text: bytes) -> bytes:
    """Shortest text of the double that equals a 4-byte float."""
    value = float(text)
    try:
        value = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return repr(value).encode()
    return repr(value).encode()


def plain_decimal(text: bytes) -> bytes:
    """A decimal without exponent, without trailing zeros of the fraction, without a negative zero."""
    if text.strip(b"0123456789"):
        number = Decimal(text.decode())
        if not number.is_finite():
            return str(number).encode()
        text = format(number, "f").encode()
    if b"." in text:
        text = text.rstrip(b"0").rstrip(b".")
    return b"0" if text in (b"-0", b"") else text


def json_by_value(text: bytes) -> bytes:
    """JSON with sorted keys, no spaces, and numbers as plain decimals; a text that is none stays as it is."""
    try:
        tree = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        return text
    return _dump(tree).encode()


def _dump(tree: Any) -> str:
    if isinstance(tree, dict):
        return "{" + ",".join(f"{_quote(k)}:{_dump(tree[k])}" for k in sorted(tree)) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(_dump(v) for v in tree) + "]"
    if isinstance(tree, Decimal):
        return plain_decimal(str(tree).encode()).decode()
    if isinstance(tree, bool):
        return "true" if tree else "false"
    return "null" if tree is None else _quote(str(tree))


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_ISO_PART = re.compile(rb"(-?[\d.]+)([YMWDHS])")
_MICROS = {b"H": Decimal(3_600_000_000), b"M": Decimal(60_000_000), b"S": Decimal(1_000_000)}
_MONTHS = {b"Y": 12, b"M": 1}
_DAYS = {b"W": 7, b"D": 1}


def interval(text: bytes) -> bytes:
    """An ISO 8601 duration as months, days and microseconds, which Postgres keeps apart."""
    dates, _, times = text.partition(b"T")
    months = sum(int(n) * _MONTHS[u] for n, u in _ISO_PART.findall(dates) if u in _MONTHS)
    days = sum(int(n) * _DAYS[u] for n, u in _ISO_PART.findall(dates) if u in _DAYS)
    micros = sum((Decimal(n.decode()) * _MICROS[u] for n, u in _ISO_PART.findall(times)), Decimal(0))
    return b"%d months %d days %d us" % (months, days, int(micros))


def microseconds(text: bytes) -> bytes:
    """A time or timestamp with six digits of fraction."""
    whole, dot, fraction = text.partition(b".")
    return whole + b"." + (fraction[:6] if dot else b"").ljust(6, b"0")


NORMALISERS: Final[dict[str, Normaliser]] = {
    "float8": double,
    "float4": single,
    "numeric": plain_decimal,
    "jsonb": json_by_value,
    "array": json_by_value,
    "hstore": json_by_value,
    "interval": interval,
}
