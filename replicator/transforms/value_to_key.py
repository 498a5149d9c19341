"""ValueToKey: a new key made of fields of the value. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, struct_schema
from replicator.api.transform import Transformation
from replicator.transforms.copying import CopyPlan, copier, distinct
from replicator.transforms.java_lists import non_empty_list
from replicator.transforms.part import NULL_SWITCH, PACKAGE, null_switch
from replicator.transforms.required import require_map, require_struct

_PURPOSE: Final = "copying fields from value to key"


class ValueToKey(Transformation):
    """Replaces the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}ValueToKey",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "fields",
                Type.LIST,
                importance=Importance.HIGH,
                validator=non_empty_list,
                doc="Fields of the value that make up the key.",
            ),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._fields: list[str] = options["fields"]
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value_schema is None:
            values = require_map(record.value, _PURPOSE)
            return record.evolve(key_schema=None, key={name: values.get(name) for name in self._fields})
        struct = require_struct(record.value, _PURPOSE, record.value_schema)
        plan = self._plans(struct.schema)
        return record.evolve(key_schema=plan.schema, key=plan.copied(struct))

    def _plan(self, schema: Schema) -> CopyPlan:
        fields: list[tuple[str, Schema]] = []
        for name in self._fields:
            field = schema.field(name)
            if field is None:
                raise DataError(f"Field does not exist: {name}")
            fields.append((name, field.schema))
        copy = copier([(name, name) for name in self._fields], schema, defaults=self._defaults)
        return CopyPlan(struct_schema(distinct(fields)), copy)
