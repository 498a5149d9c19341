"""Connect's schemas as Avro and Avro's as Connect's."""

import json

import pytest

from replicator.api import schema as s
from replicator.api.errors import DataError
from replicator.api.logical import decimal_schema, timestamp_schema
from replicator.api.schema import Schema, SchemaType
from replicator.converters.registry.model import AVRO, SchemaText
from tests.unit.converters.registry.avro_samples import converter, schema_of, text
from tests.unit.converters.registry.rows import VALUE

DECIMAL_AVRO = (
    '{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},'
    '"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}'
)
TIMESTAMP_AVRO = (
    '{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp",'
    '"logicalType":"timestamp-millis"}'
)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (s.INT32, '"int"'),
        (s.INT8, '{"type":"int","connect.type":"int8"}'),
        (s.INT16, '{"type":"int","connect.type":"int16"}'),
        (s.INT64, '"long"'),
        (s.FLOAT32, '"float"'),
        (s.FLOAT64, '"double"'),
        (s.BOOLEAN, '"boolean"'),
        (s.BYTES, '"bytes"'),
        (s.OPTIONAL_STRING, '["null","string"]'),
        (
            s.STRING.evolve(name="a.B", version=3, doc="d"),
            '{"type":"string","connect.doc":"d","connect.version":3,"connect.name":"a.B"}',
        ),
        (decimal_schema(2), DECIMAL_AVRO),
        (timestamp_schema(), TIMESTAMP_AVRO),
        (s.array_schema(s.OPTIONAL_INT64), '{"type":"array","items":["null","long"]}'),
        (s.map_schema(s.STRING, s.INT32), '{"type":"map","values":"int"}'),
        (
            s.map_schema(s.INT32, s.STRING),
            '{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro",'
            '"fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}',
        ),
        (s.OPTIONAL_INT32.evolve(default=5), '[{"type":"int","connect.default":5},"null"]'),
        (
            s.struct_schema([("a", s.INT32.evolve(default=7)), ("b", s.OPTIONAL_INT32)], name="R"),
            '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"int","connect.default":7},"default":7},'
            '{"name":"b","type":["null","int"],"default":null}],"connect.name":"R"}',
        ),
        (
            s.struct_schema([("a", s.BYTES.evolve(default=b"\x00\xff"))]),
            '{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"a",'
            '"type":{"type":"bytes","connect.default":"\x00ÿ"},"default":"\x00ÿ"}]}'.replace(
                "\x00", "\\u0000"
            ),
        ),
    ],
)
def test_a_connect_schema_as_avro(schema, expected):
    assert text(schema) == expected


def test_a_schema_used_twice_is_printed_once():
    envelope = s.struct_schema([("before", VALUE), ("after", VALUE)], name="srv.public.t.Envelope")
    printed = json.loads(text(envelope))
    assert printed["namespace"] == "srv.public.t"
    assert printed["fields"][0]["type"][1]["name"] == "Value"
    assert "namespace" not in printed["fields"][0]["type"][1]
    assert printed["fields"][1]["type"] == ["null", "Value"]


def test_without_meta_data_only_the_logical_types_stay():
    assert (
        text(decimal_schema(2), meta_data=False)
        == '{"type":"bytes","scale":2,"precision":64,"logicalType":"decimal"}'
    )
    assert text(s.INT8, meta_data=False) == '"int"'


def test_names_are_scrubbed_when_asked():
    schema = s.struct_schema([("a-b", s.INT32), ("1st", s.INT32)], name="my-srv.Key")
    printed = json.loads(text(schema, scrub=True))
    assert (printed["namespace"], printed["name"]) == ("my_srv", "Key")
    assert [f["name"] for f in printed["fields"]] == ["a_b", "x1st"]


@pytest.mark.parametrize(
    ("avro", "expected"),
    [
        ("int", s.INT32),
        ({"type": "int", "connect.type": "int16"}, s.INT16),
        (["null", "string"], s.OPTIONAL_STRING),
        (["string", "null"], s.OPTIONAL_STRING),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 3},
            decimal_schema(3, precision=10),
        ),
        ({"type": "fixed", "name": "F", "size": 8}, s.BYTES),
        ({"type": "long", "logicalType": "timestamp-millis"}, timestamp_schema()),
        ({"type": "long", "logicalType": "timestamp-micros"}, s.INT64),
        (
            {
                "type": "record",
                "name": "a.R",
                "doc": "about",
                "fields": [{"name": "x", "type": "int", "default": 3, "doc": "the x"}],
            },
            Schema(
                SchemaType.STRUCT,
                name="a.R",
                parameters={
                    "io.confluent.connect.avro.record.doc": "about",
                    "io.confluent.connect.avro.field.doc.x": "the x",
                },
                fields=[
                    (
                        "x",
                        s.INT32.evolve(
                            default=3, parameters={"io.confluent.connect.avro.field.default": "true"}
                        ),
                    )
                ],
            ),
        ),
        (
            {"type": "enum", "name": "a.E", "symbols": ["X", "Y"]},
            Schema(
                SchemaType.STRING,
                name="a.E",
                parameters={
                    "io.confluent.connect.avro.Enum": "a.E",
                    "io.confluent.connect.avro.Enum.X": "X",
                    "io.confluent.connect.avro.Enum.Y": "Y",
                },
            ),
        ),
        (
            ["null", "int", "string"],
            Schema(
                SchemaType.STRUCT,
                name="io.confluent.connect.avro.Union",
                optional=True,
                fields=[("int", s.OPTIONAL_INT32), ("string", s.OPTIONAL_STRING)],
            ),
        ),
    ],
)
def test_an_avro_schema_as_connect(avro, expected):
    assert schema_of(avro) == expected


def test_a_recursive_schema_is_refused(scope):
    made = converter(scope)
    text = '{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"],"default":null}]}'
    made.client.register("t-value", SchemaText(AVRO, text))
    with pytest.raises(DataError, match="N contains itself"):
        made.to_connect_data("t", b"\x00\x00\x00\x00\x01\x00")
