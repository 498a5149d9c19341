"""Values as SQL text for MySQL and MariaDB.

The factories return `Literal`s for one column: each checks what the server would change silently
(rounding, trailing blanks, numbers inside JSON) and leaves to strict mode what the server refuses.
Pure; called per value on the task's thread.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from connectors.jdbc.dialects.failures import Unrepresentable
from connectors.jdbc.dialects.model import Literal
from replicator.api import DataError

Decoder = Callable[[Any], Any]

_ESCAPES: Final = str.maketrans({"'": "''", "\\": "\\\\"})
_TEXT_INLINE: Final = """f"'{$v}'" if type($v) is str and "'" not in $v and "\\\\" not in $v else $r($v)"""
_SIZED_INLINE: Final = (
    """f"'{$v}'" if type($v) is str and len($v) <= %d and "'" not in $v and "\\\\" not in $v else $r($v)"""
)


def quoted(value: str) -> str:
    """A string literal; right while NO_BACKSLASH_ESCAPES is off, as the session pins it."""
    return f"'{value.translate(_ESCAPES)}'"


def text(
    *, length: int | None = None, size: int | None = None, strip: bool = False, decode: Decoder | None = None
) -> Literal:
    """A string.

    Args:
        length: most characters the column takes.
        size: most bytes the column takes.
        strip: the column does not keep trailing blanks (CHAR).
        decode: brings the value into plain form first.
    """

    def render(value: Any) -> str:
        plain = decode(value) if decode is not None else value
        if type(plain) is not str:
            raise DataError(f"expected text, got {type(plain).__name__}")
        if strip:
            plain = plain.rstrip(" ")
        if length is not None and len(plain) > length:
            raise DataError(f"{len(plain)} characters do not fit the column's {length}")
        if size is not None and len(plain) * 4 > size and len(plain.encode()) > size:
            raise DataError(f"{len(plain.encode())} bytes do not fit the column's {size}")
        return f"'{plain.translate(_ESCAPES)}'"

    if decode is not None or strip or size is not None:
        return Literal(render)
    return Literal(render, _TEXT_INLINE if length is None else _SIZED_INLINE % length)


def integer() -> Literal:
    """An int; the server checks the range."""
    return Literal(lambda value: f"{value:d}", "f'{$v:d}'")


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

    return Literal(render, "'1' if $v is True else $r($v)")


def double() -> Literal:
    """A double; the shortest text that reads back the same."""

    def render(value: Any) -> str:
        number = float(value)
        if number - number != 0.0:
            raise Unrepresentable(f"{number} is not storable in a floating point column", "0")
        # "-0.0" would be a DECIMAL literal, which has no negative zero.
        return repr(number) if number else ("-0e0" if str(number)[0] == "-" else "0e0")

    return Literal(render, "repr($v) if type($v) is float and $v and $v - $v == 0.0 else $r($v)")


def single() -> Literal:
    """A value for a FLOAT column: it must be a single precision number."""
    wide = double().render

    def render(value: Any) -> str:
        number = float(value)
        rendered = wide(number)
        try:
            held = struct.unpack("f", struct.pack("f", number))[0]
        except OverflowError:
            raise Unrepresentable(f"{number} is beyond the range of FLOAT", "0") from None
        if held != number and f"{held:.6g}" != f"{number:.6g}":
            raise Unrepresentable(f"{number} loses digits in FLOAT", rendered, rounded=True)
        return rendered

    return Literal(render)


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

    return Literal(render)


def _decimal_slowly(plain: str, whole: int, scale: int) -> str:
    number = Decimal(plain)
    if not number.is_finite():
        raise Unrepresentable(f"{plain} is not storable in DECIMAL", "0")
    digits, _, fraction = f"{number:f}".lstrip("-").partition(".")
    sign = "-" if number.is_signed() and number else ""
    digits, fraction = digits.lstrip("0"), fraction.rstrip("0")
    if len(digits) > whole:
        raise Unrepresentable(f"{_short(plain)} does not fit DECIMAL({whole + scale},{scale})", "0")
    if len(fraction) > scale:
        kept = f"{sign}{digits or '0'}.{fraction[:scale]}".rstrip(".")
        raise Unrepresentable(f"{_short(plain)} has more than {scale} fraction digits", kept, rounded=True)
    return f"{sign}{digits or '0'}.{fraction}" if fraction else f"{sign}{digits or '0'}"


def _short(plain: str) -> str:
    return plain if len(plain) <= 80 else f"{plain[:77]}..."


def binary(*, size: int | None = None, exact: int | None = None) -> Literal:
    """Bytes; `exact` for BINARY(n), which would pad shorter values."""

    def render(value: Any) -> str:
        if size is not None and len(value) > size:
            raise DataError(f"{len(value)} bytes do not fit the column's {size}")
        if exact is not None and len(value) != exact:
            raise DataError(f"{len(value)} bytes do not fit BINARY({exact}), which pads")
        return f"x'{value.hex()}'"

    return Literal(render)


def uuid_text() -> Literal:
    """A uuid as lower case text."""
    usual = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

    def render(value: Any) -> str:
        return f"'{value}'" if usual(value) else f"'{_uuid(value)}'"

    return Literal(render)


def uuid_binary() -> Literal:
    """A uuid as 16 bytes."""
    return Literal(lambda value: f"x'{_uuid(value).replace('-', '')}'")


def _uuid(value: Any) -> str:
    from uuid import UUID

    try:
        return str(UUID(value))
    except ValueError:
        raise DataError(f"not a uuid: {str(value)[:60]!r}") from None


# --- times ---

_DATE: Final = r"(?!0000)\d{4}-\d\d-\d\d"
_CLOCK: Final = r"\d\d:\d\d:\d\d"
FIRST_DATE: Final = "'0001-01-01'"
LAST_DATE: Final = "'9999-12-31'"


def date(decode: Decoder) -> Literal:
    """A DATE of the years 1 to 9999."""
    usual = re.compile(rf"{_DATE}Z?", re.ASCII).fullmatch

    def render(value: Any) -> str:
        plain = value if type(value) is str and usual(value) else decode(value)
        if usual(plain):
            return f"'{plain[:10]}'"
        raise _outside(plain, FIRST_DATE, LAST_DATE)

    return Literal(render)


def time(digits: int, decode: Decoder) -> Literal:
    """A TIME; 24:00:00 fits."""
    usual = re.compile(rf"{_CLOCK}{_fraction(digits)}", re.ASCII).fullmatch

    def render(value: Any) -> str:
        plain = decode(value)
        if usual(plain):
            return f"'{plain}'"
        raise _inexact(plain, rf"{_CLOCK}", digits)

    return Literal(render)


def timestamp(digits: int, decode: Decoder) -> Literal:
    """A DATETIME of the years 1 to 9999, in UTC where the source's type has a zone."""
    usual = re.compile(rf"{_DATE}T{_CLOCK}{_fraction(digits)}Z", re.ASCII).fullmatch
    plain_form = re.compile(rf"{_DATE} {_CLOCK}{_fraction(digits)}", re.ASCII).fullmatch
    first, last = FIRST_DATE, "'9999-12-31 23:59:59'"

    def render(value: Any) -> str:
        if type(value) is str and usual(value):
            return f"'{value[:-1]}'"
        plain = decode(value)
        if plain_form(plain):
            return f"'{plain}'"
        if re.fullmatch(_DATE, plain, re.ASCII):
            return f"'{plain}'"
        raise _inexact(plain, rf"{_DATE} {_CLOCK}", digits, first, last)

    return Literal(render)


def instant(digits: int, decode: Decoder) -> Literal:
    """A TIMESTAMP column: 1970-01-01 00:00:01 to 2038-01-19 03:14:07 UTC; the session's zone is UTC."""
    inner = timestamp(digits, decode).render
    first, last = "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"

    def render(value: Any) -> str:
        plain = inner(value).replace("T", " ")
        if not first[:-1] <= plain or not plain[:20] <= last[:-1]:
            raise _outside(plain.strip("'"), first, last)
        return plain

    return Literal(render)


def _fraction(digits: int) -> str:
    return rf"(?:\.\d{{1,{digits}}}0*)?" if digits else r"(?:\.0*)?"


def _inexact(
    plain: str, whole: str, digits: int, first: str = "'00:00:00'", last: str = "'23:59:59'"
) -> DataError:
    """Why a time does not fit: more fraction digits than the column has, or outside its range."""
    match = re.fullmatch(rf"({whole})\.(\d+)", plain, re.ASCII)
    if match is None:
        return _outside(plain, first, last)
    kept = f"{match[1]}.{match[2][:digits]}".rstrip(".")
    return Unrepresentable(f"{plain} has more than {digits} fraction digits", f"'{kept}'", rounded=True)


def _outside(plain: Any, first: str, last: str) -> DataError:
    """Infinity, BC and years above 9999; anything else is no time at all."""
    if not isinstance(plain, str) or not re.match(r"-?infinity|[+-]?\d", plain):
        return DataError(f"not a date or time: {str(plain)[:60]!r}")
    low = plain.startswith(("-", "0000")) or (plain[0].isdigit() and plain < first.strip("'"))
    return Unrepresentable(f"{plain} is outside the column's range", first if low else last)


# --- JSON and bits ---

_LONG_NUMBER: Final = re.compile(r"[\d.eE+-]{16,}|\d[eE][+-]?\d{3}", re.ASCII).search
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}\[\]]', re.ASCII | re.DOTALL
)


def json(decode: Decoder) -> Literal:
    """A JSON column of MySQL, which keeps numbers as 64 bit integers or doubles: others are refused."""

    def render(value: Any) -> str:
        plain = value if type(value) is str else decode(value)
        if _LONG_NUMBER(plain):
            _check_numbers(plain)
        return f"'{plain.translate(_ESCAPES)}'"

    return Literal(render)


def _check_numbers(plain: str) -> None:
    for token in _TOKEN.findall(plain):
        if len(token) >= 5 and token[0] in "-0123456789" and not _exact(token):
            raise Unrepresentable(f"JSON would change the number {_short(token)}", "'null'")


def _exact(token: str) -> bool:
    if "." not in token and "e" not in token and "E" not in token:
        number = int(token)
        if -(2**63) <= number < 2**64:
            return True
    approximate = float(token)
    return approximate - approximate == 0.0 and Decimal(repr(approximate)) == Decimal(token)


def bits(length: int, decode: Decoder) -> Literal:
    """A BIT(n) as a number."""

    def render(value: Any) -> str:
        number = decode(value)
        if number >> length:
            raise DataError(f"{number.bit_length()} bits do not fit BIT({length})")
        return f"{number:d}"

    return Literal(render)


def bit_text(length: int | None) -> Literal:
    """Bit strings as text of 0 and 1."""

    def render(value: Any) -> str:
        plain = value if isinstance(value, str) else bin(int.from_bytes(value, "little"))[2:]
        if plain.strip("01") or (length is not None and len(plain) > length):
            raise DataError(f"not a bit string of at most {length} bits: {plain[:80]!r}")
        return f"'{plain}'"

    return Literal(render)


def labels(allowed: tuple[str, ...]) -> Literal:
    """An ENUM column: exactly its labels (the server would take '1' for the first one)."""
    texts = {label: quoted(label) for label in allowed}

    def render(value: Any) -> str:
        try:
            return texts[value]
        except (KeyError, TypeError):
            raise DataError(f"{str(value)[:80]!r} is no label of the column") from None

    return Literal(render)


def geometry() -> Literal:
    """Debezium's geometry structs; longitude comes first as in PostGIS."""

    def render(value: Any) -> str:
        fields = getattr(value, "fields", value)
        wkb = fields.get("wkb")
        if wkb is None:
            wkb = struct.pack("<BIdd", 1, 1, fields["x"], fields["y"])
        srid = fields.get("srid") or 0
        order = ",'axis-order=long-lat'" if srid else ""
        return f"ST_GeomFromWKB(x'{bytes(wkb).hex()}',{srid:d}{order})"

    return Literal(render)
