"""Where the time of a record comes from: the clock, the record, or one of its fields. Milliseconds. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

from connectors.s3.fields import field_of
from replicator.api import DataError, SinkRecord

Extract = Callable[[SinkRecord, int], int]
"""(record, now) -> milliseconds since the epoch."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_MONTH_ONLY: Final = re.compile(r"\d{4}(-\d{2})?")


def extractor(name: str, field: str) -> tuple[Extract, bool]:
    """The extractor of that name, and whether it is the wall clock."""
    short = name.rpartition("$")[2].removesuffix("TimestampExtractor")
    if short == "Wallclock":
        return (lambda record, now: now), True
    if short == "Record":
        return _record_time, False
    return (lambda record, now: _field_time(record, field)), False


def _record_time(record: SinkRecord, now: int) -> int:
    if record.timestamp is None:
        raise DataError("The record has no timestamp, which the Record timestamp extractor needs.")
    return record.timestamp


def _field_time(record: SinkRecord, path: str) -> int:
    _, value = field_of(record.value_schema, record.value, path)
    return milliseconds(value, path)


def milliseconds(value: Any, path: str) -> int:
    """A number, text in ISO 8601, or a date as milliseconds.

    Raises:
        DataError: the value is no time.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _parsed(value, path)
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        return (aware - _EPOCH) // _MILLISECOND
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()) // dt.timedelta(days=1) * 86_400_000
    raise DataError(f"Error extracting timestamp from record field: {path}")


def _parsed(text: str, path: str) -> int:
    if re.fullmatch(r"-?\d{5,}", text):
        return int(text)
    full = text
    if _MONTH_ONLY.fullmatch(text):
        full = f"{text}-01-01" if len(text) == 4 else f"{text}-01"
    try:
        return milliseconds(dt.datetime.fromisoformat(full), path)
    except ValueError as error:
        raise DataError(f"Error extracting timestamp from record field '{path}': {text!r}") from error
