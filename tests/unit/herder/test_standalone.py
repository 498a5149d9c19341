"""Life of connectors under the standalone herder."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.api.errors import (
    AlreadyExistsError,
    BadRequestError,
    IllegalStateError,
    NotFoundError,
)
from replicator.testing.fakes import FakeSource, record
from tests.unit.runtime.service_fixture import (
    all_running,
    eventually,
    running,
    script,
    sink,
    source,
    states,
    task_state,
)


def test_create_replace_delete() -> None:
    script("src")
    with running() as service:
        herder = service.herder
        created, info = herder.put_connector_config("src", source(), allow_replace=False)
        assert created
        assert info.to_json() == {
            "name": "src",
            "config": source(),
            "tasks": [{"connector": "src", "task": 0}],
            "type": "source",
        }
        with pytest.raises(AlreadyExistsError):
            herder.put_connector_config("src", source(), allow_replace=False)
        created, info = herder.put_connector_config("src", source(tasks="3", **{"tasks.max": "3"}))
        assert not created
        assert len(info.tasks) == 3
        eventually(lambda: all_running(service, "src", 3))
        herder.delete_connector("src")
        assert herder.connectors() == []
        for call in (
            herder.connector_info,
            herder.connector_status,
            herder.delete_connector,
            herder.pause_connector,
        ):
            with pytest.raises(NotFoundError):
                call("src")


def test_task_configs() -> None:
    script("snk")
    with running() as service:
        service.herder.put_connector_config("snk", sink())
        config = service.herder.task_infos("snk")[0].config
        assert config["task.class"] == "org.example.FakeSinkTask"
        assert config["topics"] == "t"


def test_secrets_are_resolved_for_the_task_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD_OF_TEST", "hunter2")
    own = script("src")
    with running() as service:
        service.herder.put_connector_config("src", source(secret="${env:PASSWORD_OF_TEST}"))
        own.wait(lambda: own.instances)
        assert own.instances[0].config["secret"] == "hunter2"
        assert own.instances[0].context.configs()["secret"] == "hunter2"
        assert service.herder.connector_config("src")["secret"] == "${env:PASSWORD_OF_TEST}"
        assert service.herder.task_infos("src")[0].config["secret"] == "${env:PASSWORD_OF_TEST}"


def test_patch() -> None:
    script("src")
    with running() as service:
        service.herder.put_connector_config("src", source(keep="1", drop="2"))
        info = service.herder.patch_connector_config("src", {"tasks.max": "2", "drop": None, "new": "3"})
        assert info.config == {**source(keep="1"), "tasks.max": "2", "new": "3"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"name": "other", "connector.class": "FakeSource"}, "doesn't match connector name"),
        ({}, "contains no connector type"),
        ({"connector.class": "FakeSource"}, "1 error"),
        ({"connector.class": "FakeSource", "script": "s", "tasks.max": None}, "Null value"),
    ],
)
def test_bad_configurations(config: dict[str, str | None], message: str) -> None:
    with running() as service:
        with pytest.raises(BadRequestError, match=message):
            service.herder.put_connector_config("src", config)
        assert service.herder.connectors() == []


def test_stop_and_resume_twice() -> None:
    own = script("src")
    with running() as service:
        herder = service.herder
        herder.put_connector_config("src", source(tasks="4", **{"tasks.max": "4"}))
        eventually(lambda: all_running(service, "src", 4))
        for _ in range(2):
            herder.stop_connector("src")
            assert states(service, "src") == ("STOPPED", [])
            assert herder.task_infos("src") == []
        assert own.stops == 4
        herder.pause_connector("src")
        assert states(service, "src") == ("PAUSED", [])
        for _ in range(2):
            herder.resume_connector("src")
            eventually(lambda: all_running(service, "src", 4))
        assert own.starts == 8


@pytest.mark.parametrize("state", ["PAUSED", "stopped"])
def test_created_without_running(state: str) -> None:
    own = script("src")
    with running() as service:
        service.herder.put_connector_config("src", source(), initial_state=state)
        assert states(service, "src") == (state.upper(), [])
        assert own.starts == 0
        service.herder.resume_connector("src")
        eventually(lambda: all_running(service, "src", 1))


def test_paused_source_delivers_nothing() -> None:
    own = script("src")
    with running() as service:
        service.herder.put_connector_config("src", source())
        eventually(lambda: task_state(service, "src") == "RUNNING")
        service.herder.pause_connector("src")
        eventually(lambda: states(service, "src") == ("PAUSED", ["PAUSED"]))
        own.add([record("a", 1)])
        service.herder.put_connector_config("src", source(changed="1"))
        eventually(lambda: states(service, "src")[0] == "PAUSED")
        assert own.polled == 0
        service.herder.resume_connector("src")
        own.wait(lambda: own.polled == 1)


def test_plugins() -> None:
    with running() as service:
        shown = {(p.class_name, p.type) for p in service.herder.plugins(connectors_only=True)}
        assert {
            ("org.example.FakeSinkConnector", "sink"),
            ("org.example.FakeSourceConnector", "source"),
        } <= shown
        assert {p.type for p in service.herder.plugins(connectors_only=True)} == {"sink", "source"}
        keys = [k["name"] for k in service.herder.plugin_config("FakeSource")]
        assert keys[:4] == ["script", "tasks", "secret", "name"]
        with pytest.raises(NotFoundError, match="Unknown plugin Nothing"):
            service.herder.plugin_config("Nothing")
        with pytest.raises(BadRequestError, match="does not match request type"):
            service.herder.validate("FakeSink", source())
        assert service.herder.validate("FakeSource", source())["error_count"] == 0


def test_topics_can_be_forgotten() -> None:
    own = script("src")
    own.add([record("a", 1)])
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        assert service.herder.active_topics("src") == ["t"]
        service.herder.reset_active_topics("src")
        assert service.herder.active_topics("src") == []
        assert service.herder.active_topics("nobody") == []


def test_signals_reach_running_tasks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(
        FakeSource.task_class(FakeSource()), "signal", lambda self, *request: taken.append(request)
    )
    script("src")
    script("snk")
    with running() as service:
        herder = service.herder
        herder.put_connector_config("src", source())
        herder.put_connector_config("snk", sink())
        eventually(lambda: all_running(service, "src", 1) and all_running(service, "snk", 1))
        herder.signal("src", "retry", {"a": 1})
        assert taken == [("retry", {"a": 1})]
        with pytest.raises(BadRequestError, match="does not support"):
            herder.signal("snk", "retry", {})
        with pytest.raises(NotFoundError):
            herder.signal("other", "retry", {})
        herder.stop_connector("src")
        with pytest.raises(IllegalStateError, match="STOPPED"):
            herder.signal("src", "retry", {})
    assert len(taken) == 1
