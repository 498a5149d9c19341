"""TimezoneConverter: times of rows moved into another time zone. Task thread.

Numbers without a zone (Timestamp, MicroTimestamp, NanoTimestamp, Connect's Timestamp) are read as the wall clock of
the zone and become the instant of it; texts with an offset are written with the zone's offset at the same instant.
A time of day without a date gets the offset that the zone has now.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from connectors.cdc.smt_options import option, require
from connectors.cdc.unwrap import is_envelope
from replicator.api import logical
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.errors import ConfigError, DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_RULE: Final = re.compile(r"[\".\w\s]+(:[\".\w\s]+){1,2}")
_MOMENT: Final = re.compile(
    r"(\d{4,}-\d\d-\d\dT)?(\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d(?::\d\d)?)", re.ASCII
)
_EPOCH: Final = dt.datetime(1970, 1, 1)
_UNITS: Final = {
    logical.DBZ_TIMESTAMP: 1_000,
    logical.DBZ_MICRO_TIMESTAMP: 1_000_000,
    logical.DBZ_NANO_TIMESTAMP: 1_000_000_000,
}
_IMAGES: Final = ("before", "after")

Convert = Callable[[Any], Any]


class Rule(NamedTuple):
    """One entry of a list: what it matches (`source`, `topic` or either), the name there, a field or all."""

    kind: str
    name: str
    field: str | None


class TimezoneConverter(Transformation):
    """Converts the images of change events; other records pass."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.TimezoneConverter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        rules = (
            "Rules source:TABLE, source:TABLE:FIELD, topic:TOPIC, topic:TOPIC:FIELD, or NAME:FIELD for a table or "
            "topic of that name."
        )
        high, medium = Importance.HIGH, Width.MEDIUM
        return ConfigDef(
            option(
                "converted.timezone",
                Type.STRING,
                None,
                "Converted Timezone",
                "The time zone, as a name (America/Los_Angeles) or an offset (+08:00).",
                importance=high,
                width=medium,
            ),
            option(
                "include.list",
                Type.LIST,
                None,
                "Include List",
                f"What to convert; everything when not set. {rules}",
                importance=high,
                width=medium,
            ),
            option(
                "exclude.list",
                Type.LIST,
                None,
                "Exclude List",
                f"What not to convert. {rules}",
                importance=high,
                width=medium,
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        require(options, "converted.timezone")
        self._zone = parse_zone(options["converted.timezone"])
        self._include = parse_rules(options["include.list"], "include")
        self._exclude = parse_rules(options["exclude.list"], "exclude")
        if self._include and self._exclude:
            raise ConfigError(
                "Both include and exclude lists are specified. Please specify only one.",
                option="include.list",
            )
        self._converters = PlanCache(self._timed_fields)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None or not is_envelope(record):
            return record
        envelope: Struct = record.value
        fields: dict[str, Any] | None = None
        for name in _IMAGES:
            image = envelope.get_without_default(name) if envelope.schema.field(name) is not None else None
            if image is None:
                continue
            changed = self._converted(record, name, image)
            if changed is not None:
                fields = dict(envelope.fields) if fields is None else fields
                fields[name] = changed
        return record if fields is None else record.evolve(value=Struct(envelope.schema, fields))

    def _converted(self, record: ConnectRecord, image_name: str, image: Struct) -> dict[str, Any] | None:
        """The fields of an image with its times converted, or None when none is."""
        timed = self._converters(image.schema)
        chosen = self._chosen(record, image_name, timed) if self._include or self._exclude else timed
        changed: dict[str, Any] | None = None
        for name, convert in chosen.items():
            value = image.fields.get(name)
            if value is not None:
                changed = dict(image.fields) if changed is None else changed
                changed[name] = convert(value)
        return changed

    def _chosen(
        self, record: ConnectRecord, image: str, timed: Mapping[str, Convert]
    ) -> Mapping[str, Convert]:
        source = record.value.get_without_default("source")
        table = source.fields.get("table") if isinstance(source, Struct) else None
        rules = [rule for rule in self._include or self._exclude if _matches(rule, record.topic, table)]
        whole = any(rule.field is None for rule in rules)
        named = {str(rule.field).removeprefix(f"{image}.") for rule in rules if rule.field is not None}
        if self._include:
            return timed if whole else {n: c for n, c in timed.items() if n in named}
        return {} if whole else {n: c for n, c in timed.items() if n not in named}

    def _timed_fields(self, schema: Schema) -> dict[str, Convert]:
        found: dict[str, Convert] = {}
        for field in schema.fields:
            name = field.schema.name
            if name in _UNITS:
                found[field.name] = self._number(_UNITS[name])
            elif name == logical.TIMESTAMP:
                found[field.name] = self._timestamp
            elif name in (logical.DBZ_ZONED_TIMESTAMP, logical.DBZ_ZONED_TIME):
                found[field.name] = self._text
        return found

    def _number(self, unit: int) -> Convert:
        def convert(value: int) -> int:
            seconds = value // unit
            try:
                wall = _EPOCH + dt.timedelta(seconds=seconds)
                return value - _seconds(wall.replace(tzinfo=self._zone)) * unit
            except (OverflowError, ValueError):
                raise DataError(f"The time {value} is too far away for a time zone") from None

        return convert

    def _timestamp(self, value: dt.datetime) -> dt.datetime:
        return value - dt.timedelta(seconds=_seconds(value.replace(tzinfo=self._zone)))

    def _text(self, value: str) -> str:
        found = _MOMENT.fullmatch(value)
        if found is None:
            raise DataError(f"'{value}' is no time with an offset")
        date, time, fraction, offset = found.groups()
        day = date or "2000-01-01T"
        given = dt.datetime.fromisoformat(f"{day}{time}{'+00:00' if offset == 'Z' else offset}")
        if date:
            moved = given.astimezone(self._zone)
            shown, ahead = moved.strftime("%Y-%m-%dT%H:%M:%S"), _seconds(moved)
        else:
            ahead = _seconds(dt.datetime.now(self._zone))
            shown = given.astimezone(dt.timezone(dt.timedelta(seconds=ahead))).strftime("%H:%M:%S")
        rest = (fraction or "").rstrip("0").rstrip(".")
        return f"{shown}{rest}{_offset_text(ahead)}"


def parse_zone(text: str) -> dt.tzinfo:
    """A time zone by name or offset.

    Raises:
        ConfigError: there is none such.
    """
    offset = _OFFSET.fullmatch(text)
    if offset is not None:
        seconds = int(offset[2]) * 3600 + int(offset[3]) * 60 + int(offset[4] or 0)
        return dt.timezone(dt.timedelta(seconds=-seconds if offset[1] == "-" else seconds))
    if text not in _zone_names():
        raise ConfigError(
            "Invalid timezone format. Please specify either a geographic timezone (e.g. America/Los_Angeles) or a UTC "
            "offset in the format of +/-hh:mm, (e.g. +08:00).",
            option="converted.timezone",
        )
    return ZoneInfo(text)


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def parse_rules(entries: list[str] | None, which: str) -> list[Rule]:
    """The rules of a list; a bare name is one more field of the rule before it.

    Raises:
        ConfigError: an entry has another form.
    """
    rules: list[Rule] = []
    for entry in entries or []:
        parts = entry.split(":")
        if rules and len(parts) == 1 and rules[-1].field is not None and entry:
            rules.append(rules[-1]._replace(field=entry))
        elif _RULE.fullmatch(entry) is None:
            raise ConfigError(
                f"Invalid {which} list format. Please specify a list of rules in the format of "
                '"source:<tablename>:<fieldnames>", "topic:<topicname>:<fieldnames>", "<matchname>:<fieldnames>"',
                option=f"{which}.list",
            )
        elif parts[0] in ("source", "topic"):
            rules.append(Rule(parts[0], parts[1], parts[2] if len(parts) > 2 else None))
        else:
            rules.append(Rule("", parts[0], parts[1]))
    return rules


def _matches(rule: Rule, topic: str, table: Any) -> bool:
    return (rule.kind != "topic" and rule.name == table) or (rule.kind != "source" and rule.name == topic)


def _seconds(moment: dt.datetime) -> int:
    ahead = moment.utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


def _offset_text(seconds: int) -> str:
    if seconds == 0:
        return "Z"
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    minutes, rest = divmod(seconds, 60)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" + (f":{rest:02d}" if rest else "")
