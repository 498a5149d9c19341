"""JSON Schemas as Connect schemas, by the rules of Confluent's JSON Schema converter. Pure, any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.schema import STRING, Schema, SchemaType
from replicator.converters.registry.json_model import JsonDocument
from replicator.converters.registry.json_names import ENUM, INDEX, NUMBERS, ONE_OF, TYPE, JsonSchemaOptions
from replicator.converters.registry.sums import SUM_ENUM, SUM_FIELD, SUM_PREFIX, SUM_UNION

_BY_NUMBER: Final = {name: type_ for type_, (_, name) in NUMBERS.items()} | {"bytes": SchemaType.BYTES}


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
        prefix = SUM_FIELD if self._options.generalized else f"{ONE_OF}.field."
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
        kind, connect_type = node.get("type"), node.get(TYPE)
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
            index = member.get(INDEX) if isinstance(member, dict) else None
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
