"""Connect schemas as JSON Schemas, by the rules of Confluent's JSON Schema converter. Pure, any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replicator.api.logical import DECIMAL
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry.json_names import (
    ENUM,
    INDEX,
    NAMESPACE,
    NUMBERS,
    TYPE,
    JsonSchemaOptions,
    one_of,
    string_keys,
)
from replicator.converters.registry.sums import enum_marker


class ToJsonSchema:
    """Turns Connect schemas into JSON Schemas.

    Args:
        options: see there.
        default: a schema's default in the form of payloads.
    """

    def __init__(self, options: JsonSchemaOptions, default: Callable[[Schema], Any]) -> None:
        self.options = options
        self._default = default

    def node(
        self, schema: Schema | None, index: int | None = None, *, ignore_optional: bool = False
    ) -> dict[str, Any]:
        """The JSON Schema; schemaless data may be anything."""
        if schema is None:
            return {}
        position = {} if index is None else {INDEX: index}
        if one_of(schema):
            members = [
                self.node(f.schema.evolve(optional=False), f.index, ignore_optional=True)
                for f in schema.fields
            ]
            return {"oneOf": [*([{"type": "null"}] if schema.optional else []), *members]} | position
        if schema.optional and not ignore_optional:
            return {"oneOf": [{"type": "null"}, self.node(schema, ignore_optional=True)]} | position
        return self._described(schema) | self._bare(schema) | self._extra(schema) | position

    def _described(self, schema: Schema) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if schema.name is not None:
            made["title"] = schema.name
        if schema.doc is not None:
            made["description"] = schema.doc
        if schema.default is not None:
            made["default"] = self._default(schema)
        return made

    def _bare(self, schema: Schema) -> dict[str, Any]:
        kind = schema.type
        if kind in NUMBERS:
            json_type, connect_type = NUMBERS[kind]
            return {"type": json_type, TYPE: connect_type}
        if kind is SchemaType.BOOLEAN:
            return {"type": "boolean"}
        if kind is SchemaType.STRING:
            return self._string(schema)
        if kind is SchemaType.BYTES:
            return {"type": "number" if schema.name == DECIMAL else "string", TYPE: "bytes"}
        if kind is SchemaType.ARRAY:
            return {"type": "array", "items": self.node(schema.value_schema)}
        if kind is SchemaType.MAP:
            return self._map(schema)
        return self._object(schema)

    def _string(self, schema: Schema) -> dict[str, Any]:
        marker = enum_marker(schema, ENUM)
        if marker is None:
            return {"type": "string"}
        prefix = f"{marker}."
        return {"enum": [p.removeprefix(prefix) for p in schema.parameters if p.startswith(prefix)]}

    def _map(self, schema: Schema) -> dict[str, Any]:
        if string_keys(schema):
            return {
                "type": "object",
                "additionalProperties": self.node(schema.value_schema),
                TYPE: "map",
            }
        entry = {
            "type": "object",
            "properties": {
                "key": self.node(schema.key_schema, 0),
                "value": self.node(schema.value_schema, 1),
            },
        }
        return {"type": "array", "items": entry, TYPE: "map"}

    def _object(self, schema: Schema) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "object"}
        if not self.options.additional_properties:
            made["additionalProperties"] = False
        required = [f.name for f in schema.fields if not f.schema.optional and f.schema.default is None]
        if self.options.optional_for_nonrequired and required:
            made["required"] = required
        made["properties"] = {f.name: self.node(f.schema, f.index) for f in schema.fields}
        return made

    def _extra(self, schema: Schema) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if schema.version is not None:
            made["connect.version"] = schema.version
        parameters = {k: v for k, v in schema.parameters.items() if not k.startswith(NAMESPACE)}
        if parameters:
            made["connect.parameters"] = parameters
        return made
