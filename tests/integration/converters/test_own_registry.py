"""The worker's own registry: over REST with another client, from converters, and after a restart."""

import logging

import httpx
import pytest

from replicator.converters.avro import AvroConverter
from replicator.converters.jsonschema import JsonSchemaConverter
from replicator.converters.protobuf import ProtobufConverter
from replicator.service import Service
from tests.unit.converters.registry.rows import ENVELOPE, event

confluent = pytest.importorskip(
    "confluent_kafka.schema_registry", reason="needs confluent-kafka[schemaregistry]"
)

AVRO = (
    '{"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"s","type":["null","string"]}]}'
)
JSON = '{"type":"object","title":"R","properties":{"x":{"type":"integer"},"s":{"type":"string"}}}'
CONVERTERS = (AvroConverter, JsonSchemaConverter, ProtobufConverter)


@pytest.fixture
def worker(tmp_path):
    services = []

    def start():
        for service in services:
            service.stop()
        services.clear()
        service = Service({"data.dir": str(tmp_path / "data"), "listeners": "http://127.0.0.1:0"})
        service.start()
        services.append(service)
        return service

    yield start
    for service in services:
        service.stop()


def url_of(service):
    server = next(
        c.__self__ for c in service._closers if type(getattr(c, "__self__", None)).__name__ == "RestServer"
    )
    server.wait_ready()
    return server.url


def converter(cls, url, **options):
    made = cls()
    made.configure({"schema.registry.url": url, **options}, is_key=False)
    return made


@pytest.mark.parametrize("cls", CONVERTERS)
def test_converters_use_it_within_the_process_and_over_rest(worker, cls):
    url = url_of(worker())
    options = {"optional.for.nullables": "true"} if cls is ProtobufConverter else {}
    data = converter(cls, "embedded://", **options).from_connect_data("t", ENVELOPE, event())
    back = converter(cls, f"http://127.0.0.1:1,{url}", **options).to_connect_data("t", data)
    assert back.value.plain() == event().plain()
    again = url_of(worker())
    assert httpx.get(f"{again}/subjects").json() == ["t-value"]
    restarted = converter(cls, "embedded://", **options)
    assert restarted.to_connect_data("t", data).value.plain() == event().plain()
    assert restarted.from_connect_data("t", ENVELOPE, event()) == data


def test_another_client_manages_it(worker):
    client = confluent.SchemaRegistryClient({"url": url_of(worker())})
    schema = confluent.Schema(AVRO, "AVRO")
    number = client.register_schema("a-value", schema)
    assert client.get_schema(number).schema_str == AVRO
    assert client.get_latest_version("a-value").version == 1
    assert client.lookup_schema("a-value", schema).schema_id == number
    assert client.set_compatibility("a-value", "FULL") == {"compatibility": "FULL"}
    assert client.get_compatibility("a-value") == "FULL"
    wrong = confluent.Schema(AVRO.replace('"int"', '"string"'), "AVRO")
    assert not client.test_compatibility("a-value", wrong)
    with pytest.raises(confluent.SchemaRegistryError) as caught:
        client.register_schema("a-value", wrong)
    assert (caught.value.http_status_code, caught.value.error_code) == (409, 409)
    assert client.delete_subject("a-value") == [1]
    assert client.delete_subject("a-value", permanent=True) == [1]
    assert client.get_subjects() == []


def test_another_client_reads_what_the_converters_write_and_the_other_way_round(worker):
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
    from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    url = url_of(worker())
    client = confluent.SchemaRegistryClient({"url": url})
    avro, as_json = converter(AvroConverter, url), converter(JsonSchemaConverter, url)
    row = {"x": 5, "s": "é"}
    context = SerializationContext("a", MessageField.VALUE)
    theirs = AvroSerializer(client, AVRO)(row, context)
    found = avro.to_connect_data("a", theirs)
    assert found.value.plain() == row
    context = SerializationContext("b", MessageField.VALUE)
    assert AvroDeserializer(client)(avro.from_connect_data("b", found.schema, found.value), context) == row
    event_read = AvroDeserializer(client)(avro.from_connect_data("c", ENVELOPE, event()), context)
    assert event_read["after"]["name"] == event().fields["after"]["name"]
    assert event_read["after"]["price"] == event().fields["after"]["price"]

    context = SerializationContext("j", MessageField.VALUE)
    found = as_json.to_connect_data("j", JSONSerializer(JSON, client)(row, context))
    assert found.value.plain() == row
    data = as_json.from_connect_data("k", found.schema, found.value)
    assert JSONDeserializer(None, schema_registry_client=client)(data, context) == row


def test_another_client_reads_protobuf(worker):
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext
    from google.protobuf import message_factory, wrappers_pb2

    from replicator.converters.registry.proto_text import parse

    url = url_of(worker())
    client = confluent.SchemaRegistryClient({"url": url})
    made = converter(ProtobufConverter, url)
    context = SerializationContext("p", MessageField.VALUE)
    # A message of a file that its author compiled; the client registers the descriptor.
    theirs = ProtobufSerializer(wrappers_pb2.StringValue, client)(
        wrappers_pb2.StringValue(value="x"), context
    )
    assert made.to_connect_data("p", theirs).value.plain() == {"value": "x"}
    ours = made.from_connect_data("q", ENVELOPE, event())
    text = client.get_latest_version("q-value").schema.schema_str
    envelope = parse(text, {}).descriptor().message_types_by_name["Envelope"]
    message = ProtobufDeserializer(message_factory.GetMessageClass(envelope), {}, client)(ours, context)
    assert message.after.name == event().fields["after"]["name"]
    assert dict(message.by_number) == {1: "x", -70000: "y"}


def test_requests_of_web_pages_are_refused(worker):
    url = url_of(worker())
    answer = httpx.post(
        f"{url}/subjects/a/versions", content='{"schema":"\\"int\\""}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert (
        httpx.post(
            f"{url}/subjects/a/versions", content="{", headers={"Content-Type": "application/json"}
        ).status_code
        == 422
    )
    assert httpx.get(f"{url}/subjects").json() == []


def test_nothing_is_written_before_somebody_asks(worker, caplog):
    caplog.set_level(logging.ERROR)
    service = worker()
    assert "_schemas" not in service.broker.admin().topics()
    httpx.get(f"{url_of(service)}/subjects")
    assert service.broker.admin().topics()["_schemas"].config["cleanup.policy"] == "compact"
    assert not caplog.records
