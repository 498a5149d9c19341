"""`replicator connectors`: against a worker of our own, and against what other workers answer."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from replicator.cli.connect_client import ConnectClient, Endpoint
from replicator.cli.connectors_diff import difference, shown_value
from replicator.cli.connectors_wait import Watcher, reason
from replicator.cli.main import cli
from replicator.rest.server import RestServer
from replicator.service import Service
from replicator.testing.fakes import Script
from tests.unit.runtime.service_fixture import running, script, sink


@pytest.fixture
def worker() -> Iterator[tuple[Service, str, Script]]:
    own = script("snk")
    with running() as service:
        server = RestServer(service.herder, port=0)
        server.start()
        server.wait_ready()
        yield service, server.url, own
        server.stop()


def run(url: str, *arguments: str, stdin: str | None = None) -> Result:
    found = CliRunner().invoke(cli, ["connectors", "--url", url, *arguments], input=stdin)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def write(folder: Path, name: str, content: str) -> str:
    file = folder / name
    file.write_text(content)
    return str(file)


def properties(**more: str) -> str:
    return "".join(f"{name}={value}\n" for name, value in sink(**more).items())


def test_apply_creates_is_idempotent_and_shows_the_difference(
    worker: tuple[Service, str, Script], tmp_path: Path
) -> None:
    service, url, own = worker
    file = write(tmp_path, "a.properties", properties(secret="hunter2"))
    dry = run(url, "apply", file, "--dry-run")
    assert "snk: would be created" in dry.output
    assert "hunter2" not in dry.output
    assert service.herder.connectors() == []
    made = run(url, "apply", file)
    assert made.exit_code == 0, made.output
    assert "snk: created" in made.output
    assert "snk is RUNNING." in made.output
    again = run(url, "apply", file)
    assert "snk: unchanged" in again.output
    assert "hides secret: not compared. Send them anyway with --force." in again.output
    assert own.starts == 1
    forced = run(url, "apply", file, "--force")
    assert "snk: changed" in forced.output
    assert own.starts == 2
    flat = json.dumps({**sink(secret="hunter2"), "topics": ["t", "u"], "tasks.max": 2})
    changed = run(url, "apply", write(tmp_path, "a.json", flat))
    assert "- topics=t\n  + topics=t,u" in changed.output
    assert "+ tasks.max=2" in changed.output
    assert service.herder.connector_config("snk")["secret"] == "hunter2"


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_the_long_form_with_an_initial_state(
    worker: tuple[Service, str, Script], tmp_path: Path, suffix: str
) -> None:
    service, url, _ = worker
    config = {n: v for n, v in sink().items() if n != "name"}
    # JSON is YAML, too.
    content = json.dumps({"name": "snk", "config": config, "initial_state": "PAUSED"})
    made = run(url, "apply", write(tmp_path, f"a.{suffix}", content))
    assert (made.exit_code, made.output) == (0, made.output)
    assert "snk is PAUSED." in made.output
    assert service.herder.connector_status("snk").connector.state == "PAUSED"
    again = run(url, "apply", str(tmp_path))
    assert "snk: unchanged" in again.output
    assert "stays so" in again.output


def test_stdin(worker: tuple[Service, str, Script]) -> None:
    _, url, _ = worker
    for form in (
        properties(),
        json.dumps(sink()),
        "# yaml\n" + "".join(f"{k}: {v}\n" for k, v in sink().items()),
    ):
        assert run(url, "apply", "-", stdin=form).exit_code == 0


def test_nothing_is_sent_when_one_file_is_wrong(worker: tuple[Service, str, Script], tmp_path: Path) -> None:
    service, url, _ = worker
    good = write(tmp_path, "good.properties", properties())
    bad = write(tmp_path, "bad.properties", properties(name="bad", **{"tasks.max": "0"}))
    answer = run(url, "apply", good, bad)
    assert answer.exit_code == 1
    assert "Nothing was applied" in answer.output
    assert "bad: tasks.max: Invalid value 0" in answer.output
    assert service.herder.connectors() == []
    validated = run(url, "validate", bad)
    assert validated.exit_code == 1
    assert "bad: 1 error" in validated.output
    assert run(url, "validate", good).output == "snk: valid\n"


def test_why_it_does_not_run(worker: tuple[Service, str, Script], tmp_path: Path) -> None:
    _, url, own = worker

    def fail(task: Any) -> None:
        raise ValueError("the target\nis on fire")

    own.on_start = fail
    answer = run(url, "apply", write(tmp_path, "a.properties", properties()))
    assert answer.exit_code == 1
    assert "task 0 FAILED: ValueError: the target" in answer.output
    listed = run(url, "list")
    assert listed.exit_code == 1
    assert "tasks: 1 FAILED" in listed.output
    shown = run(url, "show", "snk")
    assert "is on fire" in shown.output
    assert "Traceback" in run(url, "show", "snk", "--trace").output
    own.on_start = None
    assert "snk: RUNNING" in run(url, "restart", "snk", "--failed").output


def test_steering(worker: tuple[Service, str, Script]) -> None:
    service, url, _ = worker
    service.herder.put_connector_config("snk", sink())
    assert run(url, "pause", "snk").output == "snk: PAUSED\n"
    assert run(url, "resume", "--all").output == "snk: RUNNING\n"
    assert run(url, "offsets", "snk").output == "snk has no offsets.\n"
    assert "STOPPED state" in run(url, "offsets", "snk", "--reset", "--yes").output
    assert run(url, "stop", "snk").output == "snk: STOPPED\n"
    assert "reset successfully" in run(url, "offsets", "snk", "--reset", "--yes").output
    assert run(url, "pause").exit_code == 1
    assert run(url, "delete", "snk", "--yes").output == "snk: deleted\n"
    missing = run(url, "show", "snk")
    assert (missing.exit_code, missing.output) == (1, "ERROR: Connector snk not found\n")
    listed = json.loads(run(url, "list", "--json").output)
    assert listed == []


def test_nobody_there() -> None:
    answer = run("http://127.0.0.1:9", "list")
    assert answer.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:9" in answer.output
    assert "--url or REPLICATOR_CONNECT_URL" in answer.output


Answer = tuple[int, Any]


@contextmanager
def foreign(answer: Callable[[str, str, dict[str, str]], Answer]) -> Iterator[str]:
    """A server that answers as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            status, body = answer(self.command, self.path, dict(self.headers))
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = _any  # noqa: N815 - names of the base class

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"<html>", 200, "not JSON"),
        (b"<html>", 404, "REST address of a Connect worker"),
        ({"error_code": 401, "message": "User cannot access the resource."}, 401, "--user NAME:PASSWORD"),
        ({"error_code": 500, "message": "Request timed out"}, 500, "Request timed out"),
    ],
)
def test_other_answers(body: Any, status: int, expected: str) -> None:
    with foreign(lambda *_: (status, body)) as url:
        found = run(url, "list")
    assert found.exit_code == 1
    assert expected in found.output


def test_who_asks() -> None:
    seen: list[str] = []

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        seen.append(headers.get("Authorization", ""))
        return 200, {}

    with foreign(answer) as url:
        run(url, "list", "--user", "me:pass:word")
        CliRunner().invoke(
            cli,
            ["connectors", "list"],
            env={"REPLICATOR_CONNECT_URL": url, "REPLICATOR_CONNECT_TOKEN": "abc"},
        )
    assert seen == ["Basic " + base64.b64encode(b"me:pass:word").decode(), "Bearer abc"]


def test_rebalances_are_waited_out_and_other_addresses_tried() -> None:
    answers = [
        (
            409,
            {"message": "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"},
        )
    ]

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        assert path == "/connectors/a%2Fb%20%C3%A4/config"
        return answers.pop() if answers else (200, {"name": "a/b ä"})

    with foreign(answer) as url:
        client = ConnectClient(Endpoint(url=f"http://127.0.0.1:9, {url}"), sleep=lambda _: None)
        assert client.get("connectors", "a/b ä", "config") == {"name": "a/b ä"}
        assert client.url == url
        client.close()


def test_old_workers_know_no_expand() -> None:
    status = {"name": "x", "connector": {"state": "RUNNING", "worker_id": "w"}, "tasks": [], "type": "source"}

    def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
        return (200, status) if path.endswith("/status") else (200, ["x"])

    with foreign(answer) as url:
        assert "x  source   RUNNING" in run(url, "list").output


def test_differences() -> None:
    before = {"a": "1", "b": "2", "password": "[hidden]", "url": "jdbc:x://u:[hidden]@h/d"}
    after = {"a": "1", "b": "3", "password": "p", "url": "jdbc:x://u:p@h/d", "c": "4"}
    changes, unknown = difference(before, after)
    assert [(c.option, c.before, c.after) for c in changes] == [("b", "2", "3"), ("c", None, "4")]
    assert unknown == ["password", "url"]
    assert shown_value("database.password", "p") == "[hidden]"
    assert shown_value("database.password", "${env:P}") == "${env:P}"


JAVA = (
    "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded\n\tat a.B.c(B.java:1)\nCaused by: x"
)
PYTHON = 'Traceback (most recent call last):\n  File "a"\n    x\nValueError: one\ntwo\n'


@pytest.mark.parametrize(
    ("trace", "first"),
    [(JAVA, JAVA.splitlines()[0]), (PYTHON, "ValueError: one"), ("", "no reason was given")],
)
def test_the_reason_in_a_trace(trace: str, first: str) -> None:
    assert reason(trace).splitlines()[0] == first


class Statuses:
    """Answers with one status after another, the last one for ever."""

    def __init__(self, *statuses: tuple[str, list[str]]) -> None:
        self.statuses = list(statuses)
        self.now = 0.0

    def get(self, *path: str) -> dict[str, Any]:
        state, tasks = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        parts = [{"id": i, "state": s, "worker_id": "w", "trace": "why"} for i, s in enumerate(tasks)]
        return {"connector": {"state": state, "worker_id": "w"}, "tasks": parts, "type": "source"}

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("statuses", "problem"),
    [
        ([("RUNNING", ["FAILED"]), ("RUNNING", ["RUNNING"])], None),
        ([("RUNNING", ["RUNNING"]), ("RUNNING", ["FAILED"])], "task 0 FAILED: why"),
        ([("UNASSIGNED", [])], "not RUNNING in time; the connector is UNASSIGNED, no tasks"),
        ([("RUNNING", ["RUNNING", "RESTARTING"])], "not RUNNING in time; the connector is RUNNING, task 0 RUNNING,"
         " task 1 RESTARTING"),
    ],
)  # fmt: skip
def test_a_state_counts_when_it_stays(statuses: list[tuple[str, list[str]]], problem: str | None) -> None:
    client: Any = Statuses(*statuses)
    watcher = Watcher(client, clock=lambda: client.now, sleep=client.sleep)
    assert watcher.wait(["x"], "RUNNING", 10).get("x") == problem
