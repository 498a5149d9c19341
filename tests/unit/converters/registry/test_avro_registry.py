"""AvroConverter and the registry: ids, versions, subjects, references, and what is refused."""

import pytest

from replicator.api import schema as s
from replicator.api.errors import ConfigError, DataError
from replicator.api.struct import Struct
from replicator.converters.avro import AvroConverter
from replicator.converters.registry.model import AVRO, SchemaText
from tests.unit.converters.registry.avro_samples import R1, R2, R3, converter, schema_of
from tests.unit.converters.registry.rows import ENVELOPE, VALUE, event, row


def test_the_version_of_the_registry_is_used_where_the_schema_says_none():
    assert schema_of({"type": "record", "name": "R", "fields": []}, 4).version == 4
    assert schema_of({"type": "record", "name": "R", "fields": [], "connect.version": 2}, 4).version == 2


@pytest.mark.parametrize("data", [b"", b"\x01\x00\x00\x00\x01", b"\x00\x00\x00", b"plain text"])
def test_bytes_without_a_schema_id_are_refused(scope, data):
    with pytest.raises(DataError, match="Failed to deserialize data for topic t to Avro: "):
        converter(scope).to_connect_data("t", data)


def test_an_unknown_id_is_named(scope):
    with pytest.raises(
        DataError, match="Error retrieving Avro schema for id 77: Schema 77 not found; error code: 40403"
    ):
        converter(scope).to_connect_data("t", b"\x00\x00\x00\x00\x4d\x00")


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
