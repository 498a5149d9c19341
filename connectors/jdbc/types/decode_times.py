"""Dates, times and timestamps of any encoding -> the plain texts that `decode` lists. Pure; task thread."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

from replicator.api import DataError
from replicator.api import logical as names

Decoder = Callable[[Any], Any]

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_NANOS_A_DAY: Final = 86_400_000_000_000
# The numbers that stand for infinity in Debezium's integer times.
_INFINITIES: Final = {
    names.DBZ_DATE: {2**31 - 1: "infinity", -(2**31): "-infinity"},
    names.DBZ_TIMESTAMP: {9223372036825200: "infinity", -9223372036832400: "-infinity"},
    names.DBZ_MICRO_TIMESTAMP: {9223372036825200000: "infinity", -9223372036832400000: "-infinity"},
    names.DBZ_NANO_TIMESTAMP: {2**63 - 1: "infinity", -(2**63): "-infinity"},
}
_UNITS: Final = {
    names.DBZ_TIME: 1_000_000,
    names.DBZ_MICRO_TIME: 1_000,
    names.DBZ_NANO_TIME: 1,
    names.DBZ_TIMESTAMP: 1_000_000,
    names.DBZ_MICRO_TIMESTAMP: 1_000,
    names.DBZ_NANO_TIMESTAMP: 1,
}
_OFFSET: Final = re.compile(r"(.*?)(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)", re.DOTALL)


def date_text(value: Any) -> str:
    """`2017-09-15Z`, `datetime.date` -> `2017-09-15`."""
    if isinstance(value, str):
        return value[:-1] if value.endswith("Z") else value
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise DataError(f"not a date: {type(value).__name__}")


def date_number(name: str) -> Decoder:
    words = _INFINITIES.get(name, {})

    def decode(value: Any) -> str:
        if isinstance(value, int):
            return words.get(value) or _days(value)
        return date_text(value)

    return decode


def time_number(name: str) -> Decoder:
    unit = _UNITS.get(name, 1_000_000)

    def decode(value: Any) -> str:
        if isinstance(value, int):
            return clock_text(value * unit)
        return time_text(value)

    return decode


def time_text(value: Any) -> str:
    """`12:00:00.5Z`, `datetime.time` -> `12:00:00.5`."""
    if isinstance(value, str):
        return value[:-1] if value.endswith("Z") else value
    if isinstance(value, dt.time):
        return value.replace(tzinfo=None).isoformat()
    if isinstance(value, dt.datetime):
        return value.time().isoformat()
    raise DataError(f"not a time: {type(value).__name__}")


def clock_text(nanos: int) -> str:
    """Nanoseconds since midnight as `HH:MM:SS[.fraction]`; 24:00:00 is allowed."""
    seconds, fraction = divmod(nanos, 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{hour:02d}:{minute:02d}:{second:02d}" if hour >= 0 else f"-{clock_text(-nanos)}"
    return f"{text}.{fraction:09d}".rstrip("0") if fraction and hour >= 0 else text


def timestamp_number(name: str) -> Decoder:
    unit = _UNITS.get(name, 1_000_000)
    words = _INFINITIES.get(name, {})

    def decode(value: Any) -> str:
        if isinstance(value, int):
            word = words.get(value)
            if word is not None:
                return word
            days, rest = divmod(value * unit, _NANOS_A_DAY)
            return f"{_days(days)} {clock_text(rest)}"
        return timestamp_text(value)

    return decode


def _days(value: int) -> str:
    """Days since 1970 as an ISO date, also outside Python's years 1..9999."""
    if 1 <= value + _EPOCH <= dt.date.max.toordinal():
        return dt.date.fromordinal(value + _EPOCH).isoformat()
    # The calendar repeats every 400 years of 146097 days.
    cycles, day = divmod(value + _EPOCH - 1, 146_097)
    date = dt.date.fromordinal(day + 1)
    year = date.year + 400 * cycles
    return f"{signed_year(year)}-{date.month:02d}-{date.day:02d}"


def signed_year(year: int) -> str:
    """ISO 8601: `0000`..`9999` bare, others with sign."""
    if 0 <= year <= 9999:
        return f"{year:04d}"
    return f"{'-' if year < 0 else '+'}{abs(year):04d}"


def timestamp_text(value: Any) -> str:
    """`2020-01-01T12:00:00.5Z`, with any offset, or a `datetime` -> `2020-01-01 12:00:00.5` in UTC."""
    if isinstance(value, dt.datetime):
        return (value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value).isoformat(" ")
    if not isinstance(value, str):
        raise DataError(f"not a timestamp: {type(value).__name__}")
    if value.endswith("Z"):
        return value[:-1].replace("T", " ", 1)
    if value.endswith("infinity"):
        return value
    date, separator, clock = value.replace("T", " ", 1).rpartition(" ")
    found = _OFFSET.fullmatch(clock)
    if not separator or found is None:
        return f"{date}{separator}{clock}"
    return _shifted(date, found[1], found[2])


def _shifted(date: str, clock: str, offset: str) -> str:
    whole, _, fraction = clock.partition(".")
    try:
        moment = dt.datetime.fromisoformat(f"{date}T{whole}{offset}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise DataError(f"not a timestamp: {date} {clock}{offset}") from None
    text = moment.replace(tzinfo=None).isoformat(" ")
    return f"{text}.{fraction}" if fraction else text
