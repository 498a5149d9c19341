"""Dates and times: from Postgres' ISO text (DateStyle ISO, TimeZone UTC) to numbers and ISO text.

Pure functions. The usual form (four-digit year, no BC, finite) takes a short way; the rest of
Postgres' range (4713 BC to 294276 AD, infinities) takes an exact integer way.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from replicator.api import DataError

EPOCH_ORDINAL: Final = 719_163
DAY_US: Final = 86_400_000_000
INT32_MAX: Final = 2**31 - 1
INT32_MIN: Final = -(2**31)
INT64_MAX: Final = 2**63 - 1
INT64_MIN: Final = -(2**63)

INFINITY_US: Final = 9_223_372_036_825_200_000
NEGATIVE_INFINITY_US: Final = -9_223_372_036_832_400_000
"""Debezium's stand-ins for the infinities in microseconds (and, divided, in milliseconds)."""

_EPOCH: Final = dt.datetime(1970, 1, 1)
_DATE = re.compile(r"(\d{4,7})-(\d\d)-(\d\d)( BC)?")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?")
_TIMESTAMP = re.compile(r"(\d{4,7}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)([+-][\d:]+)?( BC)?")
_TIMETZ = re.compile(r"(\d\d:\d\d:\d\d(?:\.\d{1,6})?)([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?")


def epoch_days(text: str) -> int:
    """A date as days since 1970; infinities become the limits of INT32.

    Raises:
        DataError: not a date.
    """
    if len(text) == 10 and text[4] == "-":
        return dt.date.fromisoformat(text).toordinal() - EPOCH_ORDINAL
    if text == "infinity":
        return INT32_MAX
    if text == "-infinity":
        return INT32_MIN
    match = _DATE.fullmatch(text)
    if match is None:
        raise DataError(f"Not a date: {text!r}")
    return _days(_year(match[1], match[4]), int(match[2]), int(match[3]))


def connect_date(text: str) -> dt.date:
    """A date as Connect's logical Date.

    Raises:
        DataError: outside of the years 1 to 9999, or infinite.
    """
    if len(text) != 10:
        raise _no_logical(text)
    return dt.date.fromisoformat(text)


def iso_date(text: str) -> str:
    """`2017-09-15Z`; infinities stay words; other years get a sign."""
    if len(text) == 10 and text[4] == "-":
        return text + "Z"
    if text in ("infinity", "-infinity"):
        return text
    match = _DATE.fullmatch(text)
    if match is None:
        raise DataError(f"Not a date: {text!r}")
    return f"{_iso_year(_year(match[1], match[4]))}-{match[2]}-{match[3]}Z"


def time_micros(text: str) -> int:
    """A time of day in microseconds; 24:00:00 is the end of the day."""
    micros = int(text[:2]) * 3_600_000_000 + int(text[3:5]) * 60_000_000 + int(text[6:8]) * 1_000_000
    return micros + int(text[9:].ljust(6, "0")) if len(text) > 8 else micros


def time_millis(text: str) -> int:
    """A time of day in milliseconds."""
    return time_micros(text) // 1000


def time_nanos(text: str) -> int:
    """A time of day in nanoseconds."""
    return time_micros(text) * 1000


def connect_time(text: str) -> dt.time:
    """A time as Connect's logical Time (milliseconds).

    Raises:
        DataError: 24:00:00, which that type cannot hold.
    """
    if text.startswith("24"):
        raise DataError("24:00:00 has no place in Connect's Time", hint="Use another time.precision.mode.")
    value = dt.time.fromisoformat(text)
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def timestamp_micros(text: str) -> int:
    """A timestamp without zone, or one printed in UTC, as microseconds since 1970.

    Raises:
        DataError: not a timestamp.
    """
    if text[4:5] == "-" and text[-1] != "C":
        passed = dt.datetime.fromisoformat(text) - _EPOCH
        return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    if text == "infinity":
        return INFINITY_US
    if text == "-infinity":
        return NEGATIVE_INFINITY_US
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise DataError(f"Not a timestamp: {text!r}")
    return epoch_days(match[1] + (match[4] or "")) * DAY_US + time_micros(match[2])


def timestamp_millis(text: str) -> int:
    """A timestamp as milliseconds since 1970."""
    micros = timestamp_micros(text)
    # Truncated toward zero for the negative stand-in only; real moments round down as in Java.
    return -(-micros // 1000) if micros == NEGATIVE_INFINITY_US else micros // 1000


def timestamp_nanos(text: str) -> int:
    """A timestamp as nanoseconds since 1970; infinities become the limits of INT64.

    Raises:
        DataError: outside of 1677 to 2262.
    """
    if text == "infinity":
        return INT64_MAX
    if text == "-infinity":
        return INT64_MIN
    nanos = timestamp_micros(text) * 1000
    if not INT64_MIN < nanos < INT64_MAX:
        raise DataError(f"{text} does not fit into nanoseconds", hint="Use another time.precision.mode.")
    return nanos


def connect_timestamp(text: str) -> dt.datetime:
    """A timestamp as Connect's logical Timestamp (milliseconds).

    Raises:
        DataError: outside of the years 1 to 9999, or infinite.
    """
    if text[4:5] != "-" or text[-1] == "C":
        raise _no_logical(text)
    value = dt.datetime.fromisoformat(text)
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def iso_timestamp(text: str) -> str:
    """`2020-01-01T12:00:00.5Z`, for timestamps with and without zone (printed in UTC).

    Fraction digits stay as printed; infinities stay words; other years get a sign.

    Raises:
        DataError: not a timestamp, or not printed in UTC.
    """
    if text in ("infinity", "-infinity"):
        return text
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise DataError(f"Not a timestamp: {text!r}")
    date, time, zone, era = match.groups()
    if zone is not None and zone.strip("+-0:"):
        raise DataError(f"{text!r} is not in UTC: the session's TimeZone must be UTC")
    return f"{iso_date(date + (era or ''))[:-1]}T{time}Z"


def padded_iso_timestamp(text: str, digits: int) -> str:
    """`iso_timestamp` with exactly `digits` fraction digits, as Debezium writes ZonedTimestamp."""
    iso = iso_timestamp(text)
    if iso[-1] != "Z" or digits == 0:
        return iso
    whole, _, fraction = iso[:-1].partition(".")
    return f"{whole}.{fraction.ljust(digits, '0')}Z"


def timetz_text(text: str) -> str:
    """Postgres' text with its offset in ISO form: `12:00:00.5+02:00`."""
    match = _TIMETZ.fullmatch(text)
    if match is None:
        raise DataError(f"Not a time with time zone: {text!r}")
    time, sign, hours, minutes, seconds = match.groups()
    return f"{time}{sign}{hours}:{minutes or '00'}{f':{seconds}' if seconds else ''}"


def timetz_utc(text: str) -> str:
    """A time with zone moved to UTC, `10:00:00.5Z`; wraps around midnight."""
    match = _TIMETZ.fullmatch(text)
    if match is None:
        raise DataError(f"Not a time with time zone: {text!r}")
    time, sign, hours, minutes, seconds = match.groups()
    offset = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    whole, dot, fraction = time.partition(".")
    at = int(whole[:2]) * 3600 + int(whole[3:5]) * 60 + int(whole[6:]) - (offset if sign == "+" else -offset)
    if at != 86_400:  # 24:00:00 in UTC itself is the end of the day and stays
        at %= 86_400
    return f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}{dot}{fraction}Z"


def _year(digits: str, era: str | None) -> int:
    return 1 - int(digits) if era else int(digits)


def _iso_year(year: int) -> str:
    if year < 0:
        return f"-{-year:04}"
    return f"+{year}" if year > 9999 else f"{year:04}"


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 in the proleptic Gregorian calendar; a cycle of 400 years has 146097 days."""
    cycles, rest = divmod(year - 1, 400)
    try:
        ordinal = dt.date(rest + 1, month, day).toordinal()
    except ValueError as error:
        raise DataError(f"Not a date: {year}-{month}-{day}: {error}") from None
    return cycles * 146_097 + ordinal - EPOCH_ORDINAL


def _no_logical(text: str) -> DataError:
    return DataError(
        f"{text} has no place in Connect's logical types (years 1 to 9999)",
        hint="Use another time.precision.mode.",
    )
