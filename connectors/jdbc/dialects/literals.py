"""Values as SQL text where all databases agree: numbers, uuids and bit strings.

The factories return `Literal`s for one column: each checks what a server would change silently,
such as rounding, and leaves to the server what it refuses. Pure; called per value on the task's thread.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from connectors.jdbc.dialects.failures import Unrepresentable
from connectors.jdbc.dialects.model import Literal, TargetColumn
from connectors.jdbc.types.contract import Contract
from replicator.api import DataError, StructuralError

Decoder = Callable[[Any], Any]

CHECKED: Final = "type($v) is str and $c($v)"


def unless_unfit(found: Literal | None, column: TargetColumn, contract: Contract) -> Literal:
    """The literal of a column for a contract.

    Raises:
        StructuralError: there is none: the column cannot hold the type.
    """
    if found is None:
        raise StructuralError(
            f"Column {column.name} of type {column.type} cannot hold {contract.describe()}",
            hint="Change the column's type, or leave the column out.",
        )
    return found


def integer() -> Literal:
    """An int; the server checks the range."""
    return Literal(lambda value: f"{value:d}", ("type($v) is int", "{$v}"))


def whole_number(decode: Decoder) -> Literal:
    """A decimal value for an integer column: it must have no fraction."""

    def render(value: Any) -> str:
        plain = decode(value)
        try:
            number = Decimal(plain)
            if number == number.to_integral_value():
                return f"{int(number):d}"
        except (ArithmeticError, ValueError):
            raise Unrepresentable(f"{plain} is no whole number", "0") from None
        raise Unrepresentable(f"{plain} is no whole number", f"{round(number):d}", rounded=True)

    return Literal(render)


def boolean() -> Literal:
    """A boolean as 1 or 0."""

    def render(value: Any) -> str:
        if value is True or value is False:
            return "1" if value else "0"
        raise DataError(f"expected a boolean, got {type(value).__name__}")

    return Literal(render, ("type($v) is bool", "{$v:d}"))


def double() -> Literal:
    """A double; the shortest text that reads back the same."""

    def render(value: Any) -> str:
        number = float(value)
        if number - number != 0.0:
            raise Unrepresentable(f"{number} is not storable in a floating point column", "0")
        # "-0.0" would be a DECIMAL literal, which has no negative zero.
        return repr(number) if number else ("-0e0" if str(number)[0] == "-" else "0e0")

    return Literal(render, ("type($v) is float and $v and $v - $v == 0.0", "{$v!r}"))


def single() -> Literal:
    """A value for a FLOAT column: it must be a single precision number."""
    wide = double().render

    def render(value: Any) -> str:
        number = float(value)
        rendered = wide(number)
        try:
            held = _as_single(number)
        except OverflowError:
            raise Unrepresentable(f"{number} is beyond the range of FLOAT", "0") from None
        if held != number and _shortest(held) != number:
            raise Unrepresentable(f"{number} loses digits in FLOAT", rendered, rounded=True)
        return rendered

    return Literal(render)


def _as_single(number: float) -> float:
    held: float = struct.unpack("f", struct.pack("f", number))[0]
    return held


def _shortest(held: float) -> float:
    """The number a single precision value stands for: its shortest text that reads back the same."""
    texts = (f"{held:.{digits}g}" for digits in range(6, 10))
    return next((float(text) for text in texts if _as_single(float(text)) == held), held)


def decimal(precision: int, scale: int, decode: Decoder) -> Literal:
    """A DECIMAL(precision, scale): values that would be rounded or overflow are refused."""
    whole = precision - scale
    fraction = rf"(?:\.\d{{1,{scale}}})?" if scale else ""
    fits = re.compile(rf"-?\d{{1,{max(whole, 1)}}}{fraction}", re.ASCII).fullmatch if whole else None

    def render(value: Any) -> str:
        if fits is not None and type(value) is str and fits(value):
            return value
        plain = decode(value)
        if fits is not None and fits(plain):
            return str(plain)
        return _decimal_slowly(plain, whole, scale)

    if fits is None:
        return Literal(render)
    return Literal(render, (CHECKED, "{$v}"), fits)


def decimal_as_double(decode: Decoder) -> Literal:
    """A decimal for a floating point column: it must read back the same."""

    def render(value: Any) -> str:
        plain = decode(value)
        number = float(plain)
        if number - number != 0.0:
            raise Unrepresentable(f"{short(plain)} is not storable in a floating point column", "0")
        if Decimal(repr(number)) != Decimal(plain):
            raise Unrepresentable(
                f"{short(plain)} loses digits in a floating point column", repr(number), rounded=True
            )
        return repr(number)

    return Literal(render)


def _decimal_slowly(plain: str, whole: int, scale: int) -> str:
    number = Decimal(plain)
    if not number.is_finite():
        raise Unrepresentable(f"{plain} is not storable in DECIMAL", "0")
    digits, _, fraction = f"{number:f}".lstrip("-").partition(".")
    sign = "-" if number.is_signed() and number else ""
    digits, fraction = digits.lstrip("0"), fraction.rstrip("0")
    if len(digits) > whole:
        raise Unrepresentable(f"{short(plain)} does not fit DECIMAL({whole + scale},{scale})", "0")
    if len(fraction) > scale:
        kept = f"{sign}{digits or '0'}.{fraction[:scale]}".rstrip(".")
        raise Unrepresentable(f"{short(plain)} has more than {scale} fraction digits", kept, rounded=True)
    return f"{sign}{digits or '0'}.{fraction}" if fraction else f"{sign}{digits or '0'}"


def short(plain: str) -> str:
    return plain if len(plain) <= 80 else f"{plain[:77]}..."


def uuid_text() -> Literal:
    """A uuid as lower case text."""
    usual = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

    def render(value: Any) -> str:
        return f"'{value}'" if usual(value) else f"'{uuid(value)}'"

    return Literal(render, (CHECKED, "'{$v}'"), usual)


def uuid(value: Any) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise DataError(f"not a uuid: {str(value)[:60]!r}") from None


def bit_text(length: int | None, width: int = 1) -> Literal:
    """Bit strings as text of 0 and 1; bytes are filled with zeros up to `width`."""

    def render(value: Any) -> str:
        plain = value if isinstance(value, str) else f"{int.from_bytes(value, 'little'):0{width}b}"
        if plain.strip("01") or (length is not None and len(plain) > length):
            raise DataError(f"not a bit string of at most {length} bits: {plain[:80]!r}")
        return f"'{plain}'"

    return Literal(render)
