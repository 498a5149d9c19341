"""The HTTP API over a fake herder: paths, bodies, statuses, error texts."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from replicator.api.errors import BadRequestError, ConfigError, ConnectError, IllegalStateError
from replicator.herder.views import Health
from replicator.rest.app import create_app
from replicator.rest.levels import LoggerLevels
from replicator.rest.page import prefers_html
from replicator.rest.routing import ConnectRoute
from tests.unit.rest.fakes import FakeHerder


@pytest.fixture
def herder() -> FakeHerder:
    made = FakeHerder()
    made.configs["x"] = {"name": "x", "connector.class": "C"}
    return made


@pytest.fixture
def client(herder: FakeHerder) -> TestClient:
    return TestClient(create_app(herder, levels=LoggerLevels()), raise_server_exceptions=False)


def test_root_is_json_for_programs_and_a_page_for_browsers(client: TestClient) -> None:
    answer = client.get("/")
    assert set(answer.json()) == {"version", "commit", "kafka_cluster_id"}
    assert answer.json()["kafka_cluster_id"] == "cluster-1"
    page = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "connect-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html, application/json;q=0.9", True),
        ("text/html;q=bad", False),
        ("", False),
    ],
)
def test_preference(accept: str, expected: bool) -> None:
    assert prefers_html(accept) is expected


@pytest.mark.parametrize(("state", "status"), [("healthy", 200), ("starting", 503), ("unhealthy", 500)])
def test_health(client: TestClient, herder: FakeHerder, state: str, status: int) -> None:
    herder.found_health = Health(state, "text")
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (status, {"status": state, "message": "text"})


def test_lists(client: TestClient) -> None:
    assert client.get("/connectors").json() == ["x"]
    assert client.get("/connectors/").json() == ["x"]
    shown = client.get("/connectors?expand=status&expand=info&expand=other").json()
    assert set(shown["x"]) == {"status", "info"}
    assert [t["id"] for t in shown["x"]["status"]["tasks"]] == [0, 1]
    assert client.get("/connectors?expand=other").json() == {"x": {}}


def test_create(client: TestClient, herder: FakeHerder) -> None:
    body = {"name": " a b/c ", "config": {"connector.class": "C", "tasks.max": 2, "flag": True, "n": None}}
    answer = client.post("/connectors", json=body | {"initial_state": "paused"})
    assert answer.status_code == 201
    assert answer.headers["location"] == "http://testserver/connectors/a%20b%2Fc"
    assert herder.calls == [("put", "a b/c", "PAUSED")]
    assert herder.configs["a b/c"] == {
        "connector.class": "C",
        "tasks.max": "2",
        "flag": "true",
        "n": None,
        "name": "a b/c",
    }
    assert client.get("/connectors/a%20b%2Fc/config").json()["name"] == "a b/c"
    again = client.post("/connectors", json=body)
    assert again.status_code == 409
    assert again.json() == {"error_code": 409, "message": "Connector a b/c already exists"}


BAD_BODIES: list[tuple[str, str, bytes, int, str]] = [
    ("POST", "/connectors", b"{", 500, "Unexpected end-of-input: expected close marker for Object"),
    ("POST", "/connectors", b"[]", 500, "Cannot deserialize value"),
    ("POST", "/connectors", b"", 400, "needs a JSON object"),
    ("POST", "/connectors", b"null", 400, "needs a JSON object"),
    ("POST", "/connectors", b"{}", 400, "needs a config"),
    ("POST", "/connectors", b'{"name":"a","config":{"a":"b"},"more":1}', 500, 'Unrecognized field "more"'),
    ("POST", "/connectors", b'{"name":"a","config":{"a":[]}}', 500, "Cannot deserialize value of type"),
    (
        "POST",
        "/connectors",
        b'{"name":"a","config":"text"}',
        500,
        "Cannot construct instance of `java.util.LinkedHashMap`",
    ),
    (
        "POST",
        "/connectors",
        b'{"name":"a","config":{"a":"b"},"initial_state":"ON"}',
        500,
        "Cannot construct instance",
    ),
    (
        "POST",
        "/connectors",
        b'{"name":"a","config":{"name":"b"}}',
        400,
        "Connector name configuration (b) doesn't match connector name in the URL (a)",
    ),
    ("PUT", "/connectors/x/config", b'{"name":"y"}', 400, "Connector name configuration (y) doesn't match"),
    ("PATCH", "/connectors/x/offsets", b"{}", 400, "Partitions / offsets need to be provided"),
    ("PATCH", "/connectors/x/offsets", b'{"offsets":[]}', 400, "Partitions / offsets need to be provided"),
    ("PATCH", "/connectors/x/offsets", b'{"offsets":[1]}', 500, "Cannot construct instance"),
    (
        "PUT",
        "/connector-plugins/Other/config/validate",
        b'{"connector.class":"x.FooConnector"}',
        400,
        "Included",
    ),
    ("PUT", "/admin/loggers/a", b"{}", 400, "Desired 'level' parameter was not specified in request."),
    ("PUT", "/admin/loggers/a", b'{"level":"LOUD"}', 404, "invalid log level 'LOUD'."),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "message"), BAD_BODIES)
def test_bad_bodies(
    client: TestClient, method: str, path: str, body: bytes, status: int, message: str
) -> None:
    answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error_code"]) == (status, status)
    assert message in answer.json()["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_bodies(client: TestClient, herder: FakeHerder, kind: str) -> None:
    body = b'{"name":"a","config":{"connector.class":"C"}}'
    answer = client.post("/connectors", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "a" not in herder.configs


def test_bodies_are_utf8(client: TestClient, herder: FakeHerder) -> None:
    for letter, problem in ((b"\xfc", "start byte 0xfc"), (b"\xc3x", "middle byte 0x78")):
        body = b'{"connector.class":"C","topic":"' + letter + b'"}'
        answer = client.put(
            "/connectors/new/config", content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["message"]) == (500, f"Invalid UTF-8 {problem}")
    assert "new" not in herder.configs


def test_configs(client: TestClient, herder: FakeHerder) -> None:
    assert client.get("/connectors/x").json() == {
        "name": "x",
        "config": {"name": "x", "connector.class": "C"},
        "tasks": [{"connector": "x", "task": 0}],
        "type": "source",
    }
    assert client.put("/connectors/x/config", json={"a": 1.50}).status_code == 200
    assert client.get("/connectors/x/config").json() == {"a": "1.5", "name": "x"}
    created = client.put("/connectors/new/config", json={"a": "1"})
    assert (created.status_code, created.headers["location"]) == (201, "http://testserver/connectors/new")
    assert client.patch("/connectors/x/config", json={"a": None, "b": "2"}).json()["config"] == {
        "b": "2",
        "name": "x",
    }
    assert client.delete("/connectors/x").status_code == 204
    gone = client.get("/connectors/x")
    assert (gone.status_code, gone.json()["message"]) == (404, "Connector x not found")


CALLS: list[tuple[str, str, int, Any]] = [
    ("PUT", "/connectors/x/pause", 202, ("pause", "x")),
    ("PUT", "/connectors/x/resume", 202, ("resume", "x")),
    ("PUT", "/connectors/x/stop", 204, ("stop", "x")),
    ("POST", "/connectors/x/restart", 204, ("restart", "x", False, False)),
    ("POST", "/connectors/x/restart?includeTasks=true", 202, ("restart", "x", True, False)),
    ("POST", "/connectors/x/restart?onlyFailed=true", 202, ("restart", "x", False, True)),
    ("POST", "/connectors/x/tasks/1/restart", 204, ("restart task", "x", 1)),
    ("PUT", "/connectors/x/topics/reset", 202, ("reset topics", "x")),
]


@pytest.mark.parametrize(("method", "path", "status", "call"), CALLS)
def test_verbs(
    client: TestClient, herder: FakeHerder, method: str, path: str, status: int, call: Any
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert herder.calls == [call]
    assert bool(answer.content) is (status == 202 and "restart" in path)


def test_tasks_and_topics(client: TestClient) -> None:
    assert client.get("/connectors/x/tasks").json() == [
        {"id": {"connector": "x", "task": 0}, "config": {"task.class": "x"}}
    ]
    assert client.get("/connectors/x/tasks/0/status").json()["state"] == "RUNNING"
    assert client.get("/connectors/x/tasks/7/status").json()["message"] == "No status found for task x-7"
    assert client.get("/connectors/x/tasks/one/status").status_code == 404
    assert client.get("/connectors/x/topics").json() == {"x": {"topics": ["a", "b"]}}
    assert client.get("/connectors/absent/topics").json() == {"absent": {"topics": []}}


def test_offsets(client: TestClient, herder: FakeHerder) -> None:
    offsets = client.get("/connectors/x/offsets").json()
    assert offsets == {"offsets": [{"partition": {"server": "p"}, "offset": {"lsn": 2**60}}]}
    assert client.patch("/connectors/x/offsets", json=offsets).json() == {"message": "altered"}
    assert herder.calls == [("alter", "x", offsets["offsets"])]
    assert client.delete("/connectors/x/offsets").json() == {"message": "reset"}


def test_plugins(client: TestClient) -> None:
    assert client.get("/connector-plugins").json() == [
        {"class": "a.Source", "type": "source", "version": "1.0"}
    ]
    every = client.get("/connector-plugins?connectorsOnly=false").json()
    assert every[1] == {"class": "a.Json", "type": "converter"}
    assert client.get("/connector-plugins/P/config").json() == {
        "error_code": 404,
        "message": "Unknown plugin P.",
    }
    body = {"connector.class": "org.x.FooConnector", "tasks.max": 1}
    for name in ("Foo", "FooConnector", "org.x.FooConnector"):
        answer = client.put(f"/connector-plugins/{name}/config/validate", json=body)
        assert answer.json()["seen"] == {"connector.class": "org.x.FooConnector", "tasks.max": "1"}


ERRORS: list[tuple[Exception, int]] = [
    (BadRequestError("bad"), 400),
    (ConfigError("bad"), 400),
    (IllegalStateError("bad"), 409),
    (ConnectError("bad"), 500),
    (RuntimeError("bad"), 500),
]


@pytest.mark.parametrize(("error", "status"), ERRORS)
def test_errors(client: TestClient, herder: FakeHerder, error: Exception, status: int) -> None:
    herder.fail = error
    answer = client.get("/connectors/x")
    assert (answer.status_code, answer.json()) == (status, {"error_code": status, "message": "bad"})


def test_unknown_paths_and_methods(client: TestClient) -> None:
    assert client.get("/nothing").json() == {"error_code": 404, "message": "HTTP 404 Not Found"}
    answer = client.delete("/connectors")
    assert answer.json() == {"error_code": 405, "message": "HTTP 405 Method Not Allowed"}


def test_loggers(client: TestClient) -> None:
    logging.getLogger("rest.levels.below")
    before = logging.getLogger("rest.levels").level
    try:
        changed = client.put("/admin/loggers/rest.levels", json={"level": "debug"})
        assert changed.json() == ["rest.levels", "rest.levels.below"]
        assert logging.getLogger("rest.levels.below").level == logging.DEBUG
        shown = client.get("/admin/loggers/rest.levels").json()
        assert shown["level"] == "DEBUG"
        assert shown["last_modified"] > 0
        client.put("/admin/loggers/rest.levels", json={"level": "DEBUG"})
        assert client.get("/admin/loggers/rest.levels").json() == shown
        assert (
            client.put("/admin/loggers/rest.levels?scope=cluster", json={"level": "INFO"}).status_code == 204
        )
        assert "root" in client.get("/admin/loggers").json()
        assert client.get("/admin/loggers/rest.absent").status_code == 404
    finally:
        logging.getLogger("rest.levels").setLevel(before)
        logging.getLogger("rest.levels.below").setLevel(before)


def test_cors_only_when_asked_for(herder: FakeHerder) -> None:
    plain = TestClient(create_app(herder)).get("/connectors", headers={"Origin": "http://o"})
    assert "access-control-allow-origin" not in plain.headers
    allowed = TestClient(create_app(herder, allow_origin="http://o")).get(
        "/connectors", headers={"Origin": "http://o"}
    )
    assert allowed.headers["access-control-allow-origin"] == "http://o"


def test_a_signal_is_passed_on(client: TestClient, herder: FakeHerder) -> None:
    data = {"type": "blocking", "data-collections": ["public\\.t"]}
    answer = client.post("/replicator/connectors/x/signal", json={"type": "execute-snapshot", "data": data})
    assert answer.status_code == 202
    assert herder.calls == [("signal", "x", "execute-snapshot", data)]
    assert client.post("/replicator/connectors/x/signal", json={"type": "retry"}).status_code == 202
    assert client.post("/replicator/connectors/y/signal", json={"type": "retry"}).status_code == 404
    herder.fail = IllegalStateError("not now")
    answer = client.post("/replicator/connectors/x/signal", json={"type": "retry"})
    assert (answer.status_code, answer.json()["message"]) == (409, "not now")


@pytest.mark.parametrize("body", [{}, {"type": ""}, {"type": 3}, {"type": "retry", "data": []}])
def test_a_signal_needs_a_type_and_an_object(client: TestClient, herder: FakeHerder, body: Any) -> None:
    assert client.post("/replicator/connectors/x/signal", json=body).status_code == 400
    assert herder.calls == []


def test_requests_end_also_when_the_herder_does_not(
    herder: FakeHerder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ConnectRoute, "limit", 0.2)
    released = threading.Event()
    monkeypatch.setattr(herder, "connectors", lambda: released.wait(30) and [])
    monkeypatch.setattr(herder, "doing", lambda: "The worker is currently thinking", raising=False)
    client = TestClient(create_app(herder), raise_server_exceptions=False)
    try:
        answer = client.get("/connectors")
        message = "Request timed out. The worker is currently thinking"
        assert (answer.status_code, answer.json()) == (500, {"error_code": 500, "message": message})
        assert client.get("/connectors/x").status_code == 200
    finally:
        released.set()


@pytest.mark.parametrize("task", ["1.0", "1_0", "%201", "a", "99999999999"])
def test_only_digits_are_numbers_of_tasks(client: TestClient, task: str) -> None:
    assert client.get(f"/connectors/x/tasks/{task}/status").json()["message"] == "HTTP 404 Not Found"
    assert client.post(f"/connectors/x/tasks/{task}/restart").status_code == 404


def test_of_a_parameter_that_is_given_twice_the_first_counts(client: TestClient) -> None:
    both = "connectorsOnly=true&connectorsOnly=false", "connectorsOnly=false&connectorsOnly=true"
    first, second = (client.get(f"/connector-plugins?{query}").json() for query in both)
    assert first == client.get("/connector-plugins?connectorsOnly=true").json()
    assert second == client.get("/connector-plugins?connectorsOnly=false").json() != first
