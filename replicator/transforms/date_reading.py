"""Reads texts by a pattern of Java's SimpleDateFormat, field by field. Pure.

Lenient as Java's default is: numbers beyond a field's range carry over, text behind the match is ignored, and a number
directly before another number takes exactly as many digits as its pattern has letters. Weeks and weekdays are read, but
do not say which day it is.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from replicator.transforms.date_pattern import Token
from replicator.transforms.java_numbers import millis

MONTHS: Final = tuple(calendar.month_name)[1:]
DAYS: Final = tuple(calendar.day_name)
_SPACE: Final = " \t"
_OFFSET: Final = re.compile(r"([+-])(2[0-3]|[01]?\d):?([0-5]\d)?", re.ASCII)


def read_literal(text: str, at: int, expected: str) -> int:
    """Pass over text of the pattern; where the text goes on.

    Raises:
        ValueError: something else stands there.
    """
    if not text.startswith(expected, at):
        raise ValueError(text)
    return at + len(expected)


def read_field(token: Token, text: str, at: int, abutting: bool, found: dict[str, int]) -> int:
    """Read one field into `found`, by its letter; where the text goes on.

    Raises:
        ValueError: the text does not fit.
    """
    while at < len(text) and text[at] in _SPACE:
        at += 1
    letter = token.letter
    if letter == "G":
        return _name(text, at, ("BC", "AD"), found, "G")
    if letter in "ML" and token.width > 2:
        end = _name(text, at, MONTHS, found, "M")
        found["M"] += 1
        return end
    if letter == "E":
        return _name(text, at, DAYS, found, "E")
    if letter == "a":
        return _name(text, at, ("AM", "PM"), found, "a")
    if letter in "zZX":
        return _zone(token, text, at, found)
    end = at + 1 if text.startswith("-", at) else at
    while end < len(text) and "0" <= text[end] <= "9" and not (abutting and end - at >= token.width):
        end += 1
    digits = text[at:end]
    number = int(digits)  # a ValueError where there is none
    if letter in "yY" and token.width <= 2 and len(digits) == 2 and digits.isdigit():
        number = _two_digit_year(number)
    found["M" if letter == "L" else letter] = number
    return end


def _two_digit_year(number: int) -> int:
    """The year within 80 years before and 20 after now that ends in these digits."""
    start = dt.datetime.now(dt.UTC).year - 80
    century = start // 100 * 100
    year = century + number
    return year + 100 if year < start else year


def _name(text: str, at: int, names: tuple[str, ...], found: dict[str, int], letter: str) -> int:
    lowered = text[at:].lower()
    for forms in (names, [name[:3] for name in names]):
        for index, form in enumerate(forms):
            if lowered.startswith(form.lower()):
                found[letter] = index
                return at + len(form)
    raise ValueError(text)


def _zone(token: Token, text: str, at: int, found: dict[str, int]) -> int:
    """Offset in minutes, or the zone by its name (resolved at the instant)."""
    if token.letter == "X" and text.startswith("Z", at):
        found["zone"] = 0
        return at + 1
    rest = at
    if token.letter != "X" and text[at : at + 3].upper() == "GMT":
        rest = at + 3
    offset = _OFFSET.match(text, rest)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        found["zone"] = -minutes if offset[1] == "-" else minutes
        return offset.end()
    word = re.match(r"[A-Za-z]+(?:[/_][A-Za-z]+)*", text[at:])
    if token.letter == "X" or word is None:
        raise ValueError(text)
    found["zone"] = _named_offset(word[0])
    return at + word.end()


def _named_offset(name: str) -> int:
    minutes = _ZONES.get(name.upper())
    if minutes is not None:
        return minutes
    try:
        delta = dt.datetime(2000, 1, 1, tzinfo=ZoneInfo(name)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(name) from None
    return 0 if delta is None else int(delta.total_seconds()) // 60


_ZONES: Final = {
    "UTC": 0,
    "GMT": 0,
    "EST": -300,
    "EDT": -240,
    "CST": -360,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "CET": 60,
    "CEST": 120,
}


def instant_of(found: dict[str, int]) -> int:
    """Milliseconds since the epoch of the fields that were read; those that were not are of 1970-01-01 00:00 UTC."""
    year = found.get("y", found.get("Y", 1970))
    if found.get("G") == 0:
        year = 1 - year
    month = found.get("M", 1) - 1
    first = dt.datetime(year + month // 12, month % 12 + 1, 1)
    if "D" in found and "d" not in found:
        first = dt.datetime(year, 1, 1)
        days = found["D"] - 1
    else:
        days = found.get("d", 1) - 1
    ms = millis(first) + days * 86_400_000 + _hour(found) * 3_600_000
    ms += found.get("m", 0) * 60_000 + found.get("s", 0) * 1000 + found.get("S", 0)
    return ms - found.get("zone", 0) * 60_000


def _hour(found: dict[str, int]) -> int:
    if "H" in found:
        return found["H"]
    if "k" in found:
        return found["k"] % 24 if found["k"] == 24 else found["k"]
    if "h" in found:
        return (0 if found["h"] == 12 else found["h"]) + 12 * found.get("a", 0)
    return found.get("K", 0) + 12 * found.get("a", 0)
