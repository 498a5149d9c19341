"""Topics and their records over an embedded log in memory; what is hidden; the page's files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from replicator.api.schema import INT64, STRING, struct_schema
from replicator.api.struct import Struct
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message, NewMessage
from replicator.converters.avro import AvroConverter
from replicator.converters.jsonschema import JsonSchemaConverter
from replicator.converters.protobuf import ProtobufConverter
from replicator.rest.accounts import AccountSource
from replicator.rest.app import create_app
from replicator.rest.browse_decoding import Decoder
from tests.unit.rest.fakes import FakeHerder

BIG = b'{"id": 12345678901234567890, "x": 1.10}'


@pytest.fixture
def client() -> Iterator[TestClient]:
    broker = EmbeddedBroker(":memory:")
    broker.admin().create_topics([NewTopic("t", 2), NewTopic("odd/name", 1), NewTopic("connect-configs", 1)])
    producer = broker.producer("test")
    producer.append(
        [NewMessage("t", b"k%d" % n, b'{"n":%d}' % n, n % 2, 1000 + n) for n in range(20)]
        + [NewMessage("odd/name", None, BIG, 0, 5, [("h", b"\x00\x01"), ("none", None)])]
        + [NewMessage("connect-configs", b"connector-x", b'{"properties":{"password":"hush"}}', 0)]
    )
    app = create_app(FakeHerder(), broker=broker, private_topics=["connect-configs"])
    yield TestClient(app, raise_server_exceptions=False)
    producer.close()
    broker.close()


def read(client: TestClient, query: str, topic: str = "t") -> dict[str, Any]:
    answer = client.get(f"/replicator/topics/{topic}/records?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def places(found: dict[str, Any]) -> list[tuple[int, int]]:
    return [(r["partition"], r["offset"]) for r in found["records"]]


def test_topics_have_counts(client: TestClient) -> None:
    shown = {t["name"]: t for t in client.get("/replicator/topics").json()}
    assert (shown["t"]["partitions"], shown["t"]["records"], shown["t"]["internal"]) == (2, 20, False)
    assert shown["connect-configs"]["private"]
    one = client.get("/replicator/topics/odd%2Fname").json()
    assert one["bounds"] == [{"partition": 0, "begin": 0, "end": 1, "records": 1}]
    assert client.get("/replicator/topics/none").status_code == 404


def test_the_newest_and_back_from_there(client: TestClient) -> None:
    newest = read(client, "limit=4")
    assert places(newest) == [(0, 8), (1, 8), (0, 9), (1, 9)]
    before = ",".join(f"{p}:{o}" for p, o in newest["first"].items())
    assert places(read(client, f"limit=4&before={before}")) == [(0, 6), (1, 6), (0, 7), (1, 7)]
    assert places(read(client, "limit=3&partition=1&before=5")) == [(1, 2), (1, 3), (1, 4)]


def test_forwards(client: TestClient) -> None:
    found = read(client, "partition=0&from=3&limit=2")
    assert places(found) == [(0, 3), (0, 4)]
    assert found["next"] == {"0": 5}
    assert found["end"] == {"0": 10}
    assert found["complete"]
    assert len(read(client, "from=earliest&limit=500")["records"]) == 20
    assert read(client, "from=latest")["records"] == []
    assert places(read(client, "from=0:9,1:9")) == [(0, 9), (1, 9)]
    assert places(read(client, "partition=1&from=900")) == []


def test_search(client: TestClient) -> None:
    assert places(read(client, "contains=N%22:7")) == [(1, 3)]
    assert places(read(client, "contains=k1&from=earliest&limit=3")) == [(1, 0), (0, 5), (1, 5)]
    assert read(client, "contains=nowhere")["searched"] == 20


def test_where_to_go_on_when_the_time_was_over(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replicator.rest.browse_reading._BATCH", 3)
    clock = itertools.count()
    monkeypatch.setattr("replicator.rest.browse_reading.time", SimpleNamespace(monotonic=lambda: next(clock)))
    found = read(client, "partition=0&contains=n&timeout_ms=1500")
    assert not found["complete"]
    assert found["next"] == {"0": 3}
    assert places(found) == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize(
    "query", ["from=x", "from=1:x", "before=-1", "limit=0", "format=xml", "from=1&before=2"]
)
def test_what_makes_no_sense(client: TestClient, query: str) -> None:
    assert client.get(f"/replicator/topics/t/records?{query}").status_code == 400


def test_numbers_keep_their_digits(client: TestClient) -> None:
    (record,) = read(client, "", "odd%2Fname")["records"]
    assert record["key"] == {"type": "null", "text": None, "bytes": 0}
    assert record["value"] == {"type": "json", "text": BIG.decode(), "bytes": len(BIG)}
    assert record["headers"][0] == {"key": "h", "type": "hex", "text": "0001", "bytes": 2}


def test_secrets_are_not_shown(client: TestClient) -> None:
    for path in ("topics/connect-configs/records", "dlq/connect-configs"):
        answer = client.get(f"/replicator/{path}")
        assert answer.status_code == 403
        assert "hush" not in answer.text


@pytest.mark.parametrize(
    ("key", "value", "hidden"),
    [
        (b"connector-x", b'{"properties":{"a":"b"}}', True),
        (b"session-key", b'{"key":"QUJD","algorithm":"HmacSHA256"}', True),
        (b"task-1", b'{"title":"tidy up"}', False),
        (None, b'{"properties":{}}', False),
    ],
)
def test_stored_configurations_are_hidden_anywhere(key: bytes | None, value: bytes, hidden: bool) -> None:
    shown = Decoder("hex", 100).record(Message("t", 0, 0, 0, key, value, None))
    assert (shown["value"]["text"] == "[hidden]") is hidden


@pytest.mark.parametrize(
    ("form", "data", "kind", "text"),
    [
        ("auto", b"12", "json", "12"),
        ("auto", b"caf\xc3\xa9\n", "text", "café\n"),
        ("auto", b"\x00\x00\x00\x00\x07abc", "hex", "0000000007616263"),
        ("auto", b"\xff\xfe", "hex", "fffe"),
        ("text", b"\xffa", "text", "\ufffda"),
        ("hex", b"{}", "hex", "7b7d"),
        ("json", b"no", "text", "no"),
    ],
)
def test_forms(form: str, data: bytes, kind: str, text: str) -> None:
    shown = Decoder(form, 1000).shown(data)
    assert (shown["type"], shown["text"], shown["bytes"]) == (kind, text, len(data))
    assert shown.get("schema_id") == (7 if data[:1] == b"\0" else None)


@pytest.mark.parametrize("data", [b'"' + b"x" * 300 + b'"', b"\xff" * 300, b"text " * 60])
def test_long_values_are_cut(data: bytes) -> None:
    shown = Decoder("auto", 100).shown(data)
    assert shown["cut"]
    assert len(shown["text"]) in (100, 200)
    assert shown["bytes"] == len(data)


def test_the_page_needs_no_account_but_data_does() -> None:
    accounts = AccountSource.of_worker(
        {
            "rest.auth.users.rita.password": "r",
            "rest.auth.tokens.ci.token": "t",
            "rest.auth.tokens.ci.role": "operate",
        }
    )
    client = TestClient(create_app(FakeHerder(), accounts=accounts))
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "<script" in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    script = client.get("/ui/app.js")
    assert script.headers["content-type"].startswith("text/javascript")
    again = client.get("/ui/app.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status_code == 304
    assert not again.content
    assert client.head("/ui/style.css").content == b""
    for path in (
        "/",
        "/replicator/session",
        "/replicator/overview",
        "/ui/../connectors",
        "/ui/none.js",
        "/ui",
    ):
        assert client.get(path).status_code == 401, path
    assert client.get("/replicator/session", auth=("rita", "r")).json() == {
        "authentication": True,
        "role": "read",
    }
    token = client.get("/replicator/session", headers={"Authorization": "Bearer t"})
    assert token.json()["role"] == "operate"
    open_to_all = TestClient(create_app(FakeHerder())).get("/replicator/session")
    assert open_to_all.json() == {"authentication": False, "role": "admin"}


def test_records_of_a_registry_are_read() -> None:
    options = {"schema.registry.url": "mock://browse"}
    schema = struct_schema([("id", INT64), ("name", STRING)])
    broker = EmbeddedBroker(":memory:")
    broker.admin().create_topics([NewTopic("t", 1)])
    producer = broker.producer("test")
    for kind in (AvroConverter, ProtobufConverter, JsonSchemaConverter):
        converter = kind()
        converter.configure(options, is_key=False)
        value = Struct(schema, {"id": 2**60, "name": "x"})
        producer.append([NewMessage("t", None, converter.from_connect_data(f"t{kind}", schema, value), 0)])
    producer.append([NewMessage("t", None, b"\0\0\0\0\x63no", 0)])
    client = TestClient(create_app(FakeHerder(), broker=broker, registry=options))
    *read_ones, unknown = [r["value"] for r in read(client, "")["records"]]
    assert [r["format"] for r in read_ones] == ["Avro", "Protobuf", "JsonSchema"]
    assert [r["text"] for r in read_ones] == [f'{{"id":{2**60},"name":"x"}}'] * 3
    assert (unknown["type"], unknown["schema_id"]) == ("hex", 99)
    assert {r["value"]["type"] for r in read(client, "format=hex")["records"]} == {"hex"}
    producer.close()
    broker.close()
