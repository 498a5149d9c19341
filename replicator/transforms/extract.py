"""ExtractField and HoistField: one field instead of its struct or map, and the other way round. Task thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from replicator.api.config import ConfigDef, key
from replicator.api.errors import DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, struct_schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation
from replicator.transforms import paths
from replicator.transforms.copying import field_reader
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import null_in_required, require_map, require_struct

_PURPOSE: Final = "field extraction"


class _Extraction(NamedTuple):
    schema: Schema
    read: Callable[[Struct], Any]


class ExtractField(PartTransform):
    """Replaces the key or value by one of its fields."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key("field", Type.STRING, doc="The field to extract."),
            paths.syntax_version(),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._field: str = options["field"]
        self._path = paths.parse_path(self._field, options[paths.SYNTAX])
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if schema is None:
            found = None if value is None else paths.map_value_at(require_map(value, _PURPOSE), self._path)
            return self.write(record, None, found)
        struct = None if value is None else require_struct(value, _PURPOSE, schema)
        plan = self._plans(schema)
        return self.write(record, plan.schema, None if struct is None else plan.read(struct))

    def _plan(self, schema: Schema) -> _Extraction:
        path, defaults = self._path, self._defaults
        found = paths.schema_at(schema, path)
        if found is None:
            raise DataError(f"Unknown field: {self._field}")
        if len(path) == 1:
            return _Extraction(found, field_reader(schema, path[0], defaults=defaults))
        return _Extraction(found, lambda struct: paths.value_at(struct, path, defaults=defaults))


class ExtractFieldKey(OnKey, ExtractField):
    """ExtractField of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}ExtractField$Key",)


class ExtractFieldValue(OnValue, ExtractField):
    """ExtractField of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}ExtractField$Value",)


class HoistField(PartTransform):
    """Wraps the key or value in a struct or map with one field."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(key("field", Type.STRING, doc="Name of the only field of the new struct or map."))

    def configure(self, config: Mapping[str, Any]) -> None:
        self._field: str = self.config_def().parse(config)["field"]
        self._plans = PlanCache(lambda schema: struct_schema([(self._field, schema)]))

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if schema is None:
            return self.write(record, None, {self._field: value})
        if value is None and not schema.optional:
            raise null_in_required(self._field, schema)
        made = self._plans(schema)
        return self.write(record, made, Struct(made, {self._field: value}))


class HoistFieldKey(OnKey, HoistField):
    """HoistField of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}HoistField$Key",)


class HoistFieldValue(OnValue, HoistField):
    """HoistField of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}HoistField$Value",)


class Filter(Transformation):
    """Drops every record; to be used with a predicate."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}Filter",)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        return None
