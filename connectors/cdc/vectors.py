"""VectorToJsonConverter: vectors of rows as JSON texts, for targets that have no type for them. Task thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

from connectors.cdc.unwrap import is_envelope
from replicator.api.logical import DBZ_JSON
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_DENSE: Final = ("io.debezium.data.DoubleVector", "io.debezium.data.FloatVector")
_SPARSE: Final = "io.debezium.data.SparseDoubleVector"
_IMAGES: Final = ("before", "after")


class _Plan(NamedTuple):
    """A row schema with its vectors as JSON, and how to write each."""

    schema: Schema
    writers: dict[str, Callable[[Any], str]]


class VectorToJsonConverter(Transformation):
    """Converts in the images of change events, and in rows; what has no vectors passes."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.VectorToJsonConverter",)

    def __init__(self) -> None:
        self._rows = PlanCache(_plan)
        self._envelopes = PlanCache(self._envelope)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        value = record.value
        if not isinstance(value, Struct):
            return record
        if not is_envelope(record):
            plan = self._rows(value.schema)
            if not plan.writers:
                return record
            fields = _written(value.fields, plan)
            return record.evolve(value_schema=plan.schema, value=Struct(plan.schema, fields))
        schema = self._envelopes(value.schema)
        if schema is value.schema:
            return record
        changed = dict(value.fields)
        for name in _IMAGES:
            image = value.get_without_default(name) if value.schema.field(name) is not None else None
            if image is not None:
                changed[name] = _written(image.fields, self._rows(image.schema))
        return record.evolve(value_schema=schema, value=Struct(schema, changed))

    def _envelope(self, schema: Schema) -> Schema:
        plans = {n: self._rows(f.schema) for n in _IMAGES if (f := schema.field(n)) is not None}
        if not any(plan.writers for plan in plans.values()):
            return schema
        fields = [(f.name, plans[f.name].schema if f.name in plans else f.schema) for f in schema.fields]
        return schema.evolve(fields=fields)


def _plan(schema: Schema) -> _Plan:
    writers = {f.name: _writer(f.schema.name) for f in schema.fields if f.schema.name in (*_DENSE, _SPARSE)}
    fields = [
        (f.name, _json(optional=f.schema.optional) if f.name in writers else f.schema) for f in schema.fields
    ]
    return _Plan(schema.evolve(fields=fields) if writers else schema, writers)


def _json(*, optional: bool) -> Schema:
    return Schema(SchemaType.STRING, name=DBZ_JSON, version=1, optional=optional)


def _writer(name: str | None) -> Callable[[Any], str]:
    return _sparse if name == _SPARSE else _dense


def _dense(values: list[float]) -> str:
    return f'{{ "values": {json.dumps([float(v) for v in values])} }}'


def _sparse(value: Any) -> str:
    fields = value.fields if isinstance(value, Struct) else value
    pairs = ", ".join(f'"{index}": {json.dumps(float(v))}' for index, v in fields["vector"].items())
    return f'{{ "dimensions": {fields["dimensions"]}, "vector": {{ {pairs} }} }}'


def _written(fields: dict[str, Any], plan: _Plan) -> dict[str, Any]:
    written = dict(fields)
    for name, write in plan.writers.items():
        value = written.get(name)
        if value is not None:
            written[name] = write(value)
    return written
