"""Times of a result: their form under `timestamp.granularity`, and what makes their values. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from connectors.jdbc.source.reading import Decode
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import DataError, Schema
from replicator.api.logical import timestamp_schema
from replicator.api.schema import INT64, STRING

_EPOCH: Final = dt.datetime(1970, 1, 1)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def whole_milliseconds(value: Any) -> Any:
    """Connect's Time and Timestamp count milliseconds."""
    return value.replace(microsecond=value.microsecond // 1000 * 1000) if value.microsecond % 1000 else value


def micros_of(moment: dt.datetime) -> int:
    """Microseconds since the epoch of a naive UTC moment."""
    return (moment - _EPOCH) // _MICROSECOND


def timestamp_type(settings: SourceSettings) -> tuple[Schema, Decode]:
    """Schema of timestamps, and what turns a naive UTC moment into a value."""
    form = settings.granularity
    if form == "connect_logical":
        return timestamp_schema(), whole_milliseconds
    if form.endswith("_iso_datetime_string"):
        return STRING, _iso(settings.zone, "" if form.startswith("micros") else "000")
    factor = 1 if form.startswith("micros") else 1000
    if form.endswith("_long"):
        return INT64, lambda moment: _within_long(micros_of(moment) * factor)
    return STRING, lambda moment: str(micros_of(moment) * factor)


def _within_long(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise DataError(f"A timestamp of {number} nanoseconds is beyond INT64")
    return number


def _iso(zone: dt.tzinfo, more_digits: str) -> Decode:
    def text(moment: dt.datetime) -> str:
        shown = moment.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
        return shown.isoformat("T", "microseconds") + more_digits

    return text
