"""Date patterns as `path.format` has them (Joda-Time's letters), compiled to a list of writers. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from replicator.api import ConfigError

Write = Callable[[dt.datetime], str]

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def _number(get: Callable[[dt.datetime], int], width: int) -> Write:
    return lambda moment: f"{get(moment):0{width}d}"


def _year(get: Callable[[dt.datetime], int], width: int) -> Write:
    if width == 2:
        return lambda moment: f"{get(moment) % 100:02d}"
    return _number(get, width)


def _name(names: tuple[str, ...], get: Callable[[dt.datetime], int], width: int) -> Write:
    short = width < 4
    return lambda moment: names[get(moment)][:3] if short else names[get(moment)]


def _offset(moment: dt.datetime, colon: bool) -> str:
    text = moment.strftime("%z") or "+0000"
    return f"{text[:3]}:{text[3:5]}" if colon else text[:5]


def _zone(width: int) -> Write:
    if width == 1:
        return lambda moment: _offset(moment, False)
    if width == 2:
        return lambda moment: _offset(moment, True)
    return lambda moment: str(moment.tzinfo)


def _fraction(width: int) -> Write:
    return lambda moment: f"{moment.microsecond:06d}".ljust(width, "0")[:width]


_NUMBERS: Final[dict[str, Callable[[dt.datetime], int]]] = {
    "C": lambda m: m.year // 100,
    "w": lambda m: m.isocalendar().week,
    "e": lambda m: m.isoweekday(),
    "D": lambda m: m.timetuple().tm_yday,
    "d": lambda m: m.day,
    "K": lambda m: m.hour % 12,
    "h": lambda m: (m.hour + 11) % 12 + 1,
    "H": lambda m: m.hour,
    "k": lambda m: m.hour or 24,
    "m": lambda m: m.minute,
    "s": lambda m: m.second,
}


def _letters(letter: str, width: int) -> Write:
    if letter in _NUMBERS:
        return _number(_NUMBERS[letter], width)
    if letter in "Yy":
        return _year(lambda m: m.year, width)
    if letter == "x":
        return _year(lambda m: m.isocalendar().year, width)
    if letter == "M":
        return (
            _name(_MONTHS, lambda m: m.month - 1, width) if width > 2 else _number(lambda m: m.month, width)
        )
    if letter == "E":
        return _name(_DAYS, lambda m: m.weekday(), width)
    if letter == "a":
        return lambda m: "AM" if m.hour < 12 else "PM"
    if letter == "S":
        return _fraction(width)
    if letter == "Z":
        return _zone(width)
    if letter == "z":
        return lambda m: m.tzname() or "UTC"
    if letter == "G":
        return lambda m: "AD"
    raise ConfigError(f"Illegal pattern component: {letter * width}", option="path.format")


def _literal(text: str) -> Write:
    return lambda _: text


def _quoted(pattern: str, at: int) -> tuple[str, int]:
    """The literal that starts at the quote `at`, and where it ends; two quotes are one."""
    if pattern[at + 1 : at + 2] == "'":
        return "'", at + 2
    text = ""
    at += 1
    while at < len(pattern):
        if pattern[at] != "'":
            text += pattern[at]
        elif pattern[at + 1 : at + 2] == "'":
            text += "'"
            at += 1
        else:
            return text, at + 1
        at += 1
    return text, at


def compile_pattern(pattern: str) -> Write:
    """A function that formats an aware datetime.

    Raises:
        ConfigError: a letter without meaning.
    """
    writers: list[Write] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "'":
            text, at = _quoted(pattern, at)
            writers.append(_literal(text))
        elif letter.isascii() and letter.isalpha():
            end = at
            while end < len(pattern) and pattern[end] == letter:
                end += 1
            writers.append(_letters(letter, end - at))
            at = end
        else:
            writers.append(_literal(letter))
            at += 1
    return lambda moment: "".join([write(moment) for write in writers])
