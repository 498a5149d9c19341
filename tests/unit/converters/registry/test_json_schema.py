"""JsonSchemaConverter: schemas and values in both directions, what is refused."""

import json
from decimal import Decimal

import pytest

from replicator.api import schema as s
from replicator.api.errors import DataError
from replicator.api.logical import decimal_schema
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.jsonschema import JsonSchemaConverter
from replicator.converters.registry.model import JSON, SchemaText
from tests.unit.converters.registry.rows import ENVELOPE, VALUE, event, row


def converter(scope, **options):
    made = JsonSchemaConverter()
    made.configure({"schema.registry.url": scope, **options}, is_key=False)
    return made


def head(number=1):
    return b"\x00" + number.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (s.INT8, {"type": "integer", "connect.type": "int8"}),
        (s.FLOAT32, {"type": "number", "connect.type": "float32"}),
        (s.STRING, {"type": "string"}),
        (s.BYTES, {"type": "string", "connect.type": "bytes"}),
        (s.OPTIONAL_BOOLEAN, {"oneOf": [{"type": "null"}, {"type": "boolean"}]}),
        (
            decimal_schema(2),
            {
                "title": "org.apache.kafka.connect.data.Decimal",
                "type": "number",
                "connect.type": "bytes",
                "connect.version": 1,
                "connect.parameters": {"scale": "2"},
            },
        ),
        (s.array_schema(s.INT64), {"type": "array", "items": {"type": "integer", "connect.type": "int64"}}),
        (
            s.map_schema(s.STRING, s.STRING),
            {"type": "object", "additionalProperties": {"type": "string"}, "connect.type": "map"},
        ),
        (
            s.struct_schema([("a", s.STRING), ("b", s.OPTIONAL_STRING.evolve(default="x"))], name="R"),
            {
                "title": "R",
                "type": "object",
                "properties": {
                    "a": {"type": "string", "connect.index": 0},
                    "b": {
                        "oneOf": [{"type": "null"}, {"default": "x", "type": "string"}],
                        "connect.index": 1,
                    },
                },
            },
        ),
    ],
)
def test_a_connect_schema_as_json_schema(scope, schema, expected):
    assert json.loads(converter(scope).prepare(schema).text.text) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"type": "integer"}, s.INT64),
        ({"type": "number"}, s.FLOAT64),
        ({"type": ["null", "string"]}, s.OPTIONAL_STRING),
        (
            {"enum": ["x", "y"]},
            s.STRING.evolve(
                parameters={
                    "io.confluent.connect.json.Enum": "",
                    "io.confluent.connect.json.Enum.x": "x",
                    "io.confluent.connect.json.Enum.y": "y",
                }
            ),
        ),
        ({"$ref": "#/definitions/i", "definitions": {"i": {"type": "integer"}}}, s.INT64),
        (
            {"oneOf": [{"type": "integer"}, {"type": "string"}]},
            Schema(
                SchemaType.STRUCT,
                name="io.confluent.connect.json.OneOf",
                fields=[
                    ("io.confluent.connect.json.OneOf.field.0", s.OPTIONAL_INT64),
                    ("io.confluent.connect.json.OneOf.field.1", s.OPTIONAL_STRING),
                ],
            ),
        ),
        (
            {
                "type": "object",
                "title": "R",
                "properties": {
                    "b": {"type": "string", "connect.index": 1},
                    "a": {"type": "integer", "connect.index": 0},
                },
            },
            s.struct_schema([("a", s.INT64), ("b", s.STRING)], name="R"),
        ),
    ],
)
def test_a_json_schema_as_connect(scope, node, expected):
    made = converter(scope)
    made.client.register("other", SchemaText(JSON, json.dumps(node)))
    decode = made.decoder(made.client.by_id(1), None)
    values = {SchemaType.INT64: b"5", SchemaType.FLOAT64: b"1.5", SchemaType.STRUCT: b'{"a":1,"b":"x"}'}
    value = b'"x"' if expected.name and "OneOf" in expected.name else values.get(expected.type, b'"x"')
    assert decode(head() + value).schema == expected


def test_an_event_comes_back_as_it_was(scope):
    made = converter(scope)
    data = made.from_connect_data("t", ENVELOPE, event())
    assert data[:5] == head()
    assert json.loads(data[5:])["by_number"] == [{"key": 1, "value": "x"}, {"key": -70000, "value": "y"}]
    back = made.to_connect_data("t", data)
    assert back.schema == ENVELOPE
    assert back.value.plain() == event().plain()


def test_numeric_decimals_keep_their_digits(scope):
    made = converter(scope, **{"decimal.format": "NUMERIC"})
    schema = s.struct_schema([("d", decimal_schema(20))], name="R")
    exact = Decimal("12345678901234567890.12345678901234567890")
    data = made.from_connect_data("t", schema, Struct(schema, {"d": exact}))
    assert data[5:] == b'{"d":12345678901234567890.12345678901234567890}'
    assert made.to_connect_data("t", data).value.plain() == {"d": exact}


def test_alternatives_stand_for_themselves(scope):
    made = converter(scope)
    node = {"oneOf": [{"type": "null"}, {"type": "integer"}, {"type": "string"},
                      {"type": "object", "properties": {"a": {"type": "integer"}}}]}  # fmt: skip
    made.client.register("t-value", SchemaText(JSON, json.dumps(node)))
    names = [f"io.confluent.connect.json.OneOf.field.{n}" for n in range(3)]
    for number, text in enumerate((b"5", b'"x"', b'{"a":1}')):
        found = made.to_connect_data("t", head() + text)
        assert list(found.value.fields) == [names[number]]
        assert made.from_connect_data("u", found.schema, found.value)[5:] == text
    assert made.to_connect_data("t", head() + b"null").value is None


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "Error deserializing JSON message"),
        (b"[1]", "Structs should be encoded as JSON objects, but found ARRAY"),
        (b'{"a":"x"}', "Invalid type for integer: STRING"),
        (b'{"a":1.5}', "Invalid type for integer: NUMBER"),
        (b"{}", "Invalid null value for required INT64 field"),
    ],
)
def test_what_does_not_fit_is_refused(scope, payload, why):
    made = converter(scope)
    made.client.register(
        "t-value", SchemaText(JSON, '{"type":"object","properties":{"a":{"type":"integer"}}}')
    )
    with pytest.raises(DataError, match=f"Failed to deserialize data for topic t to JSON Schema: {why}"):
        made.to_connect_data("t", head() + payload)


def test_payloads_are_checked_when_asked(scope):
    converter(scope).client.register("t-value", SchemaText(JSON, '{"type":"string","maxLength":2}'))
    strict = converter(scope, **{"json.fail.invalid.schema": "true"})
    assert strict.to_connect_data("t", head() + b'"ab"').value == "ab"
    with pytest.raises(DataError, match="does not match schema"):
        strict.to_connect_data("t", head() + b'"abc"')


def test_schemaless_data_are_plain_json(scope):
    made = converter(scope)
    data = made.from_connect_data("t", None, {"a": [1, None, "x"]})
    assert data == head() + b'{"a":[1,null,"x"]}'
    assert made.to_connect_data("t", data) == (None, {"a": [1, None, "x"]})
    assert made.from_connect_data("t", VALUE, None) is None


def test_an_added_field_needs_a_closed_object(scope):
    made = converter(scope)
    first = s.struct_schema([("a", s.INT32)], name="R")
    second = s.struct_schema([("a", s.INT32), ("b", s.OPTIONAL_STRING)], name="R")
    made.from_connect_data("open", first, Struct(first, {"a": 1}))
    with pytest.raises(DataError, match="PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"):
        made.from_connect_data("open", second, Struct(second, {"a": 1}))
    closed = converter(scope, **{"object.additional.properties": "false"})
    closed.from_connect_data("closed", first, Struct(first, {"a": 1}))
    closed.from_connect_data("closed", second, Struct(second, {"a": 1}))


def test_required_properties_mark_optional_ones(scope):
    made = converter(scope, **{"use.optional.for.nonrequired": "true"})
    node = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "required": ["a"],
    }
    made.client.register("t-value", SchemaText(JSON, json.dumps(node)))
    found = made.to_connect_data("t", head() + b'{"a":1}')
    assert [f.schema.optional for f in found.schema.fields] == [False, True]
    assert json.loads(made.prepare(VALUE).text.text)["oneOf"][1]["required"] == ["id", "small", "price"]
    assert made.from_connect_data("u", VALUE, Struct(VALUE, row())) is not None


def test_a_schema_that_contains_itself_is_refused(scope):
    made = converter(scope)
    made.client.register("t-value", SchemaText(JSON, '{"type":"object","properties":{"a":{"$ref":"#"}}}'))
    with pytest.raises(DataError, match="contains itself"):
        made.to_connect_data("t", head() + b"{}")
