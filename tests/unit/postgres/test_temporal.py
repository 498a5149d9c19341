"""Dates, times and intervals against Python's own calendar, and arbitrary text."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres import intervals, temporal
from replicator.api import DataError

EPOCH = dt.datetime(1970, 1, 1)


def micros(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def printed(moment: dt.datetime) -> str:
    """A timestamp as Postgres prints it: no trailing zeros."""
    text = f"{moment.year:04}-{moment:%m-%d %H:%M:%S}"
    return text + (f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else "")


@given(st.datetimes())
def test_timestamps(moment: dt.datetime) -> None:
    text = printed(moment)
    assert temporal.timestamp_micros(text) == micros(moment)
    assert temporal.timestamp_millis(text) == micros(moment) // 1000
    assert (
        temporal.iso_timestamp(text) == temporal.iso_timestamp(text + "+00") == text.replace(" ", "T") + "Z"
    )
    padded = temporal.padded_iso_timestamp(text + "+00", 6)
    assert dt.datetime.fromisoformat(padded[:-1]) == moment
    assert len(padded) == 27


@given(st.datetimes(), st.integers(1, 700))
def test_the_calendar_repeats_every_400_years(moment: dt.datetime, cycles: int) -> None:
    later = moment.year + 400 * cycles
    text = f"{later:04}-{moment:%m-%d} 00:00:00"
    start = dt.datetime(moment.year, moment.month, moment.day)
    assert temporal.timestamp_micros(text) == micros(start) + cycles * 146_097 * 86_400_000_000


@given(st.dates(max_value=dt.date(4000, 12, 31)))
def test_dates_before_christ(date: dt.date) -> None:
    """The year 1 BC is astronomically year 0, which is like the year 4000 minus ten cycles."""
    before = 4001 - date.year
    text = f"{before:04}-{date:%m-%d} BC"
    assert temporal.epoch_days(text) == date.toordinal() - 719_163 - 10 * 146_097
    assert temporal.iso_date(text).endswith(f"-{date:%m-%d}Z")


@given(st.times())
def test_times(time: dt.time) -> None:
    text = time.isoformat()
    text = text.rstrip("0") if "." in text else text
    expected = ((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000 + time.microsecond
    assert temporal.time_micros(text) == expected
    assert temporal.timetz_utc(text + "+00") == text + "Z"
    assert temporal.timetz_text(text + "-08") == text + "-08:00"


@given(st.text("0123456789-: .+BCinfty", max_size=30))
def test_arbitrary_text_is_decoded_or_refused(text: str) -> None:
    for decode in (
        temporal.iso_timestamp,
        temporal.iso_date,
        temporal.timetz_text,
        temporal.timetz_utc,
        intervals.interval_iso,
        intervals.interval_micros,
    ):
        try:
            decode(text)
        except DataError as error:
            assert repr(text) in error.message or text in error.message  # noqa: PT017


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**62), 2**62))
def test_intervals_in_iso_style_come_back(months: int, days: int, micros: int) -> None:
    iso = intervals.interval_iso(_postgres_style(months, days, micros))
    assert intervals.parse_interval(iso) == (months, days, micros)


def _postgres_style(months: int, days: int, micros: int) -> str:
    sign = -1 if months < 0 else 1
    years, rest = divmod(abs(months), 12)
    seconds, fraction = divmod(abs(micros), 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"
    return f"{sign * years} years {sign * rest} mons {days} days {'-' if micros < 0 else ''}{clock}"
