"""ReplaceField: fields left out, chosen or renamed. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema
from replicator.transforms.copying import CopyPlan, basics, copier
from replicator.transforms.java_lists import pairs
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import require_map, require_struct

_PURPOSE: Final = "field replacement"


def _check_pairs(name: str, value: Any) -> None:
    pairs(name, value or [])


class ReplaceField(PartTransform):
    """Excludes, includes and renames; excluding comes first, renaming last."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        medium = Importance.MEDIUM
        return ConfigDef(
            key("exclude", Type.LIST, [], importance=medium, doc="Fields to leave out, even included ones."),
            key("include", Type.LIST, [], importance=medium, doc="The only fields to keep; empty for all."),
            key(
                "renames",
                Type.LIST,
                [],
                importance=medium,
                validator=_check_pairs,
                doc="Pairs old:new of names.",
            ),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._exclude = frozenset(options["exclude"])
        self._include = frozenset(options["include"])
        self._renames = pairs("renames", options["renames"])
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if value is None:
            return record
        if schema is None:
            values = require_map(value, _PURPOSE)
            kept = {self._renames.get(k, k): v for k, v in values.items() if self._keeps(k)}
            return self.write(record, None, kept)
        struct = require_struct(value, _PURPOSE, schema)
        plan = self._plans(schema)
        return self.write(record, plan.schema, plan.copied(struct))

    def _keeps(self, name: str) -> bool:
        return name not in self._exclude and (not self._include or name in self._include)

    def _plan(self, schema: Schema) -> CopyPlan:
        kept = [f for f in schema.fields if self._keeps(f.name)]
        names = [(self._renames.get(f.name, f.name), f.name) for f in kept]
        made = basics(schema, [(new, f.schema) for (new, _), f in zip(names, kept, strict=True)])
        return CopyPlan(made, copier(names, schema, defaults=self._defaults))


class ReplaceFieldKey(OnKey, ReplaceField):
    """ReplaceField of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}ReplaceField$Key",)


class ReplaceFieldValue(OnValue, ReplaceField):
    """ReplaceField of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}ReplaceField$Value",)
