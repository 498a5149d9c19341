"""Java's SimpleDateFormat in UTC and English: patterns compiled once, instants as epoch milliseconds. Pure.

How texts are read, which is as leniently as Java does it, stands in `date_reading`. Days before 1582-10-15 are counted
in the Gregorian calendar, as databases do it, not in the Julian one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from replicator.transforms.date_pattern import Token, is_number, tokens_of
from replicator.transforms.date_reading import DAYS, MONTHS, instant_of, read_field, read_literal
from replicator.transforms.java_numbers import timestamp


class SimpleDateFormat:
    """One compiled pattern.

    Raises:
        ValueError: the pattern is none that Java takes.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._tokens = tokens_of(pattern)
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
                at = read_literal(text, at, token.text)
                continue
            following = self._tokens[index + 1] if index + 1 < len(self._tokens) else None
            abutting = following is not None and bool(following.letter) and is_number(following)
            at = read_field(token, text, at, abutting, found)
        return instant_of(found)


def _writer(token: Token) -> Callable[[dt.datetime], str]:
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
        return lambda moment: MONTHS[moment.month - 1][: None if count > 3 else 3]
    if letter == "E":
        return lambda moment: DAYS[moment.weekday()][: None if count > 3 else 3]
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
