"""HeaderToValue: headers copied or moved into fields of the value. Task thread.

The last header of a name counts. A field that exists is overwritten; structs on the way that do not exist are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from connectors.cdc.smt_options import option, refused, require
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.errors import ConfigError, DataError, SchemaError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord, Header
from replicator.api.schema import Schema, SchemaType, struct_schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_OPERATIONS: Final = ("move", "copy")
_ROOT: Final[tuple[str, ...]] = ()

Found = tuple[tuple[tuple[str, ...], Schema], ...]
"""The path and schema of each header that a record has."""


class HeaderToValue(Transformation):
    """Inserts headers into the value; records without any of them, and tombstones, pass."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.HeaderToValue",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        high, no_width = Importance.HIGH, Width.NONE
        return ConfigDef(
            option(
                "headers",
                Type.LIST,
                None,
                "Header names list",
                "Headers whose values go into the value.",
                importance=high,
                width=no_width,
            ),
            option(
                "fields",
                Type.LIST,
                None,
                "Field names list",
                "The fields, in the order of the headers; nested names are joined by dots.",
                importance=high,
                width=no_width,
            ),
            option(
                "operation",
                Type.STRING,
                None,
                "Operation: mover or copy",
                "move: the headers are removed; copy: they stay.",
                importance=high,
                width=no_width,
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        require(options, "headers", "fields", "operation")
        operation = str(options["operation"])
        if operation.lower() not in _OPERATIONS:
            raise refused("operation", operation, "Value must be one of move, copy")
        headers, fields = options["headers"], options["fields"]
        if len(headers) != len(fields):
            raise ConfigError(
                "'fields' config must have the same number of elements as 'headers' config.", option="fields"
            )
        self._moves = operation.lower() == "move"
        self._paths = [(name, tuple(field.split("."))) for name, field in zip(headers, fields, strict=True)]
        self._names = frozenset(headers)
        self._plans: dict[Found, PlanCache[Schema]] = {}

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None:
            return record
        last: dict[str, Header] = {h.key: h for h in record.headers or () if h.key in self._names}
        if not last:
            return record
        if not isinstance(record.value, Struct):
            found = "java.lang.String" if isinstance(record.value, str) else type(record.value).__name__
            raise DataError(f"Only Struct objects supported for [Header field insertion], found: {found}")
        present = [(path, last[name]) for name, path in self._paths if name in last]
        schema = self._schema(record.value.schema, present)
        value = _inserted(record.value, schema, _ROOT, present)
        changes: dict[str, Any] = {"value_schema": schema, "value": value}
        if self._moves:
            changes["headers"] = [h for h in record.headers or () if h.key not in self._names] or None
        return record.evolve(**changes)

    def _schema(self, schema: Schema, present: Sequence[tuple[tuple[str, ...], Header]]) -> Schema:
        wanted: list[tuple[tuple[str, ...], Schema]] = []
        for path, header in present:
            if header.schema is None:
                raise SchemaError(f"fieldSchema for field {path[-1]} cannot be null.")
            wanted.append((path, header.schema))
        found = tuple(wanted)
        plans = self._plans.get(found)
        if plans is None:
            plans = self._plans[found] = PlanCache(lambda old: extended(old, found))
        return plans(schema)


def extended(schema: Schema, wanted: Found) -> Schema:
    """A struct schema with fields added, those within nested structs too."""
    fields = {field.name: field.schema for field in schema.fields}
    nested: dict[str, list[tuple[tuple[str, ...], Schema]]] = {}
    for path, added in wanted:
        if len(path) > 1:
            nested.setdefault(path[0], []).append((path[1:], added))
        else:
            fields.setdefault(path[0], added)
    for name, below in nested.items():
        inner = fields.get(name)
        if inner is None:
            fields[name] = extended(struct_schema([], optional=True), tuple(below)).as_optional()
        elif inner.type is SchemaType.STRUCT:
            fields[name] = extended(inner, tuple(below))
        else:
            raise DataError(f"Field {name} is no struct, so nothing can be put into it")
    return schema.evolve(fields=list(fields.items()), optional=False, default=None)


def _inserted(
    value: Struct, schema: Schema, at: tuple[str, ...], present: Sequence[tuple[tuple[str, ...], Header]]
) -> Struct:
    """The value with the headers that belong into this struct or below it; nulls on the way stay null."""
    fields: dict[str, Any] = {}
    depth = len(at)
    for field in schema.fields:
        mine = [(path, header) for path, header in present if path[depth] == field.name]
        old = value.get(field.name) if value.schema.field(field.name) is not None else None
        if not mine:
            fields[field.name] = old
        elif len(mine[-1][0]) == depth + 1:
            fields[field.name] = mine[-1][1].value
        else:
            known = value.schema.field(field.name) is not None
            base = Struct(struct_schema([])) if old is None and not known else old
            below = (*at, field.name)
            fields[field.name] = None if base is None else _inserted(base, field.schema, below, mine)
    return Struct(schema, fields)
