"""Dates, times and timestamps as SQL text for one column, where all databases agree. Pure; called per value.

Each factory checks what a server would change silently, such as cut fractions (INV-7), and leaves the rest to it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from connectors.jdbc.dialects.failures import Unrepresentable
from connectors.jdbc.dialects.literals import CHECKED, Decoder
from connectors.jdbc.dialects.model import Literal
from replicator.api import DataError

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

    return Literal(render, (CHECKED, "'{$v[:10]}'"), usual)


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

    return Literal(render, (CHECKED, "'{$v[:-1]}'"), usual)


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
