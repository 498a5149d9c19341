"""Partitioners: the directory of a record below its topic, named exactly as Confluent's partitioners do. Pure."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from connectors.s3.classes import PARTITIONERS, named
from connectors.s3.fields import field_of
from connectors.s3.joda import compile_pattern
from connectors.s3.timestamps import Extract, extractor
from replicator.api import ConfigError, DataError, SchemaType, SinkRecord

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
_FIXED: Final = {
    "Daily": ("'year'=YYYY{d}'month'=MM{d}'day'=dd", DAY_MS),
    "Hourly": ("'year'=YYYY{d}'month'=MM{d}'day'=dd{d}'hour'=HH", HOUR_MS),
}
_SIMPLE: Final = frozenset(
    {
        SchemaType.INT8,
        SchemaType.INT16,
        SchemaType.INT32,
        SchemaType.INT64,
        SchemaType.STRING,
        SchemaType.BOOLEAN,
    }
)


class Partitioner(Protocol):
    """Names a record's directory.

    Attributes:
        extract: the time of a record, for partitioners that have one.
        wallclock: whether that time is the clock's.
    """

    extract: Extract | None
    wallclock: bool

    def encode(self, record: SinkRecord, now: int) -> str:
        """The directory below the topic's."""
        ...


class DefaultPartitioner:
    """One directory per topic partition."""

    extract: Extract | None = None
    wallclock = False

    def encode(self, record: SinkRecord, now: int) -> str:
        return f"partition={record.partition}"


class FieldPartitioner:
    """Values of fields."""

    extract: Extract | None = None
    wallclock = False

    def __init__(self, fields: Sequence[str], delimiter: str, named_values: bool) -> None:
        if not fields:
            raise ConfigError(
                "Missing required configuration partition.field.name for FieldPartitioner",
                option="partition.field.name",
            )
        self._fields = fields
        self._delimiter = delimiter
        self._named = named_values

    def encode(self, record: SinkRecord, now: int) -> str:
        return self._delimiter.join([self._part(record, name) for name in self._fields])

    def _part(self, record: SinkRecord, name: str) -> str:
        schema, value = field_of(record.value_schema, record.value, name)
        if schema is not None and (schema.type not in _SIMPLE):
            raise DataError(
                f"Error encoding partition: type {schema.type.name} of field '{name}' is no partition key."
            )
        if schema is None and not isinstance(value, (str, int)):
            raise DataError(f"Error encoding partition: the value of field '{name}' is no partition key.")
        text = str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
        return f"{name}={text}" if self._named else text


class TimePartitioner:
    """Spans of time, in a zone."""

    extract: Extract | None

    def __init__(
        self, extract: Extract, wallclock: bool, pattern: str, duration: int, zone: dt.tzinfo
    ) -> None:
        self.extract = self._extract = extract
        self.wallclock = wallclock
        self._write = compile_pattern(pattern)
        self._duration = duration
        self._zone = zone
        self._last: tuple[int, str] | None = None

    def encode(self, record: SinkRecord, now: int) -> str:
        start = self.start_of(self._extract(record, now))
        if self._last is None or self._last[0] != start:
            self._last = start, self._write(_moment(start, self._zone))
        return self._last[1]

    def start_of(self, timestamp: int) -> int:
        """Beginning of the span, which is aligned to local time."""
        local = _moment(timestamp, self._zone)
        shift = _offset_ms(local)
        start = (timestamp + shift) // self._duration * self._duration - shift
        # The offset may have been another one at the beginning of the span.
        return start + shift - _offset_ms(_moment(start, self._zone))


class SchemaPartitioner:
    """Another partitioner's directories, with the schema's name before or behind them."""

    def __init__(self, inner: Partitioner, delimiter: str, *, before: bool) -> None:
        self.extract = inner.extract
        self.wallclock = inner.wallclock
        self._inner = inner
        self._delimiter = delimiter
        self._before = before

    def encode(self, record: SinkRecord, now: int) -> str:
        name = None if record.value_schema is None else record.value_schema.name
        parts = [f"schema_name={'null' if name is None else name}", self._inner.encode(record, now)]
        return self._delimiter.join(parts if self._before else reversed(parts))


def _offset_ms(moment: dt.datetime) -> int:
    return (moment.utcoffset() or dt.timedelta()) // dt.timedelta(milliseconds=1)


def _moment(timestamp: int, zone: dt.tzinfo) -> dt.datetime:
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=timestamp)
    except OverflowError as error:
        raise DataError(f"{timestamp} is no timestamp in milliseconds.") from error
    return moment.astimezone(zone)


def zone_of(name: str, why: str) -> dt.tzinfo:
    """The zone of that name.

    Raises:
        ConfigError: there is none.
    """
    if not name:
        raise ConfigError(f"{why} requires the configuration timezone to be set.", option="timezone")
    if name in ("UTC", "Z"):
        return dt.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ConfigError(f"The datetime zone id '{name}' is not recognised", option="timezone") from None


def partitioner_of(options: Mapping[str, Any]) -> Partitioner:
    """The configured partitioner.

    Raises:
        ConfigError: an option it needs is missing or wrong.
    """
    made = _MAKERS[named(options["partitioner.class"], PARTITIONERS)](options)
    affix = options["s3.schema.partition.affix.type"]
    if affix == "NONE":
        return made
    return SchemaPartitioner(made, options["directory.delim"], before=affix == "PREFIX")


def _field(options: Mapping[str, Any]) -> Partitioner:
    names, delimiter = options["partition.field.name"] or [], options["directory.delim"]
    return FieldPartitioner(names, delimiter, options["partition.field.format.path"])


def _timed(options: Mapping[str, Any]) -> Partitioner:
    kind = named(options["partitioner.class"], PARTITIONERS)
    pattern, duration = _FIXED.get(kind, (options["path.format"], options["partition.duration.ms"]))
    pattern = pattern.replace("{d}", options["directory.delim"]) if kind in _FIXED else pattern
    if not pattern:
        raise ConfigError("Path format cannot be empty.", option="path.format")
    if duration <= 0:
        raise ConfigError("Partition duration needs to be a positive.", option="partition.duration.ms")
    extract, wallclock = extractor(options["timestamp.extractor"], options["timestamp.field"])
    zone = zone_of(options["timezone"], f"{kind}Partitioner")
    return TimePartitioner(extract, wallclock, pattern, duration, zone)


_MAKERS: Final[dict[str, Callable[[Mapping[str, Any]], Partitioner]]] = {
    "Default": lambda options: DefaultPartitioner(),
    "Field": _field,
    "TimeBased": _timed,
    "Daily": _timed,
    "Hourly": _timed,
}
