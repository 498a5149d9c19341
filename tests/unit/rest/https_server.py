"""A REST server with HTTPS, and the authority its certificate is of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from replicator.config.worker import WorkerConfig
from replicator.rest.server import RestServer
from tests.support.certificates import Authority, Issued
from tests.unit.rest.fakes import FakeHerder

AUTHORITY = Authority()
HTTPS = "https://127.0.0.1:0"


def options(issued: Issued, **more: str) -> dict[str, str]:
    found = {
        "listeners": HTTPS,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.certificate.chain": issued.pem(),
        "ssl.keystore.key": issued.key_pem(),
    }
    return found | {name.replace("__", "."): value for name, value in more.items()}


@contextmanager
def serving(worker: dict[str, str]) -> Iterator[RestServer]:
    server = RestServer.of_worker(FakeHerder(), WorkerConfig(worker))
    server.start()
    server.wait_ready()
    try:
        yield server
    finally:
        server.stop()
