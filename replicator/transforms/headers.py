"""DropHeaders, InsertHeader, HeaderFrom. Task thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import ConfigError, DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord, Header
from replicator.api.schema import Schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation
from replicator.api.validators import one_of
from replicator.converters.header_inference import infer
from replicator.transforms.copying import basics, copier, field_reader
from replicator.transforms.java_lists import non_empty_list
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import require_map, require_struct, schema_text


class DropHeaders(Transformation):
    """Removes the headers of some names."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}DropHeaders",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "headers",
                Type.LIST,
                importance=Importance.HIGH,
                validator=non_empty_list,
                doc="Names of the headers to remove.",
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        self._names = frozenset(self.config_def().parse(config)["headers"])

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        headers = record.headers
        if not headers:
            return record
        kept = [h for h in headers if h.key not in self._names]
        return record if len(kept) == len(headers) else record.evolve(headers=kept or None)


class InsertHeader(Transformation):
    """Adds one header with a literal value to every record."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}InsertHeader",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return ConfigDef(
            key("header", Type.STRING, importance=high, doc="Name of the header."),
            key(
                "value.literal",
                Type.STRING,
                importance=high,
                doc="Value of the header; its type is inferred from the text, as for headers read from a topic.",
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        schema, value = infer(options["value.literal"])
        self._header = Header(options["header"], schema, value)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        return record.evolve(headers=[*(record.headers or ()), self._header])


class _Plan(NamedTuple):
    schema: Schema
    copy: Callable[[Mapping[str, Any]], dict[str, Any]] | None
    headers: list[tuple[str, Schema, Callable[[Struct], Any]]]


class HeaderFrom(PartTransform):
    """Copies or moves fields into headers."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return ConfigDef(
            key(
                "fields",
                Type.LIST,
                importance=high,
                validator=non_empty_list,
                doc="Fields whose values go to headers.",
            ),
            key(
                "headers",
                Type.LIST,
                importance=high,
                validator=non_empty_list,
                doc="Names of the headers, in the order of the fields.",
            ),
            key(
                "operation",
                Type.STRING,
                importance=high,
                validator=one_of("move", "copy"),
                doc="move: the fields are removed from the record; copy: they stay.",
            ),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        fields, headers = options["fields"], options["headers"]
        if len(fields) != len(headers):
            raise ConfigError(
                "'fields' config must have the same number of elements as 'headers' config.", option="fields"
            )
        self._pairs = list(zip(fields, headers, strict=True))
        self._moved = frozenset(fields) if options["operation"] == "move" else frozenset()
        self._purpose = f"header {options['operation']}"
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        headers = list(record.headers or ())
        if schema is None:
            values = require_map(value, self._purpose)
            headers += [Header(name, None, values.get(field)) for field, name in self._pairs]
            if self._moved:
                values = {k: v for k, v in values.items() if k not in self._moved}
            return self.write(record, None, values).evolve(headers=headers)
        struct = require_struct(value, self._purpose, schema)
        plan = self._plans(schema)
        headers += [_header(name, field, read(struct)) for name, field, read in plan.headers]
        if plan.copy is not None:
            struct = Struct(plan.schema, plan.copy(struct.fields))
        return self.write(record, plan.schema, struct).evolve(headers=headers)

    def _plan(self, schema: Schema) -> _Plan:
        headers = []
        for name, header in self._pairs:
            field = schema.field(name)
            if field is None:
                raise DataError(f"Field does not exist: {name}")
            headers.append((header, field.schema, field_reader(schema, name, defaults=self._defaults)))
        if not self._moved:
            return _Plan(schema, None, headers)
        kept = [(f.name, f.schema) for f in schema.fields if f.name not in self._moved]
        copy = copier([(name, name) for name, _ in kept], schema, defaults=self._defaults)
        return _Plan(basics(schema, kept), copy, headers)


def _header(name: str, schema: Schema, value: Any) -> Header:
    if value is None and not schema.optional:
        raise DataError(f"A null value requires an optional schema but was {schema_text(schema)}")
    return Header(name, schema, value)


class HeaderFromKey(OnKey, HeaderFrom):
    """HeaderFrom of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}HeaderFrom$Key",)


class HeaderFromValue(OnValue, HeaderFrom):
    """HeaderFrom of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}HeaderFrom$Value",)
