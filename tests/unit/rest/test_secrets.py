"""Secrets are hidden, come back as unchanged, and foreign pages are refused."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from replicator.rest.app import create_app
from replicator.rest.guard import is_local
from tests.unit.rest.fakes import FakeHerder

STORED = {
    "name": "x",
    "connector.class": "C",
    "connection.password": "p-1",
    "odd.option": "p-2",
    "connection.url": "mysql://root:p-3@h/db?ssl=true",
    "jdbc": "jdbc:mysql://h/db?user=u&password=p-4&x=y",
    "from.env": "${env:PASSWORD}",
    "also.password": "${env:PASSWORD}",
    "placeholder.url": "mysql://root:${env:P}@h/db",
    "table": "tokens",
}
SHOWN = STORED | {
    "connection.password": "[hidden]",
    "odd.option": "[hidden]",
    "connection.url": "mysql://root:[hidden]@h/db?ssl=true",
    "jdbc": "jdbc:mysql://h/db?user=u&password=[hidden]&x=y",
}


@pytest.fixture
def herder() -> FakeHerder:
    made = FakeHerder()
    made.configs["x"] = dict(STORED)
    return made


@pytest.fixture
def client(herder: FakeHerder) -> TestClient:
    return TestClient(create_app(herder, allow_origin="http://friend"))


def test_every_answer_hides(client: TestClient) -> None:
    assert client.get("/connectors/x/config").json() == SHOWN
    answers = [
        client.get("/connectors/x"),
        client.get("/connectors?expand=info"),
        client.get("/connectors/x/tasks"),
        client.put("/connectors/x/config", json=STORED),
        client.patch("/connectors/x/config", json={"table": "t"}),
        client.post("/connectors", json={"name": "y", "config": STORED | {"name": "y"}}),
    ]
    assert [a.status_code for a in answers] == [200, 200, 200, 200, 200, 201]
    for answer in answers:
        assert not [secret for secret in ("p-1", "p-2", "p-3", "p-4") if secret in answer.text]


def test_what_was_hidden_stays_as_it_was(client: TestClient, herder: FakeHerder) -> None:
    client.put("/connectors/x/config", json=SHOWN | {"table": "other"})
    assert herder.configs["x"] == STORED | {"table": "other"}
    client.patch("/connectors/x/config", json={"connection.password": "[hidden]", "odd.option": "new"})
    assert herder.configs["x"] == STORED | {"table": "other", "odd.option": "new"}


def test_hidden_without_a_stored_value_is_refused(client: TestClient, herder: FakeHerder) -> None:
    answer = client.put("/connectors/new/config", json={"connection.password": "[hidden]"})
    assert answer.status_code == 400
    assert "connection.password" in answer.json()["message"]
    assert "new" not in herder.configs


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 202), ("http://testserver", 202), ("http://friend", 202), ("http://evil", 403), ("null", 403)],
)
def test_writes_from_other_pages(
    client: TestClient, herder: FakeHerder, origin: str | None, status: int
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert client.put("/connectors/x/pause", headers=headers).status_code == status
    assert bool(herder.calls) is (status == 202)
    assert client.get("/connectors", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:8083", True),
        ("127.0.0.1:8083", True),
        ("[::1]:8083", True),
        ("box.localhost", True),
        ("", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example:80", False),
    ],
)
def test_names_on_a_loopback_listener(herder: FakeHerder, host: str, expected: bool) -> None:
    assert is_local(host) is expected
    client = TestClient(create_app(herder, local_only=True))
    status = client.get("/connectors", headers={"Host": host}).status_code
    assert status == (200 if expected else 403)


def test_validation_knows_what_was_hidden(client: TestClient) -> None:
    asked = {"connector.class": "C", "name": "x", "connection.password": "[hidden]"}
    seen = client.put("/connector-plugins/C/config/validate", json=asked).json()["seen"]
    assert seen["connection.password"] == "p-1"
    unknown = asked | {"name": "other"}
    seen = client.put("/connector-plugins/C/config/validate", json=unknown).json()["seen"]
    assert seen["connection.password"] == "[hidden]"
