"""Cast: fields, or the whole key or value, turned into another primitive type. Task thread."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

from replicator.api.config import ConfigDef, Importance, Type, invalid, key
from replicator.api.errors import ConfigError, DataError
from replicator.api.logical import DATE, TIME, TIMESTAMP
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.transforms import java_numbers as numbers
from replicator.transforms.copying import basics, copier, same_names
from replicator.transforms.java_lists import java_list, split
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import fields_of, java_class, require_map, require_struct

_PURPOSE: Final = "cast types"
_BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}
_TARGETS: Final = (
    *_BITS,
    SchemaType.FLOAT32,
    SchemaType.FLOAT64,
    SchemaType.BOOLEAN,
    SchemaType.STRING,
)
_SOURCES: Final = (*_TARGETS, SchemaType.BYTES)
_INSTANTS: Final = (DATE, TIME, TIMESTAMP)
_INFERRED: Final[dict[type, SchemaType]] = {
    bool: SchemaType.BOOLEAN,
    int: SchemaType.INT64,
    float: SchemaType.FLOAT64,
    str: SchemaType.STRING,
    bytes: SchemaType.BYTES,
    bytearray: SchemaType.BYTES,
    memoryview: SchemaType.BYTES,
    list: SchemaType.ARRAY,
    tuple: SchemaType.ARRAY,
    dict: SchemaType.MAP,
    Struct: SchemaType.STRUCT,
}

Caster = Callable[[Any], Any]


class _Plan(NamedTuple):
    schema: Schema
    build: Callable[[Struct], Struct]


class Cast(PartTransform):
    """Casts what `spec` lists."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "spec",
                Type.LIST,
                importance=Importance.HIGH,
                validator=_check,
                doc="Pairs of field:type, or one type for the whole key or value. Types: int8, int16, int32, "
                "int64, float32, float64, boolean, string. Binary values can be cast to string only.",
            ),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        casts = parse_spec(options["spec"])
        self._whole = casts.pop(None, None)
        self._casts = {name: target for name, target in casts.items() if name is not None}
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if value is None:
            return record
        if schema is None:
            return self.write(record, None, self._schemaless(value))
        if self._whole is not None:
            target = self._plans_of_whole(schema)
            return self.write(record, target, caster(schema, self._whole)(value))
        plan = self._plans(schema)
        struct = require_struct(value, _PURPOSE, schema)
        return self.write(record, plan.schema, plan.build(struct))

    def _schemaless(self, value: Any) -> Any:
        if self._whole is not None:
            return cast(None, value, self._whole)
        changed = dict(require_map(value, _PURPOSE))
        for name, target in self._casts.items():
            changed[name] = cast(None, changed.get(name), target)
        return changed

    def _plans_of_whole(self, schema: Schema) -> Schema:
        return self._plans(schema).schema

    def _plan(self, schema: Schema) -> _Plan:
        if self._whole is not None:
            whole = _cast_schema(schema, self._whole, keep_basics=True)
            return _Plan(whole, lambda struct: struct)
        casters: list[tuple[str, Caster]] = []
        fields: list[tuple[str, Schema]] = []
        for field in fields_of(schema):
            target = self._casts.get(field.name)
            if target is None:
                fields.append((field.name, field.schema))
            else:
                casters.append((field.name, caster(field.schema, target)))
                fields.append((field.name, _cast_schema(field.schema, target, keep_basics=False)))
        made = schema.evolve(fields=fields, default=None)
        if schema.default is not None:
            cast(schema, schema.default, SchemaType.STRUCT)
        copy = copier(same_names(schema), schema, defaults=self._defaults, made=made)

        def build(struct: Struct) -> Struct:
            values = copy(struct.fields)
            for name, change in casters:
                value = values[name]
                if value is not None:
                    values[name] = change(value)
            return Struct(made, values)

        return _Plan(made, build)


class CastKey(OnKey, Cast):
    """Cast of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}Cast$Key",)


class CastValue(OnValue, Cast):
    """Cast of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}Cast$Value",)


def parse_spec(spec: list[str]) -> dict[str | None, SchemaType]:
    """Field -> type; the field None stands for the whole value.

    Raises:
        ConfigError: an entry is wrong.
    """
    casts: dict[str | None, SchemaType] = {}
    for entry in spec:
        parts = split(entry)
        if len(parts) > 2:
            raise invalid("renames", java_list(spec), f"Invalid rename mapping: {entry}")
        name = parts[0].strip() if len(parts) == 2 else None
        casts[name] = _target(parts[-1].strip(), whole=name is None)
    if None in casts and len(spec) > 1:
        raise ConfigError(
            "Cast transformations that specify a type to cast the entire value to may only specify a single "
            "cast in their spec",
            option="spec",
        )
    return casts


def _check(name: str, value: Any) -> None:
    if not value:
        raise ConfigError("Must specify at least one field to cast.", option=name)
    parse_spec(value)


def _target(text: str, *, whole: bool) -> SchemaType:
    try:
        target = SchemaType[text.upper()]
    except KeyError:
        message = f"Invalid type found in casting spec: {text}"
        if not whole:  # Java's message has its two parts exchanged
            constant = f"org.apache.kafka.connect.data.Schema.Type.{text.upper()}"
            cause = f"java.lang.IllegalArgumentException: No enum constant {constant}"
            message = f"Invalid value {cause} for configuration {message}"
        raise ConfigError(message, option="spec") from None
    if target not in _TARGETS:
        raise ConfigError(
            f"Cast transformation does not support casting to {target.name}; supported types are "
            f"{_names(_TARGETS)}",
            option="spec",
        )
    return target


def _names(types: tuple[SchemaType, ...]) -> str:
    return java_list([t.name for t in types])


def _cast_schema(schema: Schema, target: SchemaType, *, keep_basics: bool) -> Schema:
    default = cast(schema, schema.default, target)
    if keep_basics:
        return basics(schema).evolve(type=target, optional=schema.optional, default=default)
    return Schema(target, optional=schema.optional, default=default)


def cast(schema: Schema | None, value: Any, target: SchemaType) -> Any:
    """One value cast to a type.

    Raises:
        DataError: it cannot be.
    """
    return None if value is None else caster(schema, target)(value)


def caster(schema: Schema | None, target: SchemaType) -> Caster:
    """A function that casts values of a schema that are not null."""
    if schema is None:
        return lambda value: caster(Schema(_inferred(value)), target)(value)
    if schema.type not in _SOURCES:
        message = (
            f"Cast transformation does not support casting from {schema.type.name}; supported types are "
            f"{_names(_SOURCES)}"
        )
        return lambda value: _fail(message)
    made = _plain_caster(schema, target)

    def checked(value: Any) -> Any:
        try:
            return made(value)
        except ValueError:
            raise DataError(f"Value ({value}) was out of range for requested data type") from None

    return checked


def _fail(message: str) -> Any:
    raise DataError(message)


def _inferred(value: Any) -> SchemaType:
    found = _INFERRED.get(type(value))
    if found is None:
        raise DataError(
            f"Cast transformation was passed a value of type class {java_class(value)} which is not supported by "
            "Connect's data API"
        )
    return found


def _plain_caster(schema: Schema, target: SchemaType) -> Caster:
    if target is SchemaType.STRING:
        return lambda value: _to_string(value, schema)
    encode = _epoch if schema.name in _INSTANTS else None
    number = _to_number(schema, target)
    return number if encode is None else lambda value: number(encode(value, schema))


def _to_number(schema: Schema, target: SchemaType) -> Caster:
    bits = _BITS.get(target, 0)

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            if bits:
                return numbers.parse_integer(value, bits)
            if target is SchemaType.BOOLEAN:
                return value.lower() == "true"
            parsed = numbers.parse_double(value)
            return numbers.single(parsed) if target is SchemaType.FLOAT32 else parsed
        if not isinstance(value, (int, float, Decimal)):
            raise DataError(f"Unexpected type in Cast transformation: class {java_class(value, schema)}")
        if bits:
            return numbers.narrow(value, bits)
        if target is SchemaType.BOOLEAN:
            return value if isinstance(value, bool) else numbers.narrow(value, 64) != 0
        return numbers.single(float(value)) if target is SchemaType.FLOAT32 else float(value)

    return convert


def _epoch(value: Any, schema: Schema) -> Any:
    """What a date, time or timestamp is stored as."""
    if not isinstance(value, (dt.date, dt.time)):
        return value
    ms = numbers.millis(value)
    return ms // numbers.DAY_MS if schema.name == DATE else ms


def _to_string(value: Any, schema: Schema) -> str:
    if isinstance(value, (dt.date, dt.time)):
        return numbers.date_text(numbers.millis(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b64encode(value).decode("ascii")
    return numbers.text_of(value, is_single=schema.type is SchemaType.FLOAT32)
