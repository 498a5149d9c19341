"""The text of a value as Java prints it, so that a file written here looks like one written by Connect. Pure."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any, Final

from replicator.api import Struct

_PLAIN_LOW: Final = 1e-3
_PLAIN_HIGH: Final = 1e7


def line_of(value: Any) -> bytes:
    """The line for a record's value: bytes as they are, everything else as text in UTF-8."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return text_of(value).encode("utf-8", errors="surrogatepass")


def text_of(value: Any) -> str:
    """`String.valueOf` of the value."""
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Struct):
        members = (f"{name}={text_of(member)}" for name, member in value if member is not None)
        return f"Struct{{{','.join(members)}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{text_of(k)}={text_of(v)}' for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(text_of(member) for member in value)}]"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", errors="replace")
    if isinstance(value, (dt.date, dt.time)):
        return _date(value)
    return _decimal(value) if isinstance(value, Decimal) else str(value)


def _float(value: float) -> str:
    """Like `Double.toString`: plain between 10^-3 and 10^7, else with an exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or _PLAIN_LOW <= abs(value) < _PLAIN_HIGH:
        return format(Decimal(repr(value)), "f") if "e" in repr(value) else repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).rstrip("0") or "0"
    exponent += len(digits) - 1
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{exponent}"


def _decimal(value: Decimal) -> str:
    """Like `BigDecimal.toString`."""
    return str(value)


def _date(value: dt.date | dt.time) -> str:
    """Like `java.util.Date.toString` in UTC."""
    if isinstance(value, dt.time):
        value = dt.datetime.combine(dt.date(1970, 1, 1), value)
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day} {months[moment.month - 1]} {moment:%d %H:%M:%S} UTC {moment.year}"
