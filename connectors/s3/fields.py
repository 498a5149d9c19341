"""Values by field name, nested ones by a dotted path, with and without a schema. Pure."""

from __future__ import annotations

from typing import Any

from replicator.api import DataError, Schema, Struct


def field_of(schema: Schema | None, value: Any, path: str) -> tuple[Schema | None, Any]:
    """Schema and value of a field; a field whose own name has dots wins over a nested one.

    Raises:
        DataError: there is no such field.
    """
    rest = path
    while (found := _member(schema, value, rest)) is None:
        head, dot, rest = rest.partition(".")
        outer = _member(schema, value, head) if dot else None
        if outer is None:
            raise DataError(f"The field named '{path}' does not exist in the record.")
        schema, value = outer
    return found


def _member(schema: Schema | None, value: Any, name: str) -> tuple[Schema | None, Any] | None:
    if isinstance(value, Struct):
        field = value.schema.field(name)
        return None if field is None else (field.schema, value.get(name))
    if isinstance(value, dict) and name in value:
        return schema.value_schema if schema is not None else None, value[name]
    return None
