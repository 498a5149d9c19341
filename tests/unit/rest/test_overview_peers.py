"""Figures of other workers in a worker's overview."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from replicator.herder.views import ConnectorState, ConnectorStatus, TaskId, TaskProgress, TaskState
from replicator.rest.accounts import Accounts, AccountSource
from replicator.rest.overview_peers import merged_errors, merged_history
from replicator.rest.server import RestServer
from tests.unit.rest.fakes import FakeHerder

ANNA = ("anna", "a")


class Member(FakeHerder):
    """A worker that runs the tasks with its number."""

    def __init__(self, number: int, ports: list[int]) -> None:
        super().__init__()
        self.configs["x"] = {"name": "x"}
        self.number = number
        self.ids = [f"127.0.0.1:{port}" for port in ports]
        facts = MappingProxyType({"retained_bytes": 10 * number})
        self.live["x"] = [TaskProgress(TaskId("x", number), "RUNNING", {"records_out": number + 5}, facts)]

    def worker_facts(self) -> dict[str, Any]:
        return {"worker_id": self.ids[self.number]}

    def connector_status(self, name: str) -> ConnectorStatus:
        tasks = [TaskState(n, "RUNNING", worker) for n, worker in enumerate(self.ids)]
        return ConnectorStatus(name, ConnectorState("RUNNING", self.ids[0]), tasks, "source")


@pytest.fixture
def group() -> Iterator[list[RestServer]]:
    """Two workers that answer, and a third that does not."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [s.getsockname()[1] for s in taken]
    for each in taken:
        each.close()
    accounts = AccountSource(Accounts({"anna": ("a", "read")}))
    made = [RestServer(Member(n, ports), port=ports[n], accounts=accounts) for n in range(2)]
    for server in made:
        server.start()
    for server in made:
        server.wait_ready()
    yield made
    for server in made:
        server.stop()


def test_others_add_what_they_know(group: list[RestServer]) -> None:
    url = f"{group[0].url}/replicator/overview"
    own = httpx.get(url, auth=ANNA).json()
    assert [t["stats"] for t in own["connectors"][0]["tasks"]] == [{"records_out": 5}, {}, {}]
    assert "workers" not in own
    for _ in range(2):
        whole = httpx.get(url, params={"workers": "all"}, auth=ANNA).json()
        (connector,) = whole["connectors"]
        assert [t["stats"] for t in connector["tasks"]] == [{"records_out": 5}, {"records_out": 6}, {}]
        assert connector["tasks"][1]["facts"] == {"retained_bytes": 10}
        assert [w["answers"] for w in sorted(whole["workers"], key=lambda w: w["id"])].count(True) == 2
    assert httpx.get(url, params={"workers": "all"}).status_code == 401
    assert httpx.get(url, params={"workers": "some"}, auth=ANNA).status_code == 400


def test_histories_are_put_together_by_the_second() -> None:
    one = {
        "t": [1000, 2000],
        "rows_per_second": [1.0, 2.0],
        "lag_ms": [5, None],
        "retained_bytes": [None, None],
    }
    other = {"t": [2100, 3100], "rows_per_second": [0.5, 4.0], "lag_ms": [7, 8], "retained_bytes": [1, 2]}
    assert merged_history(one, other) == {
        "t": [1000, 2000, 3100],
        "rows_per_second": [1.0, 2.5, 4.0],
        "lag_ms": [5, 7, 8],
        "retained_bytes": [None, 1, 2],
    }


def test_a_failure_that_two_noticed_is_one() -> None:
    def error(time: int, trace: str) -> dict[str, Any]:
        return {"time": time, "connector": "x", "part": "task 0", "message": trace, "trace": trace}

    mine = [error(50_000, "a"), error(1000, "a")]
    theirs = [error(50_900, "a"), error(2000, "b")]
    assert [e["time"] for e in merged_errors([mine, theirs])] == [50_900, 2000, 1000]
