"""Failed connectors and restarts under the standalone herder."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.api.errors import (
    ConnectError,
    NotFoundError,
)
from replicator.testing.fakes import FakeSource
from tests.unit.runtime.service_fixture import (
    all_running,
    eventually,
    running,
    script,
    source,
    states,
)


def test_connector_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [True]
    start = FakeSource.start

    def failing(self: FakeSource, config: Any) -> None:
        if broken:
            raise ConnectError("cannot start")
        start(self, config)

    monkeypatch.setattr(FakeSource, "start", failing)
    script("src")
    with running() as service:
        service.herder.put_connector_config("src", source())
        assert states(service, "src") == ("FAILED", [])
        assert "cannot start" in (service.herder.connector_status("src").connector.trace or "")
        service.herder.pause_connector("src")
        assert states(service, "src") == ("FAILED", [])
        service.herder.stop_connector("src")
        assert states(service, "src") == ("STOPPED", [])
        broken.clear()
        service.herder.resume_connector("src")
        eventually(lambda: all_running(service, "src", 1))


def test_a_restart_of_a_failed_connector_starts_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [True]
    start = FakeSource.start

    def failing(self: FakeSource, config: Any) -> None:
        if broken.pop() if broken else False:
            raise ConnectError("cannot start")
        start(self, config)

    monkeypatch.setattr(FakeSource, "start", failing)
    script("src")
    with running() as service:
        service.herder.put_connector_config("src", source())
        assert states(service, "src") == ("FAILED", [])
        service.herder.restart_connector("src", only_failed=True)
        eventually(lambda: all_running(service, "src", 1))


def test_too_many_tasks() -> None:
    script("src")
    with running() as service:
        service.herder.put_connector_config("src", source(tasks="2"))
        assert states(service, "src") == ("FAILED", [])
        assert "has generated 2 tasks, which is greater than 1" in (
            service.herder.connector_status("src").connector.trace or ""
        )
        service.herder.put_connector_config("src", source(tasks="2", **{"tasks.max.enforce": "false"}))
        eventually(lambda: all_running(service, "src", 2))


@pytest.mark.parametrize(
    ("flags", "connector_starts", "task_starts"),
    [
        ({}, 1, 0),
        ({"include_tasks": True}, 1, 2),
        ({"only_failed": True}, 0, 0),
        ({"include_tasks": True, "only_failed": True}, 0, 0),
    ],
)
def test_restarts_of_a_healthy_connector(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, bool], connector_starts: int, task_starts: int
) -> None:
    started = []
    start = FakeSource.start
    monkeypatch.setattr(FakeSource, "start", lambda self, config: (started.append(1), start(self, config)))
    own = script("src")
    with running() as service:
        service.herder.put_connector_config("src", source(tasks="2", **{"tasks.max": "2"}))
        eventually(lambda: all_running(service, "src", 2))
        service.herder.restart_connector("src", **flags)
        eventually(lambda: all_running(service, "src", 2))
        assert (len(started) - 1, own.starts - 2) == (connector_starts, task_starts)


def test_restart_of_the_failed_task_only() -> None:
    own = script("src")

    def on_start(task: Any) -> None:
        if own.starts == 1:
            raise ConnectError("once")

    own.on_start = on_start
    with running() as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: states(service, "src") == ("RUNNING", ["FAILED"]))
        shown = service.herder.restart_connector("src", include_tasks=True, only_failed=True)
        assert (shown.connector.state, shown.tasks[0].state) == ("RUNNING", "RESTARTING")
        eventually(lambda: all_running(service, "src", 1))
        with pytest.raises(NotFoundError):
            service.herder.restart_task("src", 7)


def test_task_reconfiguration_starts_tasks_again_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    instances: list[FakeSource] = []
    extra: dict[str, str] = {}

    def task_configs(self: FakeSource, limit: int) -> list[dict[str, str]]:
        instances.append(self)
        return [{**self.config, **extra}]

    monkeypatch.setattr(FakeSource, "task_configs", task_configs)
    own = script("src")
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.starts == 1)
        instances[0].context.request_task_reconfiguration()
        eventually(lambda: len(instances) == 2)
        extra["tables"] = "a,b"
        instances[0].context.request_task_reconfiguration()
        own.wait(lambda: own.starts == 2)
        eventually(lambda: all_running(service, "src", 1))
        assert len(instances) == 3
        assert own.instances[1].config["tables"] == "a,b"
