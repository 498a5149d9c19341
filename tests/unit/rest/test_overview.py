"""The overview, its history, and the server's thread."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from types import MappingProxyType

import pytest
from fastapi.testclient import TestClient

from replicator.api.errors import ConfigError
from replicator.herder.views import TaskId, TaskProgress
from replicator.rest.app import create_app
from replicator.rest.overview import History, Overview, last_line
from replicator.rest.server import RestServer
from tests.unit.rest.fakes import FakeHerder

TRACE = 'Traceback\n  File "a.py"\nConnectError: the slot is gone\n  more\n'


def progress(records: int, lag: float | None = None) -> TaskProgress:
    facts = MappingProxyType(
        {"phase": "streaming", "lag_ms": lag, "tables": MappingProxyType({"t": {"rows": 1}})}
    )
    return TaskProgress(TaskId("x", 0), "RUNNING", {"records_out": records}, facts, {"g": 1.0})


@pytest.fixture
def herder() -> FakeHerder:
    made = FakeHerder()
    made.configs["x"] = {"name": "x", "connection.password": "secret-word"}
    made.live["x"] = [progress(5, 20.0)]
    return made


def test_sampling_needs_no_web_framework() -> None:
    script = (
        "import sys, replicator.rest.overview; print({'fastapi', 'starlette', 'uvicorn'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_document(herder: FakeHerder) -> None:
    overview = Overview(herder)
    overview.sample()
    herder.live["x"] = [progress(15, 30.0)]
    overview.sample()
    answer = TestClient(create_app(herder, overview=overview)).get("/replicator/overview")
    document = answer.json()
    assert "secret-word" not in answer.text
    (connector,) = document["connectors"]
    assert [t["id"] for t in connector["tasks"]] == [0, 1]
    assert connector["tasks"][0]["facts"]["tables"] == {"t": {"rows": 1}}
    assert connector["tasks"][1]["stats"] == {}
    assert connector["history"]["lag_ms"] == [20.0, 30.0]
    assert connector["history"]["rows_per_second"][1] > 0

    for query, kept in (("points=1", 1), ("points=0&whole=x", 2), ("points=0&whole=y", 0)):
        shorter = (
            TestClient(create_app(herder, overview=overview)).get(f"/replicator/overview?{query}").json()
        )
        assert len(shorter["connectors"][0]["history"]["t"]) == kept


def test_errors_are_kept_once_each(herder: FakeHerder) -> None:
    overview = Overview(herder)
    herder.traces["x"] = TRACE
    for _ in range(3):
        overview.sample()
    herder.traces.clear()
    overview.sample()
    herder.traces["x"] = TRACE
    overview.sample()
    errors = overview.document()["errors"]
    assert [e["message"] for e in errors] == ["ConnectError: the slot is gone"] * 2
    assert errors[0]["part"] == "task 0"


def test_deleted_connectors_are_forgotten(herder: FakeHerder) -> None:
    overview = Overview(herder)
    overview.sample()
    herder.configs.clear()
    overview.sample()
    assert overview.document()["connectors"] == []


def test_rates_survive_a_restarted_task() -> None:
    history = History()
    for now, records in ((1.0, 100), (2.0, 300), (3.0, 50)):
        history.sample([progress(records)], now)
    assert history.to_json()["rows_per_second"] == [0.0, 200.0, 50.0]
    assert history.to_json()["lag_ms"] == [None, None, None]


@pytest.mark.parametrize(
    ("trace", "line"), [(TRACE, "ConnectError: the slot is gone"), ("one", "one"), ("  in", "in")]
)
def test_last_line(trace: str, line: str) -> None:
    assert last_line(trace) == line


def test_server_answers_on_a_free_port_and_stops(herder: FakeHerder) -> None:
    server = RestServer(herder, port=0)
    server.start()
    try:
        assert server.port > 0
        server.wait_ready()
        with urllib.request.urlopen(f"{server.url}/connectors", timeout=30) as answer:
            assert json.load(answer) == ["x"]
    finally:
        server.stop()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_a_port_in_use_is_named(herder: FakeHerder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port} on 127.0.0.1 is in use"):
            RestServer(herder, port=port).start()
