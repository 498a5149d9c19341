"""Avro schemas as Connect schemas, by the rules of Confluent's Avro converter. Pure, any thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import DEFAULT_PRECISION, PRECISION_PARAMETER
from replicator.api.schema import STRING, Schema, SchemaType
from replicator.converters.registry.avro_default_values import default_from_json
from replicator.converters.registry.avro_model import MISSING, AvroNode
from replicator.converters.registry.avro_names import (
    ANYTHING,
    ENUM,
    ENUM_DEFAULT,
    ENUM_DOC,
    FIELD_DEFAULT,
    FIELD_DOC,
    NAMESPACE,
    RECORD_DOC,
    UNION,
    AvroOptions,
    is_map_entry,
)
from replicator.converters.registry.sums import DEFAULT_NAME, SUM_ENUM, SUM_FIELD, SUM_PREFIX, SUM_UNION

_CONNECT: Final[dict[str, SchemaType]] = {
    "int": SchemaType.INT32,
    "long": SchemaType.INT64,
    "float": SchemaType.FLOAT32,
    "double": SchemaType.FLOAT64,
    "boolean": SchemaType.BOOLEAN,
    "string": SchemaType.STRING,
    "bytes": SchemaType.BYTES,
    "fixed": SchemaType.BYTES,
}
_BY_NARROW: Final = {"int8": SchemaType.INT8, "int16": SchemaType.INT16}
_OF_LOGICAL: Final = {
    ("int", "date"): DATE,
    ("int", "time-millis"): TIME,
    ("long", "timestamp-millis"): TIMESTAMP,
}


class FromAvro:
    """Turns a node into a Connect schema."""

    def __init__(self, options: AvroOptions) -> None:
        self.options = options
        self._open: set[int] = set()
        self._unions = 0

    def schema(self, node: AvroNode, version: int | None = None) -> Schema | None:
        """The schema of values of this type; None for schemaless data."""
        if node.name == ANYTHING:
            return None
        return self._schema(node, version=version)

    def _schema(
        self,
        node: AvroNode,
        *,
        optional: bool = False,
        default: Any = MISSING,
        doc: str | None = None,
        version: int | None = None,
    ) -> Schema:
        if node.type == "union":
            branches = [b for b in node.branches if b.type != "null"]
            if len(branches) == 1 and len(node.branches) == 2:
                # The default belongs to the first branch; a null is none.
                inner = default if default is not None else MISSING
                return self._schema(branches[0], optional=True, default=inner, doc=doc)
            return self._union(node, optional, default)
        made = self._bare(node)
        return self._annotated(made, node, optional, default, doc, version)

    def _annotated(
        self, made: Schema, node: AvroNode, optional: bool, default: Any, doc: str | None, version: int | None
    ) -> Schema:
        changes: dict[str, Any] = {"optional": optional}
        parameters = dict(made.parameters)
        if self.options.meta_data:
            changes["doc"] = _text(node.props.get("connect.doc"))
            parameters |= _parameters(node.props.get("connect.parameters"))
        if self.options.discard_type_doc and doc is not None:
            changes["doc"] = doc
        parameters |= {k: str(v) for k, v in node.props.items() if k.startswith("avro")}
        own_version = node.props.get("connect.version")
        if made.version is None:
            changes["version"] = _number(own_version) if own_version is not None else version
        own_default = node.props.get("connect.default", MISSING)
        given = default if default is not MISSING else own_default
        if self.options.discard_type_doc:
            given = default
        if default is not MISSING and default is not None and own_default is MISSING:
            parameters[FIELD_DEFAULT] = "true"
        name = node.props.get("connect.name")
        if name is None and node.type in ("record", "enum"):
            name = node.name
        if made.name is None and name != f"{NAMESPACE}.{DEFAULT_NAME}":
            changes["name"] = _text(name)
        made = made.evolve(**changes, parameters=parameters)
        if given is MISSING or given is None:
            return made
        return made.evolve(default=default_from_json(made, node, given, self.branch_name))

    def _bare(self, node: AvroNode) -> Schema:
        if node.type == "record":
            return self._record(node)
        if node.type == "array":
            return self._array(node)
        if node.type == "map":
            return Schema(SchemaType.MAP, key_schema=STRING, value_schema=self._schema(node.content()))
        if node.type == "enum":
            return self._enum(node)
        if node.type == "null":
            raise DataError("Standalone null schemas are not supported by this converter")
        return _primitive(node)

    def _record(self, node: AvroNode) -> Schema:
        if id(node) in self._open:
            raise DataError(f"The Avro schema {node.name} contains itself, which is not supported")
        self._open.add(id(node))
        parameters: dict[str, str] = {}
        if self.options.meta_data and node.doc is not None:
            parameters[RECORD_DOC] = node.doc
        fields = []
        for field in node.fields:
            if self.options.meta_data and field.doc is not None and not self.options.discard_type_doc:
                parameters[FIELD_DOC + field.name] = field.doc
            fields.append((field.name, self._schema(field.node, default=field.default, doc=field.doc)))
        self._open.discard(id(node))
        return Schema(SchemaType.STRUCT, fields=fields, parameters=parameters)

    def _array(self, node: AvroNode) -> Schema:
        element = node.content()
        if not is_map_entry(element):
            return Schema(SchemaType.ARRAY, value_schema=self._schema(element))
        key, value = element.field_named("key"), element.field_named("value")
        if len(element.fields) != 2 or key is None or value is None:
            raise DataError(
                "Found map encoded as array of key-value pairs, but array elements do not match the expected format."
            )
        return Schema(
            SchemaType.MAP, key_schema=self._schema(key.node), value_schema=self._schema(value.node)
        )

    def _enum(self, node: AvroNode) -> Schema:
        marker = SUM_ENUM if self.options.generalized else ENUM
        parameters: dict[str, str] = {}
        if self.options.meta_data:
            if node.doc is not None:
                parameters[ENUM_DOC + node.short_name] = node.doc
            if node.default is not None:
                parameters[ENUM_DEFAULT + node.short_name] = node.default
        parameters[marker] = str(node.name)
        for number, symbol in enumerate(node.symbols):
            parameters[f"{marker}.{symbol}"] = str(number) if self.options.generalized else symbol
        return Schema(SchemaType.STRING, parameters=parameters)

    def _union(self, node: AvroNode, optional: bool, default: Any) -> Schema:
        name = f"{SUM_PREFIX}{self._unions}" if self.options.generalized else UNION
        self._unions += 1
        fields: dict[str, Schema] = {}
        for branch in node.branches:
            if branch.type == "null":
                continue
            field = self.branch_name(branch, len(fields))
            if field in fields:
                raise DataError("Multiple union schemas map to the Connect union field name")
            fields[field] = self._schema(branch, optional=True)
        parameters = {SUM_UNION: name} if self.options.generalized else {}
        made = Schema(
            SchemaType.STRUCT,
            name=name,
            fields=list(fields.items()),
            optional=optional or len(fields) < len(node.branches),
            parameters=parameters,
        )
        if default is MISSING or default is None:
            return made
        return made.evolve(default=default_from_json(made, node, default, self.branch_name))

    def branch_name(self, branch: AvroNode, index: int) -> str:
        """Name of the field that stands for a branch of a union."""
        if self.options.generalized:
            return f"{SUM_FIELD}{index}"
        if branch.type in ("record", "enum"):
            return str(branch.name) if self.options.enhanced else branch.short_name
        return branch.type


def _primitive(node: AvroNode) -> Schema:
    logical = str(node.props.get("logicalType") or "").lower()
    if node.type in ("bytes", "fixed") and logical == "decimal":
        return _decimal(node)
    name = _OF_LOGICAL.get((node.type, logical))
    if name is not None:
        return Schema(_CONNECT[node.type], name=name, version=1)
    if node.type == "int" and not logical and node.props.get("connect.type") is not None:
        narrow = _BY_NARROW.get(str(node.props["connect.type"]))
        if narrow is None:
            raise DataError("Connect type annotation for Avro int field is null")
        return Schema(narrow)
    return Schema(_CONNECT[node.type])


def _decimal(node: AvroNode) -> Schema:
    scale, precision = node.props.get("scale"), node.props.get("precision")
    if scale is None and node.type == "bytes" and precision is not None:
        scale = 0
    if not isinstance(scale, int):
        raise DataError("scale must be specified and must be a number.")
    parameters = {"scale": str(scale)}
    if isinstance(precision, int) and precision != DEFAULT_PRECISION:
        parameters[PRECISION_PARAMETER] = str(precision)
    return Schema(SchemaType.BYTES, name=DECIMAL, version=1, parameters=parameters)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise DataError(f"Invalid Connect version found: {value}")
    return value


def _parameters(found: Any) -> Mapping[str, str]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise DataError(f"Expected JSON object for schema parameters but found: {found}")
    for value in found.values():
        if not isinstance(value, str):
            raise DataError(f"Expected schema parameter values to be strings but found: {value}")
    return found
