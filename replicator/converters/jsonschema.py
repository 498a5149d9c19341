"""JsonSchemaConverter: JSON with a schema registry, as Confluent's converter of this name. Task thread.

Payloads are prepared and read by the compilers of JsonConverter; maps without string keys and
alternatives look different here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

import orjson
from jsonschema.exceptions import ValidationError
from jsonschema.validators import validator_for

from replicator.api.config import ConfigDef, ConfigKey, Importance, Type, key, one_of
from replicator.api.converter import SchemaAndValue
from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, NeedsExactNumbersError, node_type
from replicator.converters.json_read import Decode as DecodeValue
from replicator.converters.json_read import ReadCompiler
from replicator.converters.json_write import Encode as EncodeValue
from replicator.converters.json_write import WriteCompiler, encode_schemaless, unwrap
from replicator.converters.registry import json_model, json_schemas, options
from replicator.converters.registry.base import Decode, Encode, Prepared, RegistryConverter
from replicator.converters.registry.json_compatibility import differences
from replicator.converters.registry.json_model import JsonDocument
from replicator.converters.registry.json_schemas import FromJsonSchema, JsonSchemaOptions, ToJsonSchema
from replicator.converters.registry.model import JSON, SchemaText

_DUMP: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_INTEGERS: Final = (SchemaType.INT8, SchemaType.INT16, SchemaType.INT32, SchemaType.INT64)


def _flag(name: str, default: bool, doc: str, importance: Importance = Importance.LOW) -> ConfigKey:
    return key(name, Type.BOOLEAN, default, importance=importance, doc=doc)


_OPTIONS = options.CONVERTER.merged(
    ConfigDef(
        _flag("object.additional.properties", True, "Whether objects may have further properties.",
              Importance.MEDIUM),
        _flag("use.optional.for.nonrequired", False, "Whether properties that are not required are optional.",
              Importance.MEDIUM),
        key("decimal.format", Type.STRING, "BASE64", importance=Importance.LOW,
            validator=one_of("BASE64", "NUMERIC", ignore_case=True),
            doc="How Decimal values are written: BASE64 or NUMERIC, case insensitive. Both are read."),
        _flag("json.fail.invalid.schema", False, "Check payloads against their schema.", Importance.MEDIUM),
    )
)  # fmt: skip


class JsonSchemaConverter(RegistryConverter):
    """Reads and writes JSON with registered schemas."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.json.JsonSchemaConverter",)
    format_name = "JSON Schema"
    schema_type = JSON

    @classmethod
    def config_def(cls) -> ConfigDef:
        return _OPTIONS

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        super().configure(config, is_key=is_key)
        self._form = JsonSchemaOptions(
            additional_properties=self.options["object.additional.properties"],
            optional_for_nonrequired=self.options["use.optional.for.nonrequired"],
            generalized=self.options["generalized.sum.type.support"],
        )
        replace = not self.options["ignore.default.for.nullables"]
        numeric = str(self.options["decimal.format"]).upper() == "NUMERIC"
        self._write_compiler = _Writing(numeric=numeric, replace_null=replace)
        self._read_compiler = _Reading(replace_null=replace)

    def prepare(self, schema: Schema | None) -> Prepared:
        node = ToJsonSchema(self._form, self._write_compiler.encoded_default).node(schema)
        text = orjson.dumps(node, unwrap).decode()
        return Prepared(SchemaText(JSON, text), schema.name if schema is not None else None, node)

    def encoder(self, schema: Schema | None, prepared: Prepared, written: SchemaText) -> Encode:
        prepare: EncodeValue
        prepare = encode_schemaless if schema is None else self._write_compiler.nullable(schema)
        check = self._validator(written)

        def encode(value: Any) -> bytes:
            try:
                payload = orjson.dumps(prepare(value), unwrap, _DUMP)
            except (TypeError, RecursionError) as error:
                raise DataError(f"The value has no JSON form: {error}") from error
            if check is not None:
                check(orjson.loads(payload))
            return payload

        return encode

    def decoder(self, found: SchemaText, version: int | None) -> Decode:
        compiler = self._read_compiler
        document = self._document(found)
        schema = FromJsonSchema(document, self._form, lambda s, v: compiler.nullable(s)(v)).schema(version)
        convert = _as_is if schema is None else compiler.nullable(schema)
        check = self._validator(found)

        def decode(data: bytes) -> SchemaAndValue:
            tree = _parse(data[5:])
            if check is not None:
                check(tree)
            try:
                return SchemaAndValue(schema, convert(tree))
            except NeedsExactNumbersError:
                return SchemaAndValue(schema, convert(json.loads(data[5:], parse_float=Decimal)))

        return decode

    def incompatibilities(self, newest: SchemaText, ours: SchemaText) -> list[str]:
        return [str(d) for d in differences(reader=self._document(newest), writer=self._document(ours))]

    def record_of(self, found: SchemaText) -> str | None:
        root = self._document(found).root
        return root.get("title") if isinstance(root, dict) else None

    def _document(self, found: SchemaText) -> JsonDocument:
        used = self.client.references(found)
        return json_model.parse(found.text, {name: schema.text for name, schema in used.items()})

    def _validator(self, schema: SchemaText) -> Callable[[Any], None] | None:
        if not self.options["json.fail.invalid.schema"]:
            return None
        root = self._document(schema).root
        validator = validator_for(root)(root)

        def check(tree: Any) -> None:
            try:
                validator.validate(tree)
            except ValidationError as error:
                raise DataError(
                    f"JSON {tree} does not match schema {schema.text}: {error.json_path}: {error.message}"
                ) from error

        return check


class _Writing(WriteCompiler):
    """Maps without string keys are arrays of objects; alternatives stand for themselves."""

    def value(self, schema: Schema) -> EncodeValue | None:
        if schema.type is SchemaType.MAP and not json_schemas.string_keys(schema):
            return self._entries(schema)
        if json_schemas.one_of(schema):
            return self._alternatives(schema)
        return super().value(schema)

    def _entries(self, schema: Schema) -> EncodeValue:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        of_key, of_value = self.nullable(schema.key_schema), self.nullable(schema.value_schema)

        def encode(value: Any) -> Any:
            if not isinstance(value, dict):
                raise DataError(f"Invalid type for map: {type(value).__name__}")
            return [{"key": of_key(k), "value": of_value(v)} for k, v in value.items()]

        return encode

    def _alternatives(self, schema: Schema) -> EncodeValue:
        members = {f.name: self.nullable(f.schema) for f in schema.fields}

        def encode(value: Any) -> Any:
            fields = unwrap(value) if isinstance(value, Struct) else value
            for name, convert in members.items():
                one = fields.get(name)
                if one is not None:
                    return convert(one)
            return None

        return encode


class _Reading(ReadCompiler):
    """The same when reading; whole numbers may come as 1.0."""

    def value(self, schema: Schema) -> DecodeValue | None:
        if schema.name in LOGICAL_NAMES:
            return super().value(schema)
        if schema.type is SchemaType.MAP and not json_schemas.string_keys(schema):
            return self._entries(schema)
        if json_schemas.one_of(schema):
            return self._alternatives(schema)
        if schema.type in _INTEGERS:
            return _whole
        return super().value(schema)

    def nullable(self, schema: Schema) -> DecodeValue:
        decode = super().nullable(schema)
        if not json_schemas.one_of(schema):
            return decode
        convert = self._alternatives(schema)
        return lambda value: decode(None) if value is None else convert(value)

    def _entries(self, schema: Schema) -> DecodeValue:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        of_key, of_value = self.nullable(schema.key_schema), self.nullable(schema.value_schema)

        def decode(value: Any) -> Any:
            if type(value) is not list:
                raise DataError(
                    "Maps with non-string fields should be encoded as JSON array of objects, but found "
                    f"{node_type(value)}"
                )
            for entry in value:
                if type(entry) is not dict:
                    raise DataError(f"Found invalid map entry instead of object: {node_type(entry)}")
                if len(entry) != 2:
                    raise DataError(f"Found invalid map entry, expected length 2 but found :{len(entry)}")
            return {of_key(e.get("key")): of_value(e.get("value")) for e in value}

        return decode

    def _alternatives(self, schema: Schema) -> DecodeValue:
        members = [(f.name, f.schema, self.nullable(f.schema)) for f in schema.fields]

        def decode(value: Any) -> Any:
            for name, member, convert in members:
                if _fits(member, value):
                    return Struct(schema, {name: convert(value)})
            raise DataError(f"Did not find matching oneof field for data: {value}")

        return decode


def _fits(schema: Schema, value: Any) -> bool:
    if schema.type is SchemaType.STRUCT:
        return type(value) is dict and all(schema.field(name) is not None for name in value)
    wanted: dict[SchemaType, tuple[type, ...]] = {
        SchemaType.BOOLEAN: (bool,),
        SchemaType.STRING: (str,),
        SchemaType.BYTES: (str, Decimal, float, int),
        SchemaType.ARRAY: (list,),
        SchemaType.MAP: (dict, list),
        SchemaType.FLOAT32: (float, int, Decimal),
        SchemaType.FLOAT64: (float, int, Decimal),
    }
    return type(value) in wanted.get(schema.type, (int,))


def _whole(value: Any) -> Any:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise DataError(f"Invalid type for integer: {node_type(value)}")


def _as_is(value: Any) -> Any:
    return value


def _parse(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DataError(f"Error deserializing JSON message: {error}") from error
