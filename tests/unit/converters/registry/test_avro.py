"""AvroConverter: values in both directions, byte for byte, and what is refused."""

import json
from decimal import Decimal

import pytest

from replicator.api import schema as s
from replicator.api.errors import DataError
from replicator.api.logical import decimal_schema
from replicator.api.struct import Struct
from replicator.converters.registry.model import AVRO, SchemaText
from tests.unit.converters.registry.avro_samples import converter, schema_of
from tests.unit.converters.registry.rows import ENVELOPE, VALUE, event, row


def test_an_event_comes_back_as_it_was(scope):
    made = converter(scope)
    data = made.from_connect_data("t", ENVELOPE, event())
    assert data[:5] == b"\x00\x00\x00\x00\x01"
    back = made.to_connect_data("t", data)
    assert back.schema == ENVELOPE
    assert back.value.plain() == event().plain()
    assert back.value.get("after").get("price") == Decimal("-12.30")


def test_the_bytes_are_those_of_avro(scope):
    made = converter(scope)
    schema = s.struct_schema([("a", s.INT32), ("b", s.OPTIONAL_STRING), ("c", s.OPTIONAL_INT64)], name="R")
    data = made.from_connect_data("t", schema, Struct(schema, {"a": -1, "b": "hé", "c": 1 << 40}))
    assert data[5:] == b"\x01\x02\x06h\xc3\xa9\x02\x80\x80\x80\x80\x80\x40"
    assert made.from_connect_data("t", schema, Struct(schema, {"a": 64}))[5:] == b"\x80\x01\x00\x00"


@pytest.mark.parametrize(
    "value", [0, -1, 63, 64, -64, -65, 8191, 8192, -8192, -8193, (1 << 31) - 1, -(1 << 31)]
)
def test_integers_of_every_length(scope, value):
    made = converter(scope)
    for schema in (s.INT32, s.INT64):
        data = made.from_connect_data(schema.type.value, schema, value)
        assert made.to_connect_data(schema.type.value, data).value == value


@pytest.mark.parametrize(
    "value",
    [1, 1 << 40, 1.5, "x", b"\x01", True, [1, None, "a"], {"a": {"b": [1.5]}, "c": None}, {1: "x"}, [], {}],
)
def test_schemaless_data_come_back_as_they_were(scope, value):
    made = converter(scope)
    assert made.to_connect_data("t", made.from_connect_data("t", None, value)) == (None, value)


def test_null_is_a_tombstone(scope):
    made = converter(scope)
    assert made.from_connect_data("t", None, None) is None
    assert made.from_connect_data("t", VALUE, None) is None
    assert made.to_connect_data("t", None) == (None, None)


@pytest.mark.parametrize(
    ("schema", "value", "why"),
    [
        (s.STRING, 5, "Invalid type for STRING: int"),
        (s.INT32, "x", "Invalid type for INT32: str"),
        (s.INT32, True, "Invalid type for INT32: bool"),
        (s.INT32, 1.5, "Invalid type for INT32: float"),
        (s.INT8, 128, "128 does not fit"),
        (s.INT32, 1 << 31, "does not fit"),
        (s.INT64, 1 << 63, "does not fit"),
        (s.BOOLEAN, 1, "Invalid type for BOOLEAN: int"),
        (s.BYTES, "x", "Invalid type for BYTES: str"),
        (s.FLOAT32, 1e300, "does not fit"),
        (s.FLOAT64, "1.5", "Invalid type for FLOAT64"),
        (s.INT32, None, "Found null value for non-optional schema"),
        (decimal_schema(2), Decimal("1.5"), "mismatching scale"),
        (s.array_schema(s.INT32), [1, None], "Found null value for non-optional schema"),
        (VALUE, Struct(VALUE, row(id=None)), "Found null value for non-optional schema"),
        (VALUE, Struct(VALUE, row(name=5)), "Invalid type for STRING"),
    ],
)
def test_a_wrong_value_is_refused(scope, schema, value, why):
    with pytest.raises(DataError, match=why) as caught:
        converter(scope).from_connect_data("t", schema, value)
    assert str(caught.value).startswith("Failed to serialize Avro data from topic t: ")


def test_a_default_is_written_for_null_unless_told_otherwise(scope):
    schema = s.struct_schema(
        [("a", s.OPTIONAL_INT32.evolve(default=5)), ("b", s.INT32.evolve(default=6))], name="R"
    )
    made = converter(scope)
    back = made.to_connect_data("t", made.from_connect_data("t", schema, Struct(schema, {})))
    assert back.value.plain() == {"a": 5, "b": 6}
    kept = converter(scope, **{"ignore.default.for.nullables": "true"})
    assert made.to_connect_data(
        "t", kept.from_connect_data("t", schema, Struct(schema, {}))
    ).value.plain() == {
        "a": None,
        "b": 6,
    }


def test_cut_off_bytes_are_refused(scope):
    made = converter(scope)
    data = made.from_connect_data("t", ENVELOPE, event())
    for end in range(6, len(data), 7):
        with pytest.raises(DataError):
            made.to_connect_data("t", data[:end])


def test_unions_keep_their_branch(scope):
    made = converter(scope)
    record = {"type": "record", "name": "n.A", "fields": [{"name": "x", "type": "int"}]}
    other = {"type": "record", "name": "n.B", "fields": [{"name": "y", "type": "string"}]}
    made.client.register("t-value", SchemaText(AVRO, json.dumps(["null", "int", "string", record, other])))
    schema = schema_of(["null", "int", "string", record, other])
    assert [f.name for f in schema.fields] == ["int", "string", "A", "B"]
    for fields in ({"int": 5}, {"string": "x"}, {"A": {"x": 1}}, {"B": {"y": "q"}}):
        data = made.from_connect_data("t", schema, Struct(schema, fields))
        assert made.to_connect_data("t", data).value.plain() == fields


@pytest.mark.parametrize(
    ("schema", "branches", "value", "chosen"),
    [
        (s.INT8, ["long", "int"], 5, "int"),
        (s.INT32, ["long", "int"], 5, "int"),
        (s.INT64, ["int", "long"], 5, "long"),
        (s.FLOAT32, ["double", "float"], 0.5, "float"),
        (s.FLOAT64, ["float", "double"], 0.5, "double"),
    ],
)
def test_the_type_of_the_schema_chooses_the_branch(scope, schema, branches, value, chosen):
    made = converter(scope, **{"use.latest.version": "true", "auto.register.schemas": "false"})
    text = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": branches}]})
    made.client.register("t-value", SchemaText(AVRO, text))
    written = s.struct_schema([("a", schema)], name="R")
    data = made.from_connect_data("t", written, Struct(written, {"a": value}))
    assert made.to_connect_data("t", data).value.plain() == {"a": {chosen: value}}


def test_enums_are_kept_with_enhanced_support(scope):
    enum = {"type": "enum", "name": "a.E", "symbols": ["X", "Y"]}
    schema = schema_of(
        {"type": "record", "name": "R", "fields": [{"name": "e", "type": ["null", enum]}]}, enhanced=True
    )
    made = converter(scope, **{"enhanced.avro.schema.support": "true"})
    data = made.from_connect_data("t", schema, Struct(schema, {"e": "Y"}))
    assert data[5:] == b"\x02\x02"
    assert made.to_connect_data("t", data).value.plain() == {"e": "Y"}
    with pytest.raises(DataError, match=r"'Z' is no symbol of the enum a.E"):
        made.from_connect_data("t", schema, Struct(schema, {"e": "Z"}))
