"""A file of a Java worker, run here: SASL_SSL with client certificates from JKS stores, HTTPS and accounts between two.

Worker, producers, consumers and admin clients log in differently, and one connector in yet another way. No password
is in an answer or in the log, at its most talkative.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from replicator.config.tls import client_context
from replicator.distributed_service import DistributedService
from tests.support.certificates import Authority
from tests.support.java_stores import jks
from tests.support.secured_kafka import PASSWORD, STORE_PASSWORD, Secured, account

SECRETS = (
    PASSWORD,
    json.dumps(PASSWORD)[1:-1],
    repr(PASSWORD)[1:-1],
    STORE_PASSWORD,
    "key-1",
    "rest-1",
    "a-1",
)
TEXT = "org.apache.kafka.connect.storage.StringConverter"


def clients(mechanism: str, prefix: str = "") -> dict[str, str]:
    found = {n.replace("_", "."): v for n, v in account(mechanism).items()}
    return {f"{prefix}{name}": value for name, value in found.items()}


def worker_file(node: Secured, rest: dict[str, str]) -> dict[str, str]:
    storage = ("config", "offset", "status")
    return {
        **node.options("both"),
        **clients("SCRAM-SHA-512"),
        **node.java_stores(),
        **clients("PLAIN", "producer."),
        **{f"producer.{name}": value for name, value in node.java_stores().items()},
        **clients("SCRAM-SHA-256", "consumer."),
        **clients("PLAIN", "admin."),
        "group.id": "secured-group",
        **{f"{s}.storage.topic": f"secured-{s}" for s in storage},
        **{f"{s}.storage.replication.factor": "1" for s in storage},
        "offset.storage.partitions": "1",
        "status.storage.partitions": "1",
        "exactly.once.source.support": "enabled",
        "offset.flush.interval.ms": "500",
        "scheduled.rebalance.max.delay.ms": "0",
        "listeners": "https://127.0.0.1:0",
        **{f"listeners.https.{name}": value for name, value in rest.items()},
        "rest.auth.users.anna.password": "a-1",
        "rest.auth.users.anna.role": "admin",
        "key.converter": TEXT,
        "value.converter": TEXT,
    }


@pytest.fixture
def rest(tmp_path: Path) -> dict[str, str]:
    authority = Authority("Authority of workers")
    own = authority.issue("127.0.0.1")
    (tmp_path / "rest.jks").write_bytes(jks("rest-1", own))
    (tmp_path / "rest-ca.jks").write_bytes(jks("rest-1", None, [authority.own.certificate]))
    return {
        "ssl.keystore.type": "JKS",
        "ssl.keystore.location": str(tmp_path / "rest.jks"),
        "ssl.keystore.password": "rest-1",
        "ssl.truststore.type": "JKS",
        "ssl.truststore.location": str(tmp_path / "rest-ca.jks"),
        "ssl.truststore.password": "rest-1",
        "ssl.client.auth": "required",
    }


@pytest.fixture
def workers(node: Secured, rest: dict[str, str]) -> Iterator[list[DistributedService]]:
    with ExitStack() as stack:
        found = []
        for _ in range(2):
            service = DistributedService(worker_file(node, rest))
            service.start()
            stack.callback(service.stop)
            found.append(service)
        yield found


def eventually(condition: Callable[[], bool], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.2)


class Caller:
    """Asks workers with an account and a certificate, and keeps all answers."""

    def __init__(self, rest: dict[str, str]) -> None:
        self.context = client_context(rest)
        self.answers: list[str] = []

    def __call__(
        self, worker: DistributedService, method: str, path: str, body: Any = None
    ) -> tuple[int, Any]:
        port = int(worker.url.rsplit(":", 1)[1].strip("/"))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=self.context)
        headers = {"Authorization": f"Basic {base64.b64encode(b'anna:a-1').decode()}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            self.answers.append(text)
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


def test_two_workers(
    workers: list[DistributedService],
    rest: dict[str, str],
    node: Secured,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = Caller(rest)
    caplog.set_level(1)
    logging.getLogger("kafka").setLevel(1)
    try:
        _run(call, workers, node, tmp_path)
    finally:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logged = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "SaslHandshake" in logged or "kafka" in {r.name.split(".")[0] for r in caplog.records}
    for secret in SECRETS:
        assert secret not in logged, [line for line in logged.splitlines() if secret in line][:3]
        assert not [answer for answer in call.answers if secret in answer]


def _run(call: Caller, workers: list[DistributedService], node: Secured, tmp_path: Path) -> None:
    lines, printed = tmp_path / "lines", tmp_path / "printed"
    lines.write_text("a\nb\n")
    first, second = workers
    for worker in workers:
        eventually(lambda worker=worker: call(worker, "GET", "/health")[0] == 200)  # type: ignore[misc]
    source = {
        "connector.class": "FileStreamSource",
        "topic": "secured",
        "file": str(lines),
        "exactly.once.support": "required",
        **clients("SCRAM-SHA-256", "producer.override."),
        **{f"producer.override.{name}": value for name, value in node.java_stores().items()},
    }
    sink = {
        "connector.class": "FileStreamSink",
        "topics": "secured",
        "file": str(printed),
        **clients("PLAIN", "consumer.override."),
    }
    assert call(first, "PUT", "/connectors/source/config", source)[0] == 201
    # One of the two forwards it to the other.
    assert call(second, "PUT", "/connectors/sink/config", sink)[0] == 201
    eventually(lambda: printed.exists() and printed.read_text() == "a\nb\n")
    for worker in workers:
        for name in ("source", "sink"):
            eventually(lambda w=worker, n=name: _runs(call, w, n))  # type: ignore[misc]
            assert call(worker, "GET", f"/connectors/{name}")[0] == 200
            assert call(worker, "GET", f"/connectors/{name}/tasks")[0] == 200
            assert call(worker, "GET", f"/connectors/{name}/offsets")[0] == 200
    wrong = (
        source
        | clients("SCRAM-SHA-256", "producer.override.")
        | {
            "name": "wrong",
            "producer.override.ssl.truststore.location": "/no/such.jks",
        }
    )
    status, body = call(first, "PUT", "/connector-plugins/FileStreamSource/config/validate", wrong)
    assert status == 200, body
    call(first, "PUT", "/connectors/wrong/config", wrong)
    eventually(lambda: "/no/such.jks" in json.dumps(call(first, "GET", "/connectors/wrong/status")[1]))
    assert call(second, "PUT", "/connectors/sink/stop")[0] == 204
    eventually(lambda: call(second, "DELETE", "/connectors/sink/offsets")[0] == 200)


def _runs(call: Caller, worker: DistributedService, name: str) -> bool:
    status, body = call(worker, "GET", f"/connectors/{name}/status")
    return status == 200 and [t["state"] for t in body["tasks"]] == ["RUNNING"]
