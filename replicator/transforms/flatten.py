"""Flatten: nested structs and maps on one level, their names joined. Task thread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.transforms.copying import Copy, CopyPlan, basics
from replicator.transforms.part import PACKAGE, OnKey, OnValue, PartTransform
from replicator.transforms.required import java_class, require_map, require_struct

_PURPOSE: Final = "flattening"


class _Leaf(NamedTuple):
    """A field of the flat struct: where its value is, and the default of its own schema there."""

    name: str
    path: tuple[str, ...]
    schema: Schema
    default: Any


class Flatten(PartTransform):
    """Brings everything but arrays to one level."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "delimiter",
                Type.STRING,
                ".",
                importance=Importance.MEDIUM,
                doc="What joins the names of a field and of those it is nested in.",
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        self._delimiter: str = self.config_def().parse(config)["delimiter"]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if value is None:
            return record
        if schema is None:
            flat: dict[str, Any] = {}
            self._flatten(require_map(value, _PURPOSE), "", flat)
            return self.write(record, None, flat)
        struct = require_struct(value, _PURPOSE, schema)
        plan = self._plans(struct.schema)
        return self.write(record, plan.schema, plan.copied(struct))

    def _joined(self, prefix: str, name: str) -> str:
        return prefix + self._delimiter + name if prefix else name

    def _flatten(self, values: Mapping[str, Any], prefix: str, into: dict[str, Any]) -> None:
        for key_, value in values.items():
            name = self._joined(prefix, key_)
            if type(value) is dict:
                self._flatten(value, name, into)
                continue
            if isinstance(value, Struct):
                raise DataError(
                    f"Flatten transformation does not support class {java_class(value)} for record without "
                    f"schemas (for field {name})."
                )
            if isinstance(value, (dt.date, dt.time, Decimal)):
                raise DataError(
                    f"Flatten transformation was passed a value of type class {java_class(value)} which is not "
                    "supported by Connect's data API"
                )
            into[name] = value

    def _plan(self, schema: Schema) -> CopyPlan:
        leaves: list[_Leaf] = []
        self._leaves(schema, "", (), schema.optional, schema.default, leaves)
        return CopyPlan(basics(schema, [(leaf.name, leaf.schema) for leaf in leaves]), _builder(leaves))

    def _leaves(
        self,
        schema: Schema,
        prefix: str,
        path: tuple[str, ...],
        optional: bool,
        parent_default: Any,
        into: list[_Leaf],
    ) -> None:
        for field in schema.fields:
            name, at = self._joined(prefix, field.name), (*path, field.name)
            may_miss = optional or field.schema.optional
            default = field.schema.default
            if default is None and parent_default is not None:
                default = _fields(parent_default).get(field.name)
            if field.schema.type is SchemaType.STRUCT:
                self._leaves(field.schema, name, at, may_miss, default, into)
            elif field.schema.type is SchemaType.MAP:
                raise DataError(
                    f"Flatten transformation does not support MAP for record with schemas (for field {name})."
                )
            else:
                flat = basics(field.schema).evolve(optional=may_miss, default=default)
                into.append(_Leaf(name, at, flat, field.schema.default))


class FlattenKey(OnKey, Flatten):
    """Flatten of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}Flatten$Key",)


class FlattenValue(OnValue, Flatten):
    """Flatten of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}Flatten$Value",)


def _fields(value: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = value.fields if isinstance(value, Struct) else value
    return found


def _builder(leaves: list[_Leaf]) -> Copy:
    """A function that makes the flat fields: leaves of one struct are read together."""
    groups: dict[tuple[str, ...], list[_Leaf]] = {}
    for leaf in leaves:
        groups.setdefault(leaf.path[:-1], []).append(leaf)
    steps = [
        (
            path,
            tuple(leaf.name for leaf in group),
            tuple(leaf.path[-1] for leaf in group),
            [(leaf.name, leaf.default) for leaf in group if leaf.default is not None],
        )
        for path, group in groups.items()
    ]
    order = [leaf.name for leaf in leaves]
    sorted_already = [name for _, names, _, _ in steps for name in names] == order

    def build(fields: Mapping[str, Any]) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for path, names, olds, defaults in steps:
            here: Any = fields
            for step in path:
                here = here.get(step)
                if here is None:
                    break
                if type(here) is not dict:
                    here = here.fields
            if here is None:
                flat.update(dict.fromkeys(names))
                continue
            flat.update(zip(names, map(here.get, olds), strict=True))
            for name, default in defaults:
                if flat[name] is None:
                    flat[name] = default
        return flat if sorted_already else {name: flat[name] for name in order}

    return build
