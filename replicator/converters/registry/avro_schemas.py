"""Connect schemas <-> Avro schemas, by the rules of Confluent's Avro converter. Pure, any thread.

What Avro cannot say is kept in properties: `connect.name`, `connect.version`, `connect.parameters`,
`connect.default`, `connect.doc` and `connect.type`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote_plus

from replicator.api.errors import DataError, SchemaError
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.schema import STRING, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import (
    LOGICAL_NAMES,
    decimal_parts,
    decoder,
    encoder,
    unscaled_bytes,
)
from replicator.converters.registry.avro_model import MISSING, AvroField, AvroNode

NAMESPACE: Final = "io.confluent.connect.avro"
DEFAULT_NAME: Final = "ConnectDefault"
MAP_ENTRY: Final = "MapEntry"
UNION: Final = f"{NAMESPACE}.Union"
ENUM: Final = f"{NAMESPACE}.Enum"
ANYTHING: Final = f"{NAMESPACE}.Anything"
RECORD_DOC: Final = f"{NAMESPACE}.record.doc"
FIELD_DOC: Final = f"{NAMESPACE}.field.doc."
FIELD_DEFAULT: Final = f"{NAMESPACE}.field.default"
ENUM_DOC: Final = f"{NAMESPACE}.enum.doc."
ENUM_DEFAULT: Final = f"{NAMESPACE}.enum.default."
SUM_UNION: Final = "org.apache.kafka.connect.data.Union"
SUM_ENUM: Final = "org.apache.kafka.connect.data.Enum"
SUM_PREFIX: Final = "connect_union_"
SUM_FIELD: Final = "connect_union_field_"
PRECISION: Final = "connect.decimal.precision"
DEFAULT_PRECISION: Final = 64

_AVRO: Final[dict[SchemaType, str]] = {
    SchemaType.INT8: "int",
    SchemaType.INT16: "int",
    SchemaType.INT32: "int",
    SchemaType.INT64: "long",
    SchemaType.FLOAT32: "float",
    SchemaType.FLOAT64: "double",
    SchemaType.BOOLEAN: "boolean",
    SchemaType.STRING: "string",
    SchemaType.BYTES: "bytes",
    SchemaType.ARRAY: "array",
    SchemaType.MAP: "map",
}
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
_NARROW: Final = {SchemaType.INT8: "int8", SchemaType.INT16: "int16"}
_BY_NARROW: Final = {name: type_ for type_, name in _NARROW.items()}
_LOGICAL: Final = {TIME: "time-millis", TIMESTAMP: "timestamp-millis", DATE: "date"}
_OF_LOGICAL: Final = {
    ("int", "date"): DATE,
    ("int", "time-millis"): TIME,
    ("long", "timestamp-millis"): TIMESTAMP,
}
_BAD_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, slots=True)
class AvroOptions:
    """Options that decide the form of schemas; see the converter."""

    enhanced: bool = False
    meta_data: bool = True
    scrub: bool = False
    optional_map_keys: bool = False
    discard_type_doc: bool = False
    generalized: bool = False


def _nullable(node: AvroNode) -> AvroNode:
    return AvroNode("union", branches=[AvroNode("null"), node])


def _anything() -> AvroNode:
    """The type of schemaless data: a record with one field per kind of value, itself inside."""
    anything = AvroNode("record", name=ANYTHING)
    entry = AvroNode("record", name=f"{NAMESPACE}.{MAP_ENTRY}")
    entry.fields = [AvroField("key", anything), AvroField("value", anything)]
    plain = ("boolean", "bytes", "double", "float", "int", "long", "string")
    anything.fields = [
        *(AvroField(kind, _nullable(AvroNode(kind)), None) for kind in plain),
        AvroField("array", _nullable(AvroNode("array", inner=anything)), None),
        AvroField("map", _nullable(AvroNode("array", inner=entry)), None),
    ]
    return anything


ANYTHING_NODE: Final = _anything()


def union_kind(schema: Schema) -> bool:
    """Whether a struct stands for a union."""
    return schema.type is SchemaType.STRUCT and (schema.name == UNION or SUM_UNION in schema.parameters)


def enum_name(schema: Schema) -> str | None:
    """Name of the parameter that marks a string as an enum, if it is one."""
    if schema.type is SchemaType.STRING:
        return next((p for p in (ENUM, SUM_ENUM) if p in schema.parameters), None)
    return None


def object_keys(schema: Schema, options: AvroOptions) -> bool:
    """Whether a map has keys that Avro's maps can have."""
    key = schema.key_schema
    return (
        key is not None and key.type is SchemaType.STRING and (not key.optional or options.optional_map_keys)
    )


class ToAvro:
    """Turns one Connect schema into a node; use a new one for each top level schema."""

    def __init__(self, options: AvroOptions) -> None:
        self.options = options
        self._made: dict[Schema, AvroNode] = {}
        self._unnamed = 0
        self._entries = 0

    def node(self, schema: Schema | None, *, ignore_optional: bool = False) -> AvroNode:
        """The Avro type of a schema; schemaless data have a type of their own."""
        if schema is None:
            return ANYTHING_NODE
        if union_kind(schema):
            return self._union(schema)
        bare = schema.evolve(optional=False) if schema.optional else schema
        made = self._made.get(bare)
        if made is None:
            made = self._made[bare] = self._base(bare)
        if not schema.optional or ignore_optional:
            return made
        with_default = schema.default is not None and schema.type is not SchemaType.STRUCT
        branches = [made, AvroNode("null")] if with_default else [AvroNode("null"), made]
        return AvroNode("union", branches=branches)

    def _union(self, schema: Schema) -> AvroNode:
        members = [self.node(f.schema.evolve(optional=False), ignore_optional=True) for f in schema.fields]
        return AvroNode("union", branches=[*([AvroNode("null")] if schema.optional else []), *members])

    def _base(self, schema: Schema) -> AvroNode:
        node = self._bare(schema)
        if self.options.meta_data:
            node.props |= self._meta(schema)
        node.props |= _logical_props(schema)
        node.props |= {
            k: v for k, v in schema.parameters.items() if k.startswith("avro") and k not in node.props
        }
        return node

    def _bare(self, schema: Schema) -> AvroNode:
        if schema.type is SchemaType.STRUCT:
            return self._record(schema)
        if schema.type is SchemaType.ARRAY:
            return AvroNode("array", inner=self.node(_contained(schema.value_schema)))
        if schema.type is SchemaType.MAP:
            return self._map(schema)
        marker = enum_name(schema)
        if marker is not None and (self.options.enhanced or self.options.generalized):
            return self._enum(schema, marker)
        return AvroNode(_AVRO[schema.type])

    def _record(self, schema: Schema) -> AvroNode:
        node = AvroNode("record", name=self._name(schema.name), doc=schema.parameters.get(RECORD_DOC))
        for field in schema.fields:
            node.fields.append(self._field(self.scrub(field.name), field.schema, schema, field.name))
        return node

    def _field(self, name: str, schema: Schema, owner: Schema | None = None, own_name: str = "") -> AvroField:
        default: Any = MISSING
        if schema.default is not None:
            default = default_to_json(schema, schema.default, self.options)
        elif schema.optional:
            default = None
        doc = owner.parameters.get(FIELD_DOC + own_name) if owner is not None else None
        if doc is None and self.options.discard_type_doc:
            doc = schema.doc
        return AvroField(name, self.node(schema), default, doc)

    def _map(self, schema: Schema) -> AvroNode:
        if object_keys(schema, self.options):
            return AvroNode("map", inner=self.node(_contained(schema.value_schema)))
        if schema.name is not None:
            entry = AvroNode("record", name=self._name(schema.name))
            entry.props["connect.internal.type"] = MAP_ENTRY
        else:
            self._entries += 1
            number = str(self._entries) if self._entries > 1 else ""
            entry = AvroNode("record", name=f"{NAMESPACE}.{MAP_ENTRY}{number}")
            if number:
                entry.props["connect.internal.type"] = MAP_ENTRY
        entry.fields = [
            self._field("key", _contained(schema.key_schema)),
            self._field("value", _contained(schema.value_schema)),
        ]
        return AvroNode("array", inner=entry)

    def _enum(self, schema: Schema, marker: str) -> AvroNode:
        name = schema.parameters[marker] or schema.name or DEFAULT_NAME
        prefix = f"{marker}."
        symbols = [(k, v) for k, v in schema.parameters.items() if k.startswith(prefix)]
        if marker == SUM_ENUM:
            symbols.sort(key=lambda pair: int(pair[1]))
        short = name.rpartition(".")[2]
        return AvroNode(
            "enum",
            name=name,
            doc=schema.parameters.get(ENUM_DOC + short),
            symbols=tuple(k.removeprefix(prefix) for k, _ in symbols),
            default=schema.parameters.get(ENUM_DEFAULT + short),
        )

    def _name(self, name: str | None) -> str:
        if name:
            return ".".join(self.scrub(part) for part in name.split(".")) if self.options.scrub else name
        self._unnamed += 1
        return f"{NAMESPACE}.{DEFAULT_NAME}{self._unnamed if self._unnamed > 1 else ''}"

    def scrub(self, name: str) -> str:
        """A field name that Avro allows, if asked to make one."""
        return scrubbed(name) if self.options.scrub else name

    def _meta(self, schema: Schema) -> dict[str, Any]:
        props: dict[str, Any] = {}
        if schema.type is SchemaType.BYTES and schema.name == DECIMAL:
            props |= {"scale": _scale(schema), "precision": _precision(schema)}
        if schema.doc is not None and not self.options.discard_type_doc:
            props["connect.doc"] = schema.doc
        if schema.version is not None:
            props["connect.version"] = schema.version
        parameters = {k: v for k, v in schema.parameters.items() if k != FIELD_DEFAULT}
        if parameters:
            props["connect.parameters"] = parameters
        keep = not self.options.discard_type_doc and FIELD_DEFAULT not in schema.parameters
        if schema.default is not None and keep:
            props["connect.default"] = default_to_json(schema, schema.default, self.options)
        if schema.name is not None:
            props["connect.name"] = schema.name
        if schema.type in _NARROW:
            props["connect.type"] = _NARROW[schema.type]
        return props


def _logical_props(schema: Schema) -> dict[str, Any]:
    if schema.name == DECIMAL:
        scale, precision = _scale(schema), _precision(schema)
        props: dict[str, Any] = {"scale": scale, "precision": precision}
        if 0 <= scale <= precision or PRECISION in schema.parameters:
            props["logicalType"] = "decimal"
        return props
    logical = _LOGICAL.get(schema.name or "")
    return {"logicalType": logical} if logical else {}


def _scale(schema: Schema) -> int:
    return int(schema.parameters.get("scale", "0"))


def _precision(schema: Schema) -> int:
    return int(schema.parameters.get(PRECISION, DEFAULT_PRECISION))


def _contained(schema: Schema | None) -> Schema:
    if schema is None:
        raise DataError("Schema of a container does not say what it contains")
    return schema


def scrubbed(name: str) -> str:
    """A name of letters, digits and underscores that starts with a letter or underscore."""
    encoded = quote_plus(name, safe="*-._")
    if not (encoded[:1].isascii() and (encoded[:1].isalpha() or encoded[:1] == "_")):
        encoded = f"x{encoded}"
    return _BAD_CHARACTER.sub("_", encoded)


def default_to_json(schema: Schema, value: Any, options: AvroOptions) -> Any:
    """A default in Avro's JSON form: bytes as characters 0 to 255."""
    if value is None:
        return None
    if schema.name in LOGICAL_NAMES:
        value = _logical_base(schema, value)
    if schema.type is SchemaType.BYTES:
        return bytes(value).decode("latin-1")
    if schema.type is SchemaType.ARRAY:
        return [default_to_json(_contained(schema.value_schema), v, options) for v in value]
    if schema.type is SchemaType.MAP:
        key, inner = _contained(schema.key_schema), _contained(schema.value_schema)
        pairs = [(k, default_to_json(inner, v, options)) for k, v in value.items()]
        if object_keys(schema, options):
            return dict(pairs)
        return [[default_to_json(key, k, options), v] for k, v in pairs]
    if schema.type is SchemaType.STRUCT:
        fields = value.fields if isinstance(value, Struct) else value
        return {f.name: default_to_json(f.schema, fields.get(f.name), options) for f in schema.fields}
    return value


def _logical_base(schema: Schema, value: Any) -> Any:
    if schema.name == DECIMAL:
        unscaled, scale = decimal_parts(value)
        if scale != _scale(schema):
            raise DataError("Decimal value has mismatching scale for given Decimal schema")
        return unscaled_bytes(unscaled)
    if isinstance(value, (dt.date, dt.time, Decimal)):
        return encoder(schema, numeric=False)(value)
    return value


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
        return made.evolve(default=default_from_json(made, node, given, self))

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
        return made.evolve(default=default_from_json(made, node, default, self))

    def branch_name(self, branch: AvroNode, index: int) -> str:
        """Name of the field that stands for a branch of a union."""
        if self.options.generalized:
            return f"{SUM_FIELD}{index}"
        if branch.type in ("record", "enum"):
            return str(branch.name) if self.options.enhanced else branch.short_name
        return branch.type


def is_map_entry(node: AvroNode) -> bool:
    """Whether an array of this type is a map whose keys are no strings."""
    return node.type == "record" and (
        node.name == f"{NAMESPACE}.{MAP_ENTRY}" or node.props.get("connect.internal.type") == MAP_ENTRY
    )


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
        parameters[PRECISION] = str(precision)
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


def default_from_json(schema: Schema, node: AvroNode, value: Any, names: FromAvro) -> Any:
    """A default of Avro's JSON form as a value of the schema.

    Raises:
        SchemaError: it does not fit.
    """
    if value is None:
        return None
    try:
        return _default(schema, node, value, names)
    except (TypeError, AttributeError, KeyError, UnicodeEncodeError) as error:
        raise SchemaError(f"Invalid default {value!r} for an Avro {node.type}") from error


def _default(schema: Schema, node: AvroNode, value: Any, names: FromAvro) -> Any:
    if node.type == "union":
        first = node.branches[0]
        if first.type == "null":
            return None
        field = schema.field(names.branch_name(first, 0))
        if field is None:
            return None
        return Struct(schema, {field.name: default_from_json(field.schema, first, value, names)})
    if node.type in ("bytes", "fixed"):
        raw = value.encode("latin-1")
        if schema.name == DECIMAL:
            unscaled = int.from_bytes(raw, "big", signed=True)
            return Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -_scale(schema)))
        return raw
    if node.type == "array" and schema.type is SchemaType.ARRAY:
        return [default_from_json(_contained(schema.value_schema), node.content(), v, names) for v in value]
    if node.type == "map":
        inner = _contained(schema.value_schema)
        return {k: default_from_json(inner, node.content(), v, names) for k, v in value.items()}
    if node.type == "record":
        made = {}
        for f in node.fields:
            field = schema.field(f.name)
            if field is not None:
                given = value.get(f.name, f.default)
                made[f.name] = _member_default(field.schema, f.node, given, names)
        return Struct(schema, made)
    if node.type in ("float", "double"):
        return float(value)
    return decoder(schema)(value) if schema.name in LOGICAL_NAMES else value


def _member_default(schema: Schema, node: AvroNode, value: Any, names: FromAvro) -> Any:
    if value is MISSING or value is None:
        return None
    if node.type == "union" and not union_kind(schema):
        node = next(b for b in node.branches if b.type != "null")
    return default_from_json(schema, node, value, names)
