"""A JsonConverter with options, and schemas that several of its tests use."""

from __future__ import annotations

from typing import Any

from replicator.api.schema import (
    INT32,
    OPTIONAL_STRING,
    STRING,
    Schema,
    array_schema,
    struct_schema,
)
from replicator.api.struct import Struct
from replicator.converters.json import JsonConverter


def converter(**options: Any) -> JsonConverter:
    made = JsonConverter()
    made.configure({k.replace("_", "."): v for k, v in options.items()}, is_key=False)
    return made


PERSON = struct_schema([("id", INT32), ("name", OPTIONAL_STRING)], name="db.Customer")

NESTED = struct_schema([("before", PERSON.as_optional()), ("after", PERSON.as_optional()), ("op", STRING)])

NULLS: list[tuple[Schema, Any]] = [
    (STRING, None),
    (PERSON, Struct(PERSON, {"id": None, "name": "x"})),
    (array_schema(INT32), [None]),
    (NESTED, Struct(NESTED, {"before": {"id": None, "name": None}, "after": None, "op": "d"})),
]

CONTENT = '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false}'
