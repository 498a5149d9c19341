"""AvroConverter: schemas and values in both directions, the registry's options, what is refused."""

import json
from decimal import Decimal

import pytest

from replicator.api import schema as s
from replicator.api.errors import ConfigError, DataError
from replicator.api.logical import decimal_schema, timestamp_schema
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.avro import AvroConverter
from replicator.converters.registry.avro_from_connect import ToAvro
from replicator.converters.registry.avro_names import AvroOptions
from replicator.converters.registry.avro_parse import parse
from replicator.converters.registry.avro_print import to_text
from replicator.converters.registry.avro_to_connect import FromAvro
from replicator.converters.registry.model import AVRO, SchemaText
from tests.unit.converters.registry.rows import ENVELOPE, VALUE, event, row


def converter(scope, *, is_key=False, **options):
    made = AvroConverter()
    made.configure({"schema.registry.url": scope, **options}, is_key=is_key)
    return made


def text(schema, **options):
    return to_text(ToAvro(AvroOptions(**options)).node(schema))


def schema_of(avro, version=None, **options):
    return FromAvro(AvroOptions(**options)).schema(parse(json.dumps(avro)), version)


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


def test_the_version_of_the_registry_is_used_where_the_schema_says_none():
    assert schema_of({"type": "record", "name": "R", "fields": []}, 4).version == 4
    assert schema_of({"type": "record", "name": "R", "fields": [], "connect.version": 2}, 4).version == 2


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


@pytest.mark.parametrize("data", [b"", b"\x01\x00\x00\x00\x01", b"\x00\x00\x00", b"plain text"])
def test_bytes_without_a_schema_id_are_refused(scope, data):
    with pytest.raises(DataError, match="Failed to deserialize data for topic t to Avro: "):
        converter(scope).to_connect_data("t", data)


def test_an_unknown_id_is_named(scope):
    with pytest.raises(
        DataError, match="Error retrieving Avro schema for id 77: Schema 77 not found; error code: 40403"
    ):
        converter(scope).to_connect_data("t", b"\x00\x00\x00\x00\x4d\x00")


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


R1 = s.struct_schema([("a", s.INT32)], name="R")
R2 = s.struct_schema([("a", s.INT32), ("b", s.STRING)], name="R")
R3 = s.struct_schema([("a", s.INT32), ("b", s.OPTIONAL_STRING)], name="R")


def test_an_incompatible_schema_is_refused_with_the_reason(scope):
    made = converter(scope)
    made.from_connect_data("t", R1, Struct(R1, {"a": 1}))
    with pytest.raises(DataError) as caught:
        made.from_connect_data("t", R2, Struct(R2, {"a": 1, "b": "x"}))
    message = str(caught.value)
    assert 'Schema being registered is incompatible with an earlier schema for subject "t-value"' in message
    assert "The field 'b' at path '/fields/1' in the new schema has no default value" in message
    assert message.endswith("error code: 409")
    made.from_connect_data("t", R3, Struct(R3, {"a": 1}))


def test_without_registering_an_unknown_schema_is_refused(scope):
    strict = converter(scope, **{"auto.register.schemas": "false"})
    with pytest.raises(
        DataError, match=r"Error retrieving Avro schema.*Subject 't-value' not found.; error code: 40401"
    ):
        strict.from_connect_data("t", R1, Struct(R1, {"a": 1}))
    converter(scope).from_connect_data("t", R1, Struct(R1, {"a": 1}))
    assert strict.from_connect_data("t", R1, Struct(R1, {"a": 1})) == b"\x00\x00\x00\x00\x01\x02"


def test_the_newest_version_is_written_with_when_asked(scope):
    converter(scope).from_connect_data("t", R1, Struct(R1, {"a": 1}))
    converter(scope).from_connect_data("t", R3, Struct(R3, {"a": 1}))
    newest = {"auto.register.schemas": "false", "use.latest.version": "true"}
    made = converter(scope, **newest)
    assert made.from_connect_data("t", R1, Struct(R1, {"a": 1})) == b"\x00\x00\x00\x00\x02\x02\x00"
    with pytest.raises(DataError, match=r"Set latest.compatibility.strict=false to disable this check"):
        made.from_connect_data("t", VALUE, Struct(VALUE, row()))


@pytest.mark.parametrize(
    ("strategy", "subject"),
    [
        ("io.confluent.kafka.serializers.subject.TopicNameStrategy", "t-value"),
        ("io.confluent.kafka.serializers.subject.RecordNameStrategy", "srv.public.t.Envelope"),
        ("TopicRecordNameStrategy", "t-srv.public.t.Envelope"),
    ],
)
def test_subjects_follow_the_strategy(scope, strategy, subject):
    made = converter(scope, **{"value.subject.name.strategy": strategy})
    data = made.from_connect_data("t", ENVELOPE, event())
    assert made.client.latest(subject).id == 1
    assert made.to_connect_data("t", data).schema.version == 1


def test_record_names_need_records(scope):
    made = converter(scope, is_key=True, **{"key.subject.name.strategy": "RecordNameStrategy"})
    with pytest.raises(DataError, match="the message key must only be a record schema"):
        made.from_connect_data("t", s.INT32, 5)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({}, "schema.registry.url"),
        ({"schema.registry.url": "ftp://x"}, "schema.registry.url"),
        (
            {"schema.registry.url": "mock://x", "value.subject.name.strategy": "Nope"},
            "value.subject.name.strategy",
        ),
        (
            {"schema.registry.url": "http://x", "basic.auth.credentials.source": "USER_INFO"},
            "basic.auth.user.info",
        ),
        (
            {"schema.registry.url": "http://x", "basic.auth.credentials.source": "SASL_INHERIT"},
            "sasl.jaas.config",
        ),
        (
            {"schema.registry.url": "http://x", "bearer.auth.credentials.source": "STATIC_TOKEN"},
            "bearer.auth.token",
        ),
        (
            {
                "schema.registry.url": "https://x",
                "schema.registry.ssl.truststore.location": "/no/such.jks",
                "ssl.truststore.type": "JKS",
            },
            "ssl.truststore.location",
        ),
        (
            {"schema.registry.url": "https://x", "schema.registry.ssl.truststore.location": "/no/such.pem"},
            "ssl.truststore.location",
        ),
    ],
)
def test_wrong_options_are_named(options, option):
    with pytest.raises(ConfigError) as caught:
        AvroConverter().configure(options, is_key=False)
    assert caught.value.option == option


def test_references_are_found(scope):
    made = converter(scope)
    used = SchemaText(AVRO, '{"type":"record","name":"n.U","fields":[{"name":"x","type":"int"}]}')
    made.client.register("used", used)
    from replicator.converters.registry.model import Reference

    whole = SchemaText(
        AVRO,
        '{"type":"record","name":"R","fields":[{"name":"u","type":"n.U"}]}',
        (Reference("n.U", "used", 1),),
    )
    number = made.client.register("t-value", whole)
    back = made.to_connect_data("t", b"\x00" + number.to_bytes(4, "big") + b"\x0a")
    assert back.value.plain() == {"u": {"x": 5}}


def test_a_recursive_schema_is_refused(scope):
    made = converter(scope)
    text = '{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"],"default":null}]}'
    made.client.register("t-value", SchemaText(AVRO, text))
    with pytest.raises(DataError, match="N contains itself"):
        made.to_connect_data("t", b"\x00\x00\x00\x00\x01\x00")
