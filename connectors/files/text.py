"""The text of a value as Java prints it, so that a file written here looks like one written by Connect. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

from replicator.api import java_text


def line_of(value: Any) -> bytes:
    """The line for a record's value: bytes as they are, everything else as text in UTF-8."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return text_of(value).encode("utf-8", errors="surrogatepass")


def text_of(value: Any) -> str:
    """`String.valueOf` of the value."""
    return java_text.text_of(value, _other)


def _other(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", errors="replace")
    return _date(value) if isinstance(value, (dt.date, dt.time)) else str(value)


def _date(value: dt.date | dt.time) -> str:
    """Like `java.util.Date.toString` in UTC."""
    if isinstance(value, dt.time):
        value = dt.datetime.combine(dt.date(1970, 1, 1), value)
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day} {months[moment.month - 1]} {moment:%d %H:%M:%S} UTC {moment.year}"
