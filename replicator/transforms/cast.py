"""Cast: fields, or the whole key or value, turned into another primitive type. Task thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import ConfigError
from replicator.api.option_types import Type, invalid
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.transforms.cast_values import TARGETS, Caster, cast, caster, names_of
from replicator.transforms.copying import basics, copier, same_names
from replicator.transforms.java_lists import java_list, split
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import fields_of, require_map, require_struct

_PURPOSE: Final = "cast types"


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
    if target not in TARGETS:
        raise ConfigError(
            f"Cast transformation does not support casting to {target.name}; supported types are "
            f"{names_of(TARGETS)}",
            option="spec",
        )
    return target


def _cast_schema(schema: Schema, target: SchemaType, *, keep_basics: bool) -> Schema:
    default = cast(schema, schema.default, target)
    if keep_basics:
        return basics(schema).evolve(type=target, optional=schema.optional, default=default)
    return Schema(target, optional=schema.optional, default=default)
