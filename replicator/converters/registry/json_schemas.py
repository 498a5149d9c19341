"""Connect schemas <-> JSON Schemas, by the rules of Confluent's JSON Schema converter. Pure, any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.logical import DECIMAL
from replicator.api.schema import STRING, Schema, SchemaType
from replicator.converters.registry.avro_names import SUM_ENUM, SUM_PREFIX, SUM_UNION
from replicator.converters.registry.json_model import JsonDocument

NAMESPACE: Final = "io.confluent.connect.json"
ENUM: Final = f"{NAMESPACE}.Enum"
ONE_OF: Final = f"{NAMESPACE}.OneOf"
_INDEX: Final = "connect.index"
_TYPE: Final = "connect.type"
_NUMBERS: Final = {
    SchemaType.INT8: ("integer", "int8"),
    SchemaType.INT16: ("integer", "int16"),
    SchemaType.INT32: ("integer", "int32"),
    SchemaType.INT64: ("integer", "int64"),
    SchemaType.FLOAT32: ("number", "float32"),
    SchemaType.FLOAT64: ("number", "float64"),
}
_BY_NUMBER: Final = {name: type_ for type_, (_, name) in _NUMBERS.items()} | {"bytes": SchemaType.BYTES}


@dataclass(frozen=True, slots=True)
class JsonSchemaOptions:
    """Options that decide the form of schemas; see the converter."""

    additional_properties: bool = True
    optional_for_nonrequired: bool = False
    generalized: bool = False


def one_of(schema: Schema) -> bool:
    """Whether a struct stands for one of several alternatives."""
    return schema.type is SchemaType.STRUCT and (schema.name == ONE_OF or SUM_UNION in schema.parameters)


def string_keys(schema: Schema) -> bool:
    """Whether a map is written as an object."""
    key = schema.key_schema
    return key is not None and key.type is SchemaType.STRING and not key.optional


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
        position = {} if index is None else {_INDEX: index}
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
        if kind in _NUMBERS:
            json_type, connect_type = _NUMBERS[kind]
            return {"type": json_type, _TYPE: connect_type}
        if kind is SchemaType.BOOLEAN:
            return {"type": "boolean"}
        if kind is SchemaType.STRING:
            return self._string(schema)
        if kind is SchemaType.BYTES:
            return {"type": "number" if schema.name == DECIMAL else "string", _TYPE: "bytes"}
        if kind is SchemaType.ARRAY:
            return {"type": "array", "items": self.node(schema.value_schema)}
        if kind is SchemaType.MAP:
            return self._map(schema)
        return self._object(schema)

    def _string(self, schema: Schema) -> dict[str, Any]:
        for marker in (ENUM, SUM_ENUM):
            if marker in schema.parameters:
                prefix = f"{marker}."
                return {"enum": [p.removeprefix(prefix) for p in schema.parameters if p.startswith(prefix)]}
        return {"type": "string"}

    def _map(self, schema: Schema) -> dict[str, Any]:
        if string_keys(schema):
            return {
                "type": "object",
                "additionalProperties": self.node(schema.value_schema),
                _TYPE: "map",
            }
        entry = {
            "type": "object",
            "properties": {
                "key": self.node(schema.key_schema, 0),
                "value": self.node(schema.value_schema, 1),
            },
        }
        return {"type": "array", "items": entry, _TYPE: "map"}

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


class FromJsonSchema:
    """Turns a JSON Schema into a Connect schema.

    Args:
        document: the schema with what it refers to.
        options: see there.
        default: a JSON value as the value of a schema.
    """

    def __init__(
        self, document: JsonDocument, options: JsonSchemaOptions, default: Callable[[Schema, Any], Any]
    ) -> None:
        self._document = document
        self._options = options
        self._default = default
        self._open: list[int] = []
        self._unions = 0

    def schema(self, version: int | None) -> Schema | None:
        """The schema; None when anything is allowed, which is schemaless data."""
        root = self._document.root
        if root is True or root == {}:
            return None
        return self._schema(root, root, version=version)

    def _schema(self, node: Any, base: Any, *, version: int | None = None, optional: bool = False) -> Schema:
        outer = node
        node, base = self._document.resolve(node, base)
        if not isinstance(node, dict):
            raise DataError(f"Unsupported schema type: {node}")
        if id(node) in self._open:
            raise DataError("The JSON Schema contains itself, which is not supported")
        self._open.append(id(node))
        try:
            return self._of_node(node, base, version, optional or _nullable_reference(outer))
        finally:
            self._open.pop()

    def _of_node(self, node: dict[str, Any], base: Any, version: int | None, optional: bool) -> Schema:
        for kind in ("oneOf", "anyOf"):
            if isinstance(node.get(kind), list):
                return self._combined(node, node[kind], base, version, optional)
        listed = node.get("type")
        if isinstance(listed, list):
            members = [{**node, "type": one} for one in listed]
            return self._combined({}, members, base, version, optional)
        if isinstance(node.get("allOf"), list):
            return self._all_of(node["allOf"], base, version, optional)
        return self._annotated(self._bare(node, base), node, version, optional)

    def _combined(
        self, node: dict[str, Any], members: list[Any], base: Any, version: int | None, optional: bool
    ) -> Schema:
        others = [m for m in members if not (isinstance(m, dict) and m.get("type") == "null")]
        if len(others) == 1:
            return self._schema(others[0], base, version=version, optional=optional or len(members) > 1)
        name = f"{SUM_PREFIX}{self._unions}" if self._options.generalized else ONE_OF
        prefix = "connect_union_field_" if self._options.generalized else f"{ONE_OF}.field."
        self._unions += 1
        fields = [(f"{prefix}{i}", self._schema(m, base, optional=True)) for i, m in enumerate(others)]
        made = Schema(
            SchemaType.STRUCT,
            fields=fields,
            name=name,
            optional=len(others) < len(members),
            parameters={SUM_UNION: name} if self._options.generalized else {},
        )
        return self._annotated(made, node, version, optional or made.optional)

    def _all_of(self, members: list[Any], base: Any, version: int | None, optional: bool) -> Schema:
        merged: dict[str, Any] = {}
        properties: dict[str, Any] = {}
        required: list[str] = []
        for member in members:
            resolved, _ = self._document.resolve(member, base)
            if isinstance(resolved, dict):
                properties |= resolved.get("properties") or {}
                required += resolved.get("required") or []
                merged = {**resolved, **merged}
        if properties:
            merged |= {"type": "object", "properties": properties, "required": required}
        if "type" not in merged and "enum" not in merged:
            raise DataError(f"Unsupported criterion allOf for {members}")
        return self._of_node(merged, base, version, optional)

    def _bare(self, node: dict[str, Any], base: Any) -> Schema:
        kind, connect_type = node.get("type"), node.get(_TYPE)
        if isinstance(node.get("enum"), list) and kind in (None, "string"):
            return self._enum(node["enum"])
        if kind is None and "const" in node:
            kind = {bool: "boolean", int: "integer", float: "number"}.get(type(node["const"]), "string")
        if kind is None and ("properties" in node or "additionalProperties" in node):
            kind = "object"
        if kind in ("integer", "number"):
            return self._number(kind, connect_type)
        if kind == "boolean":
            return Schema(SchemaType.BOOLEAN)
        if kind == "string":
            return Schema(SchemaType.BYTES if connect_type == "bytes" else SchemaType.STRING)
        if kind == "array":
            return self._array(node, base, connect_type)
        if kind == "object":
            return self._object(node, base, connect_type)
        raise DataError(f"Unsupported schema type {kind}")

    def _number(self, kind: str, connect_type: Any) -> Schema:
        if connect_type is None:
            return Schema(SchemaType.INT64 if kind == "integer" else SchemaType.FLOAT64)
        found = _BY_NUMBER.get(str(connect_type))
        if found is None:
            raise DataError(f"Unsupported type {connect_type}")
        return Schema(found)

    def _enum(self, values: list[Any]) -> Schema:
        marker = SUM_ENUM if self._options.generalized else ENUM
        parameters = {marker: ""}
        for number, value in enumerate(values):
            parameters[f"{marker}.{value}"] = str(number) if self._options.generalized else str(value)
        return Schema(SchemaType.STRING, parameters=parameters)

    def _array(self, node: dict[str, Any], base: Any, connect_type: Any) -> Schema:
        if not isinstance(node.get("items"), dict):
            raise DataError("Array schema did not specify the items type")
        items, items_base = self._document.resolve(node["items"], base)
        properties = items.get("properties") if isinstance(items, dict) else None
        if connect_type == "map" and properties and {"key", "value"} <= properties.keys():
            return Schema(
                SchemaType.MAP,
                key_schema=self._schema(properties["key"], items_base),
                value_schema=self._schema(properties["value"], items_base),
            )
        return Schema(SchemaType.ARRAY, value_schema=self._schema(node["items"], base))

    def _object(self, node: dict[str, Any], base: Any, connect_type: Any) -> Schema:
        if connect_type == "map":
            value = self._schema(node.get("additionalProperties"), base)
            return Schema(SchemaType.MAP, key_schema=STRING, value_schema=value)
        properties: dict[str, Any] = node.get("properties") or {}
        required = node.get("required") or ()
        ordered: dict[int, str] = {}
        for name, member in properties.items():
            index = member.get(_INDEX) if isinstance(member, dict) else None
            ordered[index if isinstance(index, int) and index not in ordered else len(ordered)] = name
        fields = []
        for index in sorted(ordered):
            name = ordered[index]
            free = self._options.optional_for_nonrequired and name not in required
            fields.append((name, self._schema(properties[name], base, optional=free)))
        return Schema(SchemaType.STRUCT, fields=fields)

    def _annotated(self, made: Schema, node: dict[str, Any], version: int | None, optional: bool) -> Schema:
        changes: dict[str, Any] = {"optional": optional}
        if isinstance(node.get("title"), str):
            changes["name"] = node["title"]
        own = node.get("connect.version")
        changes["version"] = own if isinstance(own, int) else version
        if isinstance(node.get("description"), str):
            changes["doc"] = node["description"]
        parameters = node.get("connect.parameters")
        if isinstance(parameters, dict):
            changes["parameters"] = {**made.parameters, **{str(k): str(v) for k, v in parameters.items()}}
        made = made.evolve(**changes)
        default = node.get("default")
        return made if default is None else made.evolve(default=self._default(made, default))


def _nullable_reference(node: Any) -> bool:
    return isinstance(node, dict) and node.get("nullable") is True
