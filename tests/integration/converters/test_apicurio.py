"""The converters against a registry of another make, Apicurio's."""

import subprocess
import time

import httpx
import pytest

from replicator.api import schema as s
from replicator.api.errors import DataError
from replicator.api.struct import Struct
from replicator.converters.avro import AvroConverter
from replicator.converters.jsonschema import JsonSchemaConverter
from replicator.converters.protobuf import ProtobufConverter
from scripts.devservers import ServerUnavailable, jars
from scripts.devservers.process import free_port
from tests.unit.converters.registry.rows import ENVELOPE, event

ARTIFACT = "io.apicurio:apicurio-registry-app:2.6.13.Final:tar.gz:all"
# The first one has to get it.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def url(request, tmp_path_factory):
    try:
        home, java = jars.archives("apicurio", [ARTIFACT]), jars.java()
    except ServerUnavailable as reason:
        if request.config.getoption("--require-services"):
            raise
        pytest.skip(f"no Apicurio: {reason}")
    port = free_port()
    log = tmp_path_factory.mktemp("apicurio") / "log"
    settings = ["-Xmx384m", "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"]
    with log.open("w") as output:
        runner = next(home.glob("*-runner.jar"))
        process = subprocess.Popen(
            [java, *settings, "-jar", str(runner)], cwd=home, stdout=output, stderr=subprocess.STDOUT
        )
    base = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    try:
        _wait(f"{base}/subjects", process)
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _wait(address, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail("Apicurio's registry did not start")


def converter(cls, url, **options):
    made = cls()
    if cls is ProtobufConverter:
        options["optional.for.nullables"] = "true"
    made.configure({"schema.registry.url": url, **options}, is_key=False)
    return made


@pytest.mark.parametrize("cls", [AvroConverter, JsonSchemaConverter, ProtobufConverter])
def test_events_come_back(url, cls):
    topic = cls.__name__
    data = converter(cls, url).from_connect_data(topic, ENVELOPE, event())
    back = converter(cls, url).to_connect_data(topic, data)
    assert back.value.plain() == event().plain()
    assert back.schema.version == 1
    for options in ({}, {"use.latest.version": "true"}):
        looking_up = converter(cls, url, **{"auto.register.schemas": "false"}, **options)
        assert looking_up.from_connect_data(topic, ENVELOPE, event()) == data
    with pytest.raises(DataError, match="error code: 40403"):
        converter(cls, url).to_connect_data(topic, b"\x00\x00\x00\xff\xff" + data[5:])


def test_an_incompatible_schema_is_refused(url):
    httpx.put(f"{url}/config", json={"compatibility": "BACKWARD"})
    first, second = (s.struct_schema([("a", kind)], name="R") for kind in (s.INT32, s.STRING))
    made = converter(AvroConverter, url)
    made.from_connect_data("changed", first, Struct(first, {"a": 1}))
    with pytest.raises(DataError, match=r"Error registering Avro schema.*error code: 409"):
        made.from_connect_data("changed", second, Struct(second, {"a": "x"}))
