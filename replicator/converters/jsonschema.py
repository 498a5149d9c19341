"""JsonSchemaConverter: JSON with a schema registry, as Confluent's converter of this name. Task thread.

Payloads are prepared and read by the compilers of JsonConverter but for what `json_values` changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import orjson
from jsonschema.exceptions import ValidationError
from jsonschema.validators import Draft7Validator, validator_for

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.converter import SchemaAndValue
from replicator.api.errors import DataError
from replicator.api.option_types import Type
from replicator.api.schema import Schema
from replicator.api.validators import one_of
from replicator.converters.json_logical import NeedsExactNumbersError
from replicator.converters.json_native import JSON_OPTIONS
from replicator.converters.json_write import Encode as EncodeValue
from replicator.converters.json_write import encode_schemaless, unwrap
from replicator.converters.registry import json_model, options
from replicator.converters.registry.base import Decode, Encode, Prepared, RegistryConverter
from replicator.converters.registry.json_compatibility import differences
from replicator.converters.registry.json_from_connect import ToJsonSchema
from replicator.converters.registry.json_model import JsonDocument
from replicator.converters.registry.json_names import JsonSchemaOptions
from replicator.converters.registry.json_to_connect import FromJsonSchema
from replicator.converters.registry.json_values import JsonSchemaReader, JsonSchemaWriter
from replicator.converters.registry.model import JSON, SchemaText

_OPTIONS = options.CONVERTER.merged(
    ConfigDef(
        options.flag("object.additional.properties", True, "Whether objects may have further properties.",
              Importance.MEDIUM),
        options.flag("use.optional.for.nonrequired", False, "Whether properties that are not required are optional.",
              Importance.MEDIUM),
        key("decimal.format", Type.STRING, "BASE64", importance=Importance.LOW,
            validator=one_of("BASE64", "NUMERIC", ignore_case=True),
            doc="How Decimal values are written: BASE64 or NUMERIC, case insensitive. Both are read."),
        options.flag("json.fail.invalid.schema", False, "Check payloads against their schema.", Importance.MEDIUM),
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
        self._write_compiler = JsonSchemaWriter(numeric=numeric, replace_null=replace)
        self._read_compiler = JsonSchemaReader(replace_null=replace)

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
                payload = orjson.dumps(prepare(value), unwrap, JSON_OPTIONS)
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
        validator = validator_for(root, default=Draft7Validator)(root)

        def check(tree: Any) -> None:
            try:
                validator.validate(tree)
            except ValidationError as error:
                raise DataError(
                    f"JSON {tree} does not match schema {schema.text}: {error.json_path}: {error.message}"
                ) from error

        return check


def _as_is(value: Any) -> Any:
    return value


def _parse(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DataError(f"Error deserializing JSON message: {error}") from error
