"""Fixtures for tests of the page: a worker with file connectors, some of them failed, and headless Chromium on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from replicator.broker.embedded import EmbeddedBroker
from replicator.rest.server import RestServer
from replicator.service import Service
from tests.support.browser import Browser
from tests.unit.runtime.service_fixture import eventually

EVIL = "<img src=x onerror=\"document.title='owned'\">"
STRINGS = "org.apache.kafka.connect.storage.StringConverter"
FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
FILE_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
JSON = {
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
}


@dataclass
class Place:
    """A worker with its folder and broker."""

    service: Service
    folder: Path
    broker: EmbeddedBroker

    def serve(self, **options: Any) -> RestServer:
        server = RestServer(self.service.herder, port=0, broker=self.broker, **options)
        server.start()
        server.wait_ready()
        return server

    def state(self, name: str) -> str:
        return self.service.herder.connector_status(name).connector.state


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "in.txt").write_text(f'{{"id": 12345678901234567890, "name": "{EVIL[:4]}"}}\n{EVIL}\n')
    broker = EmbeddedBroker(":memory:")
    options = {"listeners": "off", "offset.flush.interval.ms": "50"}
    service = Service({**options, "key.converter": STRINGS, "value.converter": STRINGS}, broker=broker)
    service.start()
    source = {"connector.class": FILE_SOURCE, "file": str(folder / "in.txt"), "topic": "lines"}
    service.herder.put_connector_config("src", source)
    sink = {"connector.class": FILE_SINK, "file": str(folder / "out.txt"), "topics": "lines", **JSON}
    service.herder.put_connector_config(f"bad {EVIL}", sink)
    letters = {
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": "dlq",
        "errors.deadletterqueue.context.headers.enable": "true",
    }
    service.herder.put_connector_config("snk", {**sink, **letters})
    eventually(lambda: service.herder.progress(f"bad {EVIL}")[0].state == "FAILED")
    eventually(lambda: "dlq" in broker.admin().topics())
    yield Place(service, folder, broker)
    service.stop()
    broker.close()


@pytest.fixture(scope="module")
def page_url(place: Place) -> Iterator[str]:
    server = place.serve()
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.fixture
def page(chromium: Browser, page_url: str) -> Iterator[Browser]:
    """The page, freshly loaded; it must neither complain nor run what it shows."""
    chromium.problems.clear()
    chromium.look()
    chromium.open("about:blank")
    chromium.open(page_url + "/")
    chromium.text("Live")
    yield chromium
    assert chromium.problems == []
    assert chromium.run("document.querySelectorAll('main img').length") == 0
    assert "owned" not in chromium.run("document.title")


def go(page: Browser, where: str) -> None:
    page.run(f"location.hash = {where!r}")
