"""SetSchemaMetadata: another name or version for the schema. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import ConfigError, DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema
from replicator.api.struct import Struct
from replicator.transforms.copying import copier, same_names
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch


class SetSchemaMetadata(PartTransform):
    """Sets the name, the version or both."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return ConfigDef(
            key("schema.name", Type.STRING, None, importance=high, doc="The schema's new name."),
            key("schema.version", Type.INT, None, importance=high, doc="The schema's new version."),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._name: str | None = options["schema.name"]
        self._version: int | None = options["schema.version"]
        if self._name is None and self._version is None:
            raise ConfigError("Neither schema name nor version configured")
        defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._changed)
        self._copiers = PlanCache(lambda schema: copier(same_names(schema), schema, defaults=defaults))

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if schema is None:
            if value is None:
                return record
            raise DataError("Schema required for [updating schema metadata]")
        made = self._plans(schema)
        if isinstance(value, Struct):
            value = Struct(made, self._copiers(schema)(value.fields))
        return self.write(record, made, value)

    def _changed(self, schema: Schema) -> Schema:
        return schema.evolve(
            name=schema.name if self._name is None else self._name,
            version=schema.version if self._version is None else self._version,
        )


class SetSchemaMetadataKey(OnKey, SetSchemaMetadata):
    """SetSchemaMetadata of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}SetSchemaMetadata$Key",)


class SetSchemaMetadataValue(OnValue, SetSchemaMetadata):
    """SetSchemaMetadata of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}SetSchemaMetadata$Value",)
