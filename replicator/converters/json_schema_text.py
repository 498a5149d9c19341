"""Schemas as JSON, in Connect's member order, and back. Pure functions, any thread."""

from __future__ import annotations

from typing import Any, Final

import orjson

from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType
from replicator.converters.json_read import ReadCompiler
from replicator.converters.json_write import WriteCompiler

_BY_NAME: Final = {t.value: t for t in SchemaType}


def schema_to_json(schema: Schema, writer: WriteCompiler) -> dict[str, Any]:
    """The schema as an object; defaults are in the writer's payload form."""
    text: dict[str, Any] = {"type": schema.type.value}
    if schema.type is SchemaType.ARRAY:
        text["items"] = _part(schema.value_schema, writer)
    elif schema.type is SchemaType.MAP:
        text["keys"] = _part(schema.key_schema, writer)
        text["values"] = _part(schema.value_schema, writer)
    elif schema.type is SchemaType.STRUCT:
        text["fields"] = [schema_to_json(f.schema, writer) | {"field": f.name} for f in schema.fields]
    text["optional"] = schema.optional
    if schema.name is not None:
        text["name"] = schema.name
    if schema.version is not None:
        text["version"] = schema.version
    if schema.doc is not None:
        text["doc"] = schema.doc
    if schema.parameters:
        text["parameters"] = dict(schema.parameters)
    if schema.default is not None:
        text["default"] = writer.encoded_default(schema)
    return text


def _part(schema: Schema | None, writer: WriteCompiler) -> dict[str, Any]:
    if schema is None:
        raise DataError("Schema of a container does not say what it contains")
    return schema_to_json(schema, writer)


def schema_from_json(node: Any, reader: ReadCompiler) -> Schema | None:
    """The schema an object describes; None for null.

    Raises:
        DataError: the object is not a schema.
    """
    if node is None:
        return None
    type_name = node.get("type") if isinstance(node, dict) else None
    if not isinstance(type_name, str):
        raise DataError("Schema must contain 'type' field")
    type_ = _BY_NAME.get(type_name)
    if type_ is None:
        raise DataError(f"Unknown schema type: {type_name}")
    schema = _bare(type_, node, reader)
    default = node.get("default")
    if default is None:
        return schema
    return schema.evolve(default=reader.nullable(schema)(default))


def _bare(type_: SchemaType, node: dict[str, Any], reader: ReadCompiler) -> Schema:
    version, name, doc = node.get("version"), node.get("name"), node.get("doc")
    return Schema(
        type_,
        optional=node.get("optional") is True,
        name=name if isinstance(name, str) else None,
        version=version if type(version) is int else None,
        doc=doc if isinstance(doc, str) else None,
        parameters=_parameters(node.get("parameters")),
        fields=_fields(node, reader) if type_ is SchemaType.STRUCT else (),
        key_schema=_contained(node, "keys", "Map schema did not specify the key type", reader)
        if type_ is SchemaType.MAP
        else None,
        value_schema=_value_schema(type_, node, reader),
    )


def _value_schema(type_: SchemaType, node: dict[str, Any], reader: ReadCompiler) -> Schema | None:
    if type_ is SchemaType.ARRAY:
        return _contained(node, "items", "Array schema did not specify the element type", reader)
    if type_ is SchemaType.MAP:
        return _contained(node, "values", "Map schema did not specify the value type", reader)
    return None


def _contained(node: dict[str, Any], member: str, error: str, reader: ReadCompiler) -> Schema:
    schema = schema_from_json(node.get(member), reader)
    if schema is None:
        raise DataError(error)
    return schema


def _parameters(node: Any) -> dict[str, str]:
    if not isinstance(node, dict):
        return {}
    if not all(isinstance(v, str) for v in node.values()):
        raise DataError("Schema parameters must have string values.")
    return node


def _fields(node: dict[str, Any], reader: ReadCompiler) -> list[tuple[str, Schema]]:
    entries = node.get("fields")
    if not isinstance(entries, list):
        raise DataError('Struct schema\'s "fields" argument is not an array.')
    fields: list[tuple[str, Schema]] = []
    for entry in entries:
        name = entry.get("field") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            raise DataError("Struct schema's field name not specified properly")
        if any(known == name for known, _ in fields):
            raise DataError(f"Cannot create field because of field name duplication {name}")
        schema = schema_from_json(entry, reader)
        if schema is not None:
            fields.append((name, schema))
    return _with_parser_names(fields)


def _with_parser_names(fields: list[tuple[str, Schema]]) -> list[tuple[str, Schema]]:
    """The fields under the very string objects that orjson uses for these object keys.

    orjson caches the keys it parses; sharing them makes comparing the names of a parsed struct
    with those of its schema a comparison of pointers.
    """
    shared = {name: name for name in orjson.loads(orjson.dumps({name: None for name, _ in fields}))}
    return [(shared[name], schema) for name, schema in fields]
