"""TimestampConverter: instants as texts, epoch numbers or Connect's Date, Time and Timestamp. Task thread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import ConfigError, ConnectError, DataError
from replicator.api.logical import DATE, TIME, TIMESTAMP, date_schema, time_schema, timestamp_schema
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import INT64, STRING, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.validators import one_of
from replicator.transforms.copying import basics, copier, same_names
from replicator.transforms.java_numbers import DAY_MS, millis, timestamp
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import java_class, require_map, require_struct, schema_text
from replicator.transforms.simple_date_format import SimpleDateFormat

_PURPOSE: Final = "converting timestamp formats"
_TYPES: Final = ("string", "unix", "Date", "Time", "Timestamp")
_PRECISIONS: Final = ("nanoseconds", "microseconds", "milliseconds", "seconds")
_NAMES: Final = {TIMESTAMP: "Timestamp", DATE: "Date", TIME: "Time"}
_SCHEMAS: Final[dict[str, Schema]] = {
    "string": STRING,
    "unix": INT64,
    "Date": date_schema(),
    "Time": time_schema(),
    "Timestamp": timestamp_schema(),
}
_OPTIONAL: Final = {name: schema.as_optional() for name, schema in _SCHEMAS.items()}


class _Plan(NamedTuple):
    schema: Schema
    build: Callable[[Any], Any]


class TimestampConverter(PartTransform):
    """Converts one field, or the whole key or value."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        text = Type.STRING
        return ConfigDef(
            key(
                "field",
                text,
                "",
                importance=Importance.HIGH,
                doc="The field with the timestamp; empty when the whole key or value is one.",
            ),
            key(
                "target.type",
                text,
                importance=Importance.HIGH,
                validator=one_of(*_TYPES),
                doc="What to make of it: string, unix, Date, Time or Timestamp.",
            ),
            key(
                "format",
                text,
                "",
                importance=Importance.MEDIUM,
                doc="Pattern as for Java's SimpleDateFormat, for strings made or read; the time zone is UTC.",
            ),
            key(
                "unix.precision",
                text,
                "milliseconds",
                importance=Importance.LOW,
                validator=one_of(*_PRECISIONS),
                doc="Unit of unix timestamps made or read: seconds, milliseconds, microseconds or nanoseconds. "
                "What is finer than a millisecond is lost.",
            ),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._field: str = options["field"]
        self._type: str = options["target.type"]
        self._precision: str = options["unix.precision"]
        self._format = _compiled(options["format"], self._type)
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if schema is None:
            if value is None or not self._field:
                return self.write(record, None, self._convert(value, None))
            values = dict(require_map(value, _PURPOSE))
            values[self._field] = self._convert(values.get(self._field), None)
            return self.write(record, None, values)
        if self._field and value is not None:
            require_struct(value, _PURPOSE, schema)
        plan = self._plans(schema)
        return self.write(record, plan.schema, None if value is None else plan.build(value))

    def _plan(self, schema: Schema) -> _Plan:
        if not self._field:
            source = _type_of(schema)
            made = self._target(schema)
            return _Plan(made, lambda value: self._convert(value, source))
        fields = [
            (f.name, self._target(f.schema) if f.name == self._field else f.schema) for f in schema.fields
        ]
        made = basics(schema, fields).evolve(optional=schema.optional)
        build = self._builder(schema, made)
        if schema.default is not None:
            default = schema.default
            struct = default if isinstance(default, Struct) else Struct(schema, default)
            made = made.evolve(default=build(struct))
            build = self._builder(schema, made)
        return _Plan(made, build)

    def _target(self, schema: Schema) -> Schema:
        return (_OPTIONAL if schema.optional else _SCHEMAS)[self._type]

    def _builder(self, schema: Schema, made: Schema) -> Callable[[Struct], Struct]:
        copy = copier(same_names(schema), schema, defaults=self._defaults, made=made)
        field = schema.field(self._field)
        if field is None:
            return lambda struct: Struct(made, copy(struct.fields))
        name, convert = self._field, self._convert
        field_schema = field.schema

        def build(struct: Struct) -> Struct:
            values = copy(struct.fields)
            values[name] = convert(values[name], _type_of(field_schema))
            return Struct(made, values)

        return build

    def _convert(self, value: Any, source: str | None) -> Any:
        """A value in the target form; `source` is None where its form has to be seen from the value."""
        if value is None:
            return None
        ms = self._millis(value, _inferred(value) if source is None else source)
        if self._type == "unix":
            return _from_millis(ms, self._precision)
        try:
            return self._moment(ms)
        except OverflowError:
            raise DataError(f"The timestamp {value} is outside of the years 1 to 9999") from None

    def _moment(self, ms: int) -> Any:
        if self._type == "Timestamp":
            return timestamp(ms)
        if self._type == "string":
            assert self._format is not None
            return self._format.format(ms)
        day, rest = divmod(ms, DAY_MS)
        if self._type == "Date":
            return timestamp(day * DAY_MS).date()
        return timestamp(rest).time()

    def _millis(self, value: Any, source: str) -> int:
        if source == "string":
            if not isinstance(value, str):
                raise _unexpected("string timestamp to be a String", value)
            if self._format is None:
                raise DataError(
                    "TimestampConverter requires format option to be specified when using string timestamps"
                )
            try:
                return self._format.parse(value)
            except (ValueError, OverflowError):
                raise DataError(
                    f"Could not parse timestamp: value ({value}) does not match pattern ({self._format.pattern})"
                ) from None
        if source == "unix":
            if not isinstance(value, int):
                raise _unexpected("Unix timestamp to be a Long", value)
            return _to_millis(value, self._precision)
        if not isinstance(value, (dt.date, dt.time)):
            raise _unexpected(f"{source} to be a java.util.Date", value)
        return millis(value)


class TimestampConverterKey(OnKey, TimestampConverter):
    """TimestampConverter of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}TimestampConverter$Key",)


class TimestampConverterValue(OnValue, TimestampConverter):
    """TimestampConverter of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}TimestampConverter$Value",)


def _compiled(pattern: str, target: str) -> SimpleDateFormat | None:
    if not pattern:
        if target == "string":
            raise ConfigError(
                "TimestampConverter requires format option to be specified when using string timestamps",
                option="format",
            )
        return None
    try:
        return SimpleDateFormat(pattern)
    except ValueError as error:
        wanted = "TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps"
        cause = f"java.lang.IllegalArgumentException: {error}"  # Java's message has its two parts exchanged
        raise ConfigError(
            f"Invalid value {cause} for configuration {wanted}: {pattern}", option="format"
        ) from None


def _type_of(schema: Schema) -> str:
    known = _NAMES.get(schema.name or "")
    if known is not None:
        return known
    if schema.type is SchemaType.STRING:
        return "string"
    if schema.type is SchemaType.INT64:
        return "unix"
    raise ConnectError(f"Schema {schema_text(schema)} does not correspond to a known timestamp type format")


def _inferred(value: Any) -> str:
    if isinstance(value, (dt.date, dt.time)):
        return "Timestamp"
    if isinstance(value, int) and not isinstance(value, bool):
        return "unix"
    if isinstance(value, str):
        return "string"
    raise DataError(f"TimestampConverter does not support class {java_class(value)} objects as timestamps")


def _unexpected(expected: str, value: Any) -> DataError:
    return DataError(f"Expected {expected}, but found class {java_class(value)}")


def _to_millis(value: int, precision: str) -> int:
    if precision == "seconds":
        return _within_a_long(value * 1000)
    if precision == "milliseconds":
        return value
    divisor = 1000 if precision == "microseconds" else 1_000_000
    return value // divisor if value >= 0 else -(-value // divisor)


def _from_millis(ms: int, precision: str) -> int:
    if precision == "seconds":
        return ms // 1000 if ms >= 0 else -(-ms // 1000)
    if precision == "milliseconds":
        return ms
    return _within_a_long(ms * (1000 if precision == "microseconds" else 1_000_000))


def _within_a_long(number: int) -> int:
    """The nearest 64 bit number, as Java's TimeUnit gives it."""
    return max(-(2**63), min(number, 2**63 - 1))
