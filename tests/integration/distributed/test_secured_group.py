"""Two workers that speak HTTPS with client certificates to each other, and ask users for accounts."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from replicator.config.tls import client_context
from replicator.distributed_service import DistributedService
from tests.support.certificates import Authority
from tests.support.fix_servers import KafkaServer

AUTHORITY = Authority()
ACCOUNTS = {
    "rest.auth.users.anna.password": "a-1",
    "rest.auth.users.anna.role": "admin",
    "rest.auth.users.rita.password": "r-1",
}
SOURCE = {"connector.class": "FileStreamSource", "topic": "t", "file": "/tmp/replicator-rest-absent"}


def tls(authority: Authority = AUTHORITY) -> dict[str, str]:
    own = authority.issue("127.0.0.1")
    return {
        "ssl.keystore.certificate.chain": own.pem(),
        "ssl.keystore.key": own.key_pem(),
        "ssl.truststore.certificates": authority.own.pem(),
        "ssl.client.auth": "required",
    }


@pytest.fixture
def workers(kafka: KafkaServer, kafka_prefix: str) -> Iterator[list[DistributedService]]:
    storage = ("config", "offset", "status")
    options = {
        "bootstrap.servers": kafka.bootstrap,
        "group.id": f"{kafka_prefix}group",
        **{f"{s}.storage.topic": f"{kafka_prefix}{s}" for s in storage},
        **{f"{s}.storage.replication.factor": "1" for s in storage},
        "scheduled.rebalance.max.delay.ms": "0",
        "listeners": "https://127.0.0.1:0",
        **{f"listeners.https.{name}": value for name, value in tls().items()},
        **ACCOUNTS,
    }
    with ExitStack() as stack:
        found = []
        for _ in range(2):
            service = DistributedService(options)
            service.start()
            stack.callback(service.stop)
            found.append(service)
        yield found


def call(
    worker: DistributedService, method: str, path: str, body: Any = None, user: str = "anna:a-1"
) -> tuple[int, Any]:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", int(worker.url.rsplit(":", 1)[1].strip("/")), timeout=60, context=client_context(tls())
    )
    headers = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {}
    try:
        data = None if body is None else json.dumps(body)
        connection.request(
            method, path, data, headers | ({"Content-Type": "application/json"} if data else {})
        )
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def eventually(condition: Callable[[], bool], timeout: float = 40.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.2)


def test_a_secured_group(workers: list[DistributedService]) -> None:
    for worker in workers:
        assert worker.url.startswith("https://127.0.0.1:")
        eventually(lambda worker=worker: call(worker, "GET", "/health", user="")[0] == 200)  # type: ignore[misc]
    for number, worker in enumerate(workers):
        # One of the two has to forward it to the other.
        status, info = call(worker, "POST", "/connectors", {"name": f"c{number}", "config": SOURCE})
        assert (status, info["name"]) == (201, f"c{number}")
        refused = call(worker, "DELETE", f"/connectors/c{number}", user="rita:r-1")
        assert refused == (
            403,
            {"error_code": 403, "message": "Role read may not do this; it needs role admin."},
        )
        assert call(worker, "GET", "/connectors", user="")[0] == 401
    for worker in workers:
        for name in ("c0", "c1"):
            # Task configurations reach the leader in signed requests.
            eventually(lambda w=worker, n=name: running(w, n))  # type: ignore[misc]
    unsigned = call(workers[0], "POST", "/connectors/c0/tasks", [], user="")
    assert unsigned == (400, {"error_code": 400, "message": "Internal request missing required signature"})


def running(worker: DistributedService, name: str) -> bool:
    status, body = call(worker, "GET", f"/connectors/{name}/status", user="rita:r-1")
    return status == 200 and [t["state"] for t in body["tasks"]] == ["RUNNING"]


def test_strangers_are_refused(workers: list[DistributedService]) -> None:
    port = int(workers[0].url.rsplit(":", 1)[1].strip("/"))
    stranger = client_context(tls(Authority("Else")) | {"ssl.truststore.certificates": AUTHORITY.own.pem()})
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=stranger)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        connection.request("GET", "/connectors")
        connection.getresponse()
    connection.close()
