"""Numbers: numeric and money from Postgres' text to decimals, floats and plain text.

Pure functions. NaN and infinities have no place in a Decimal: they are a DataError there, never a
null or a zero.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any, Final

from replicator.api import DataError

_SPECIAL: Final = {"NaN": "NAN", "Infinity": "POSITIVE_INFINITY", "-Infinity": "NEGATIVE_INFINITY"}
_EXACT: Final = Context(prec=147_455 + 16_384)
"""Room for Postgres' widest numeric."""


def numeric_text(text: str) -> str:
    """Plain text; `NAN`, `POSITIVE_INFINITY` and `NEGATIVE_INFINITY` for the special values."""
    return _SPECIAL.get(text, text)


def fixed_decimal(scale: int) -> Callable[[str], Decimal]:
    """A decoder into decimals of one scale.

    The decoder raises DataError for NaN and infinities, which a Decimal cannot hold.
    """
    unit = Decimal(1).scaleb(-scale)

    def decode(text: str) -> Decimal:
        if text in _SPECIAL:
            raise _no_decimal(text)
        value = Decimal(text)
        if value.as_tuple().exponent == -scale:
            return value
        return value.quantize(unit, context=_EXACT)

    return decode


def variable_decimal(text: str) -> dict[str, Any]:
    """A VariableScaleDecimal struct: no trailing zeros, no negative scale.

    Raises:
        DataError: NaN or infinite.
    """
    if text in _SPECIAL:
        raise _no_decimal(text)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    scale = len(text) - text.index(".") - 1 if "." in text else 0
    return {"scale": scale, "value": unscaled_bytes(_integer(text.replace(".", "")))}


def _integer(digits: str) -> int:
    """Python refuses to parse very long integers; a Decimal takes them."""
    return int(digits) if len(digits) < 4000 else int(Decimal(digits))


def unscaled_bytes(unscaled: int) -> bytes:
    """Two's complement, big-endian, as few bytes as Java's BigInteger uses."""
    length = ((unscaled if unscaled >= 0 else ~unscaled).bit_length() + 8) // 8
    return unscaled.to_bytes(length, "big", signed=True)


def money_text(digits: int) -> Callable[[str], str]:
    """A decoder from the text of money, in any locale, to plain decimal text with `digits` digits."""

    def decode(text: str) -> str:
        number = "".join(c for c in text if c in "0123456789")
        if not number:
            raise DataError(f"Not an amount of money: {text!r}")
        given = _fraction_digits(text, digits)
        whole, fraction = number[: len(number) - given] or "0", number[len(number) - given :]
        if fraction[digits:].strip("0"):
            raise DataError(f"{text} has more than {digits} fraction digits (money.fraction.digits)")
        negative = "-" in text or "(" in text
        plain = whole + ("." + fraction[:digits].ljust(digits, "0") if digits else "")
        return "-" + plain if negative else plain

    return decode


def _fraction_digits(text: str, digits: int) -> int:
    """How many digits stand after the decimal separator; 3 after the last mark are a group."""
    tail = text.rstrip(") \u00a0").rstrip("".join(c for c in text if not c.isdigit() and c not in ".,"))
    at = max(tail.rfind("."), tail.rfind(","))
    if at < 0:
        return 0
    after = sum(c.isdigit() for c in tail[at:])
    return 0 if after == 3 != digits else after


def money_decimal(digits: int) -> Callable[[str], Decimal]:
    """A decoder from the text of money to decimals with `digits` digits."""
    plain = money_text(digits)
    return lambda text: Decimal(plain(text))


def money_float(digits: int) -> Callable[[str], float]:
    """A decoder from the text of money to floats."""
    plain = money_text(digits)
    return lambda text: float(plain(text))


def _no_decimal(text: str) -> DataError:
    return DataError(
        f"numeric {text} has no place in a Decimal",
        hint="Use decimal.handling.mode=string or double for tables that hold it.",
    )
