"""schema.compatibility: when a new schema ends the files, and when a record is projected to theirs instead. Pure."""

from __future__ import annotations

from typing import Any, Final

from replicator.api import Schema, SchemaError, SchemaType, SinkRecord, Struct

_WIDENINGS: Final = (
    SchemaType.INT8,
    SchemaType.INT16,
    SchemaType.INT32,
    SchemaType.INT64,
    SchemaType.FLOAT32,
    SchemaType.FLOAT64,
)


def ends_file(rule: str, record: Schema | None, current: Schema | None) -> bool:
    """Whether a record of that schema needs another file than those of the current schema.

    Raises:
        SchemaError: the two cannot be compared under this rule.
    """
    if record is current or (record is None and current is None):
        return False
    if rule == "NONE":
        return record != current
    if record is None or current is None:
        raise SchemaError("Switch between schema-based and schema-less data is not supported")
    if record.version is None or current.version is None:
        raise SchemaError(f"Schema version required for {rule} compatibility")
    if rule == "FORWARD":
        return record.version < current.version
    return record.version > current.version


def projected(rule: str, record: SinkRecord, current: Schema | None) -> SinkRecord:
    """The record in the current schema.

    Raises:
        SchemaError: it does not fit.
    """
    schema = record.value_schema
    if rule == "NONE" or schema is current or schema is None or current is None or schema == current:
        return record
    return record.evolve(value_schema=current, value=_project(schema, record.value, current))


def _project(source: Schema, value: Any, target: Schema) -> Any:
    if source.optional and not target.optional and target.default is None:
        raise SchemaError(
            "Writer schema is optional, however, target schema does not provide a default value."
        )
    if value is None:
        return target.default
    if source.type is not target.type:
        return _widened(source, value, target)
    if target.type is SchemaType.STRUCT:
        return Struct(target, _members(source, value, target))
    if target.type is SchemaType.ARRAY and source.value_schema and target.value_schema:
        return [_project(source.value_schema, member, target.value_schema) for member in value]
    if target.type is SchemaType.MAP and source.value_schema and target.value_schema:
        return {k: _project(source.value_schema, v, target.value_schema) for k, v in value.items()}
    return value


def _members(source: Schema, value: Any, target: Schema) -> dict[str, Any]:
    fields = value.fields if isinstance(value, Struct) else value
    found: dict[str, Any] = {}
    for field in target.fields:
        origin = source.field(field.name)
        if origin is not None:
            found[field.name] = _project(origin.schema, fields.get(field.name), field.schema)
        elif field.schema.optional or field.schema.default is not None:
            found[field.name] = field.schema.default
        else:
            raise SchemaError(
                f"Required field `{field.name}` is missing from source schema and has no default value"
            )
    return found


def _widened(source: Schema, value: Any, target: Schema) -> Any:
    if source.type not in _WIDENINGS or target.type not in _WIDENINGS:
        raise SchemaError(
            f"Schema type mismatch. source type: {source.type.name} and target type: {target.type.name}"
        )
    if _WIDENINGS.index(source.type) > _WIDENINGS.index(target.type):
        raise SchemaError(f"{source.type.name} is not promotable to target type: {target.type.name}")
    return float(value) if target.type in (SchemaType.FLOAT32, SchemaType.FLOAT64) else value
