"""ExtractSchemaToNewRecord: the table's columns, with their database types, as a block of the event. Task thread.

The source must propagate them: `column.propagate.source.type=.*` or `datatype.propagate.source.type=.*`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, NamedTuple

from connectors.cdc.unwrap import is_envelope
from replicator.api import logical
from replicator.api.errors import DataError
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import OPTIONAL_INT32, OPTIONAL_STRING, STRING, Schema, array_schema, struct_schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_COMMENT: Final = "__debezium.source.column.comment"
_COLUMN: Final = struct_schema(
    [
        ("name", STRING),
        ("typeName", STRING),
        ("length", OPTIONAL_INT32),
        ("scale", OPTIONAL_INT32),
        ("comment", OPTIONAL_STRING),
    ],
    name="io.debezium.connector.source.schema.Column",
    version=1,
)
_TABLE: Final = struct_schema(
    [("columns", array_schema(_COLUMN))], name="io.debezium.connector.source.schema.Table", version=1
)
_BLOCK: Final = struct_schema(
    [("id", STRING), ("table", _TABLE)], name="io.debezium.connector.source.Schema", version=1
)
_FIELD: Final = "sourceSchema"


class _Plan(NamedTuple):
    """The envelope with the block, and its columns."""

    schema: Schema
    columns: list[dict[str, Any]]


class ExtractSchemaToNewRecord(Transformation):
    """Adds the field `sourceSchema` to change events that have a row; other records pass."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.ExtractSchemaToNewRecord",)

    def __init__(self) -> None:
        self._plans = PlanCache(_plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None or not is_envelope(record):
            return record
        envelope: Struct = record.value
        if envelope.fields.get("before") is None and envelope.fields.get("after") is None:
            return record
        plan = self._plans(envelope.schema)
        source = envelope.get("source")
        table = source.fields.get("table") if isinstance(source, Struct) else None
        block = {"id": table, "table": {"columns": plan.columns}}
        value = Struct(plan.schema, {**envelope.fields, _FIELD: block})
        return record.evolve(value_schema=plan.schema, value=value)


def _plan(envelope: Schema) -> _Plan:
    images = [f.schema for name in ("after", "before") if (f := envelope.field(name)) is not None]
    columns = [_column(field.schema) for field in images[0].fields] if images else []
    fields = [*((f.name, f.schema) for f in envelope.fields), (_FIELD, _BLOCK)]
    return _Plan(envelope.evolve(fields=fields), columns)


def _column(schema: Schema) -> dict[str, Any]:
    parameters = schema.parameters
    name = parameters.get(logical.SOURCE_NAME_PARAMETER)
    type_ = parameters.get(logical.SOURCE_TYPE_PARAMETER)
    if name is None or type_ is None:
        raise DataError(
            'Ensure that enable configurations "column.propagate.source.type" or "datatype.propagate.source.type" '
            'and the value is set to ".*"'
        )
    length, scale = (
        parameters.get(logical.SOURCE_LENGTH_PARAMETER),
        parameters.get(logical.SOURCE_SCALE_PARAMETER),
    )
    return {
        "name": name,
        "typeName": type_,
        "length": None if length is None else int(length),
        "scale": None if scale is None else int(scale),
        "comment": parameters.get(_COMMENT),
    }
