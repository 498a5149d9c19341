"""Defaults of Avro schemas as Connect values. Pure functions, any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replicator.api.errors import SchemaError
from replicator.api.logical import DECIMAL
from replicator.api.logical_values import decimal_of, scale_of
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, decoder
from replicator.converters.registry.avro_model import MISSING, AvroNode
from replicator.converters.registry.avro_names import union_kind
from replicator.converters.registry.sums import contained

BranchName = Callable[[AvroNode, int], str]
"""Name of the field that stands for a branch of a union."""


def default_from_json(schema: Schema, node: AvroNode, value: Any, branch_name: BranchName) -> Any:
    """A default of Avro's JSON form as a value of the schema.

    Raises:
        SchemaError: it does not fit.
    """
    if value is None:
        return None
    try:
        return _default(schema, node, value, branch_name)
    except (TypeError, AttributeError, KeyError, UnicodeEncodeError) as error:
        raise SchemaError(f"Invalid default {value!r} for an Avro {node.type}") from error


def _default(schema: Schema, node: AvroNode, value: Any, branch_name: BranchName) -> Any:
    if node.type == "union":
        first = node.branches[0]
        if first.type == "null":
            return None
        field = schema.field(branch_name(first, 0))
        if field is None:
            return None
        return Struct(schema, {field.name: default_from_json(field.schema, first, value, branch_name)})
    if node.type in ("bytes", "fixed"):
        raw = value.encode("latin-1")
        if schema.name == DECIMAL:
            return decimal_of(raw, scale_of(schema))
        return raw
    if node.type == "array" and schema.type is SchemaType.ARRAY:
        return [
            default_from_json(contained(schema.value_schema), node.content(), v, branch_name) for v in value
        ]
    if node.type == "map":
        inner = contained(schema.value_schema)
        return {k: default_from_json(inner, node.content(), v, branch_name) for k, v in value.items()}
    if node.type == "record":
        made = {}
        for f in node.fields:
            field = schema.field(f.name)
            if field is not None:
                given = value.get(f.name, f.default)
                made[f.name] = _member_default(field.schema, f.node, given, branch_name)
        return Struct(schema, made)
    if node.type in ("float", "double"):
        return float(value)
    return decoder(schema)(value) if schema.name in LOGICAL_NAMES else value


def _member_default(schema: Schema, node: AvroNode, value: Any, branch_name: BranchName) -> Any:
    if value is MISSING or value is None:
        return None
    if node.type == "union" and not union_kind(schema):
        node = next(b for b in node.branches if b.type != "null")
    return default_from_json(schema, node, value, branch_name)
