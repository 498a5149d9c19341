"""JSON payloads of an outbox or of logical messages made into values with a schema of their own. Pure.

The schema follows from the one document: objects become structs, numbers the narrowest of int32, int64 and double.
Elements of an array must be of one type; of structs, the fields of all elements together make the schema.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from replicator.api.errors import DataError
from replicator.api.schema import (
    OPTIONAL_BOOLEAN,
    OPTIONAL_BYTES,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT32,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    Schema,
    SchemaType,
    array_schema,
    struct_schema,
)
from replicator.api.struct import Struct

_ROOT: Final = "payload"


class JsonRules(NamedTuple):
    """What becomes of what has no type.

    Attributes:
        nulls: keep fields that are null, as optional bytes.
        empty_arrays: keep empty arrays, as arrays of optional strings.
    """

    nulls: bool
    empty_arrays: bool


def looks_like_json(text: str) -> bool:
    """Whether a text starts as an object or an array."""
    return text.startswith(("{", "["))


def expand(text: str, rules: JsonRules, root: str = _ROOT) -> tuple[Schema, Any]:
    """Schema and value of a document; schemas of structs are named after their place below `root`.

    Raises:
        DataError: it is none, or has no schema.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DataError(f"Unable to parse payload starting with '{text[:10]}': {error}") from None
    schema = _schema(document, root, rules)
    if schema is None:
        raise DataError("The payload has no type")
    return schema, _value(schema, document)


def _schema(node: Any, name: str, rules: JsonRules) -> Schema | None:
    if node is None:
        return OPTIONAL_BYTES if rules.nulls else None
    if isinstance(node, bool):
        return OPTIONAL_BOOLEAN
    if isinstance(node, str):
        return OPTIONAL_STRING
    if isinstance(node, float):
        return OPTIONAL_FLOAT64
    if isinstance(node, int):
        return _integer(node)
    if isinstance(node, list):
        return _array(node, name, rules)
    return _struct([node], name, rules)


def _integer(number: int) -> Schema:
    if -(2**31) <= number < 2**31:
        return OPTIONAL_INT32
    if -(2**63) <= number < 2**63:
        return OPTIONAL_INT64
    raise DataError(f"{number} is too large")


def _struct(nodes: list[dict[str, Any]], name: str, rules: JsonRules) -> Schema:
    fields: dict[str, Schema] = {}
    for node in nodes:
        for key, value in node.items():
            schema = _schema(value, f"{name}.{key}" if name else key, rules)
            known = fields.get(key)
            if schema is None:
                continue
            if known is None or known is OPTIONAL_BYTES:
                fields[key] = schema
            elif schema is not OPTIONAL_BYTES and schema != known:
                raise DataError(f"Field {name}.{key} is not of one type")
    return struct_schema(list(fields.items()), name=name or None, optional=True)


def _array(nodes: list[Any], name: str, rules: JsonRules) -> Schema | None:
    present = [node for node in nodes if node is not None]
    if not present:
        return array_schema(OPTIONAL_STRING, optional=True) if rules.empty_arrays and not nodes else None
    if all(isinstance(node, dict) for node in present):
        return array_schema(_struct(present, name, rules), optional=True)
    schemas = [_schema(node, name, rules) for node in present]
    first = schemas[0]
    if first is None or any(schema != first for schema in schemas):
        raise DataError(f"Field {name} is not a homogenous array")
    return array_schema(first, optional=True)


def _value(schema: Schema, node: Any) -> Any:
    if node is None:
        return None
    if schema.type is SchemaType.STRUCT:
        return Struct(schema, {f.name: _value(f.schema, node.get(f.name)) for f in schema.fields})
    if schema.type is SchemaType.ARRAY and schema.value_schema is not None:
        return [_value(schema.value_schema, element) for element in node]
    return node
