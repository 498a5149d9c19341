"""Numbers, texts and instants as Java's casts and `toString` make them. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from decimal import Decimal
from typing import Any, Final

DAY_MS: Final = 86_400_000
_EPOCH: Final = dt.datetime(1970, 1, 1)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_MS: Final = dt.timedelta(milliseconds=1)
_INTEGER: Final = re.compile(r"[+-]?\d+")
_DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)", re.ASCII)


def wrap(number: int, bits: int) -> int:
    """The lowest bits as a signed integer."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def narrow(value: float | Decimal, bits: int) -> int:
    """A number cast to an integer type: floats saturate (at 32 bits for the small types), the rest wraps."""
    if isinstance(value, float):
        first = max(bits, 32)
        if math.isnan(value):
            return 0
        limit = 1 << (first - 1)
        whole = -limit if value <= -limit else limit - 1 if value >= limit else int(value)
        return wrap(whole, bits)
    return wrap(int(value), bits)


def parse_integer(text: str, bits: int) -> int:
    """Java's `Byte.parseByte` and its kin.

    Raises:
        ValueError: it is no integer of that width.
    """
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(text)
    number = int(text)
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise ValueError(text)
    return number


def parse_double(text: str) -> float:
    """Java's `Double.parseDouble`, without hexadecimal notation.

    Raises:
        ValueError: it is no number.
    """
    stripped = text.strip()
    if _FLOAT.fullmatch(stripped) is None:
        raise ValueError(text)
    if stripped.endswith(("NaN", "Infinity")):
        return float(stripped.replace("Infinity", "inf"))
    return float(stripped.rstrip("fFdD"))


def parse_decimal(text: str) -> Decimal:
    """Java's `new BigDecimal(text)`.

    Raises:
        ValueError: it is no number.
    """
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(text)
    return Decimal(text)


def single(value: float) -> float:
    """The nearest 32 bit float."""
    try:
        return float(struct.unpack(">f", struct.pack(">f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def double_text(value: float) -> str:
    """Java's `Double.toString`."""
    return _text(value, repr(value))


def single_text(value: float) -> str:
    """Java's `Float.toString`."""
    if not math.isfinite(value):
        return _text(value, "")
    value = single(value)
    shortest = next(t for p in range(1, 10) if single(float(t := f"{value:.{p}g}")) == value)
    return _text(value, shortest)


def _text(value: float, shortest: str) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    sign = "-" if math.copysign(1, value) < 0 else ""
    if value == 0:
        return f"{sign}0.0"
    number = Decimal(shortest)
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0") or "0"
    exponent = number.adjusted()
    if -3 <= exponent < 7:
        plain = format(abs(number), "f")
        return sign + (plain.rstrip("0") + "0" if plain.endswith(".") else _one_decimal(plain))
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _one_decimal(plain: str) -> str:
    whole, _, fraction = plain.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def millis(value: dt.date | dt.time) -> int:
    """Milliseconds since the epoch of a date, a time of day or a (naive, UTC) timestamp."""
    if isinstance(value, dt.datetime):
        return (value - _EPOCH) // _MS
    if isinstance(value, dt.date):
        return (value.toordinal() - _EPOCH_DAY) * DAY_MS
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000


def timestamp(ms: int) -> dt.datetime:
    """The timestamp of milliseconds since the epoch."""
    return _EPOCH + ms * _MS


def date_text(ms: int) -> str:
    """The ISO text that Connect prints an instant as: a time within the first day, a date at midnight."""
    if ms < DAY_MS:
        return timestamp(ms).strftime("%H:%M:%S.") + f"{ms % 1000:03d}Z"
    if ms % DAY_MS == 0:
        return timestamp(ms).date().isoformat()
    return timestamp(ms).isoformat(timespec="milliseconds") + "Z"


def text_of(value: Any, *, is_single: bool = False) -> str:
    """Java's `toString` of a plain value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return single_text(value) if is_single else double_text(value)
    return str(value)
