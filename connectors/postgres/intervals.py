"""Intervals: from Postgres' text (IntervalStyle postgres or iso_8601) to microseconds and ISO text.

Pure functions; all arithmetic is on integers, so nothing is rounded.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from connectors.postgres.temporal import INT64_MAX, INT64_MIN
from replicator.api import DataError

MONTH_US = 2_629_800_000_000
"""A month of 365.25 / 12 days, Debezium's convention."""

_POSTGRES = re.compile(
    r"(?:([+-]?\d+) years?)? ?(?:([+-]?\d+) mons?)? ?(?:([+-]?\d+) days?)? ?"
    r"(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?"
)
_ISO = re.compile(
    r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d{1,6}))?S)?)?"
)


class Interval(NamedTuple):
    """The three independent parts of an interval."""

    months: int
    days: int
    micros: int


def parse_interval(text: str) -> Interval:
    """The parts of an interval.

    Raises:
        DataError: another style, or infinite.
    """
    iso = _ISO.fullmatch(text) if text.startswith("P") else None
    if iso is not None:
        return _from_iso(iso)
    match = _POSTGRES.fullmatch(text)
    if match is None or not text:
        raise DataError(f"Not a finite interval in style postgres or iso_8601: {text!r}")
    years, months, days, sign, hours, minutes, seconds, fraction = match.groups()
    micros = 0
    if hours is not None:
        micros = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1_000_000
        micros += int((fraction or "0").ljust(6, "0"))
    return Interval(
        int(years or 0) * 12 + int(months or 0), int(days or 0), -micros if sign == "-" else micros
    )


def _from_iso(match: re.Match[str]) -> Interval:
    years, months, days, hours, minutes, sign, seconds, fraction = match.groups()
    second_us = int(seconds or 0) * 1_000_000 + int((fraction or "0").ljust(6, "0"))
    micros = int(hours or 0) * 3_600_000_000 + int(minutes or 0) * 60_000_000
    micros += -second_us if sign == "-" else second_us
    return Interval(int(years or 0) * 12 + int(months or 0), int(days or 0), micros)


def interval_micros(text: str) -> int:
    """An interval in microseconds, a month being 30.4375 days.

    Raises:
        DataError: it does not fit into 64 bits.
    """
    months, days, micros = parse_interval(text)
    total = months * MONTH_US + days * 86_400_000_000 + micros
    if not INT64_MIN <= total <= INT64_MAX:
        raise DataError(
            f"The interval {text} does not fit into microseconds", hint="Use interval.handling.mode=string."
        )
    return total


def interval_iso(text: str) -> str:
    """An interval with all parts written, `P1Y2M3DT4H5M6.78S`; each negative part has its sign."""
    if text in ("infinity", "-infinity"):
        return text
    months, days, micros = parse_interval(text)
    sign = -1 if micros < 0 else 1
    seconds, fraction = divmod(abs(micros), 1_000_000)
    years, months = _split(months, 12)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f".{fraction:06}".rstrip("0") if fraction else ""
    minus = "-" if sign < 0 and (seconds or fraction) else ""
    return f"P{years}Y{months}M{days}DT{sign * hours}H{sign * minutes}M{minus}{seconds}{tail}S"


def _split(value: int, unit: int) -> tuple[int, int]:
    """Quotient and remainder, both with the sign of `value`."""
    if value >= 0:
        return divmod(value, unit)
    whole, rest = divmod(-value, unit)
    return -whole, -rest
