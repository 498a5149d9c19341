"""Java's SimpleDateFormat in UTC and English: patterns compiled once, instants as epoch milliseconds. Pure.

Parsing is lenient as Java's default is: numbers beyond a field's range carry over, text behind the match is
ignored, and a number directly before another number takes exactly as many digits as its pattern has letters.
Weeks and weekdays are written, but when read they do not say which day it is. Days before 1582-10-15 are counted in
the Gregorian calendar, as databases do it, not in the Julian one.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from replicator.transforms.java_numbers import millis, timestamp

_LETTERS: Final = "GyYMLwWDdFEuaHkKhmsSzZX"
_MONTHS: Final = tuple(calendar.month_name)[1:]
_DAYS: Final = tuple(calendar.day_name)
_SPACE: Final = " \t"
_OFFSET: Final = re.compile(r"([+-])(2[0-3]|[01]?\d):?([0-5]\d)?", re.ASCII)


class _Token(NamedTuple):
    """A pattern letter with its width, or literal text (letter "")."""

    letter: str
    width: int
    text: str = ""


class SimpleDateFormat:
    """One compiled pattern.

    Raises:
        ValueError: the pattern is none that Java takes.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._tokens = _tokens(pattern)
        self._writers = [_writer(token) for token in self._tokens]

    def format(self, ms: int) -> str:
        """The text of an instant."""
        moment = timestamp(ms)
        return "".join([write(moment) for write in self._writers])

    def parse(self, text: str) -> int:
        """The instant a text stands for.

        Raises:
            ValueError: the text does not fit the pattern.
        """
        found: dict[str, int] = {}
        at = 0
        for index, token in enumerate(self._tokens):
            if not token.letter:
                at = _literal(text, at, token.text)
                continue
            following = self._tokens[index + 1] if index + 1 < len(self._tokens) else None
            abutting = following is not None and bool(following.letter) and _is_number(following)
            at = _read(token, text, at, abutting, found)
        return _instant(found)


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "'":
            text, at = _quoted(pattern, at)
            _add_literal(tokens, text)
            continue
        if not ("a" <= character <= "z" or "A" <= character <= "Z"):
            _add_literal(tokens, character)
            at += 1
            continue
        if character not in _LETTERS:
            raise ValueError(f"Illegal pattern character '{character}'")
        end = at
        while end < len(pattern) and pattern[end] == character:
            end += 1
        if character == "X" and end - at > 3:
            raise ValueError("invalid ISO 8601 format: length=" + str(end - at))
        tokens.append(_Token(character, end - at))
        at = end
    return tokens


def _quoted(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("''", at):
        return "'", at + 2
    text: list[str] = []
    at += 1
    while True:
        end = pattern.find("'", at)
        if end < 0:
            raise ValueError("Unterminated quote")
        text.append(pattern[at:end])
        if not pattern.startswith("''", end):
            return "".join(text), end + 1
        text.append("'")
        at = end + 2


def _add_literal(tokens: list[_Token], text: str) -> None:
    if tokens and not tokens[-1].letter:
        text = tokens.pop().text + text
    tokens.append(_Token("", 0, text))


def _is_number(token: _Token) -> bool:
    return token.letter in "yYwWDdFuHkKhmsS" or (token.letter in "ML" and token.width <= 2)


def _writer(token: _Token) -> Callable[[dt.datetime], str]:
    if not token.letter:
        return lambda moment: token.text
    letter, count = token.letter, token.width
    number = _NUMBERS.get(letter)
    if letter in "yY":
        year = _NUMBERS[letter]
        if count == 2:
            return lambda moment: f"{year(moment) % 100:02d}"
        return lambda moment: f"{year(moment):0{count}d}"
    if letter in "ML" and count > 2:
        return lambda moment: _MONTHS[moment.month - 1][: None if count > 3 else 3]
    if letter == "E":
        return lambda moment: _DAYS[moment.weekday()][: None if count > 3 else 3]
    if number is not None:
        return lambda moment: f"{number(moment):0{count}d}"
    fixed = {"G": "AD", "Z": "+0000", "X": "Z", "z": "Coordinated Universal Time" if count > 3 else "UTC"}
    if letter == "a":
        return lambda moment: "AM" if moment.hour < 12 else "PM"
    return lambda moment: fixed[letter]


def _week_year(moment: dt.datetime) -> int:
    """Year of the week that starts on Sunday and holds 1 January."""
    saturday = moment + dt.timedelta(days=(5 - moment.weekday()) % 7)
    return saturday.year


def _week(moment: dt.datetime) -> int:
    first = dt.datetime(_week_year(moment), 1, 1)
    sunday = first - dt.timedelta(days=(first.weekday() + 1) % 7)
    return (moment - sunday).days // 7 + 1


_NUMBERS: Final[dict[str, Callable[[dt.datetime], int]]] = {
    "y": lambda m: m.year,
    "Y": _week_year,
    "M": lambda m: m.month,
    "L": lambda m: m.month,
    "w": _week,
    "W": lambda m: (m.day + (dt.date(m.year, m.month, 1).weekday() + 1) % 7 - 1) // 7 + 1,
    "D": lambda m: m.timetuple().tm_yday,
    "d": lambda m: m.day,
    "F": lambda m: (m.day - 1) // 7 + 1,
    "u": lambda m: m.isoweekday(),
    "H": lambda m: m.hour,
    "k": lambda m: m.hour or 24,
    "K": lambda m: m.hour % 12,
    "h": lambda m: m.hour % 12 or 12,
    "m": lambda m: m.minute,
    "s": lambda m: m.second,
    "S": lambda m: m.microsecond // 1000,
}


def _literal(text: str, at: int, expected: str) -> int:
    if not text.startswith(expected, at):
        raise ValueError(text)
    return at + len(expected)


def _read(token: _Token, text: str, at: int, abutting: bool, found: dict[str, int]) -> int:
    """Read one field; where the text goes on."""
    while at < len(text) and text[at] in _SPACE:
        at += 1
    letter = token.letter
    if letter == "G":
        return _name(text, at, ("BC", "AD"), found, "G")
    if letter in "ML" and token.width > 2:
        end = _name(text, at, _MONTHS, found, "M")
        found["M"] += 1
        return end
    if letter == "E":
        return _name(text, at, _DAYS, found, "E")
    if letter == "a":
        return _name(text, at, ("AM", "PM"), found, "a")
    if letter in "zZX":
        return _zone(token, text, at, found)
    end = at + 1 if text[at : at + 1] in ("-", "+") and text[at : at + 1] != "+" else at
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


def _zone(token: _Token, text: str, at: int, found: dict[str, int]) -> int:
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


def _instant(found: dict[str, int]) -> int:
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
