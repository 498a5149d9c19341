"""Life of connectors under the standalone herder."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.api.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConnectError,
    IllegalStateError,
    NotFoundError,
)
from replicator.service import Service
from replicator.testing.fakes import FakeSink, FakeSource, record
from tests.unit.runtime.service_fixture import eventually, running, script, sink, source, task_state
from tests.unit.runtime.test_sink_task import group_offset, write


def states(service: Service, name: str) -> tuple[str, list[str]]:
    status = service.herder.connector_status(name)
    return status.connector.state, [t.state for t in status.tasks]


def all_running(service: Service, name: str, tasks: int) -> bool:
    return states(service, name) == ("RUNNING", ["RUNNING"] * tasks)


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


def test_offsets_survive_deletion() -> None:
    own = script("src")
    own.add([record("a", 1)])
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        service.herder.delete_connector("src")
        service.herder.put_connector_config("src", source(), initial_state="stopped")
        assert service.herder.connector_offsets("src")[0]["offset"] == {"n": 1}


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


def test_source_offsets_are_changed_when_stopped() -> None:
    own = script("src")
    own.add([record("a", 100)])
    with running() as service:
        herder = service.herder
        herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        wanted = [{"partition": {"p": "1"}, "offset": {"n": 5}}]
        with pytest.raises(BadRequestError, match="must be in the STOPPED state"):
            herder.alter_offsets("src", wanted)
        herder.stop_connector("src")
        with pytest.raises(BadRequestError, match="need to be provided"):
            herder.alter_offsets("src", [])
        assert (
            "Connect framework-managed offsets for this connector have been altered"
            in herder.alter_offsets("src", wanted)
        )
        assert herder.connector_offsets("src") == wanted
        for _ in range(2):
            assert "have been reset successfully" in herder.reset_offsets("src")
            assert herder.connector_offsets("src") == []


def test_connectors_take_part_in_offset_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        FakeSink, "alter_offsets", lambda self, config, offsets: asked.append(dict(offsets)) or True
    )
    own = script("snk")
    with running() as service:
        write(service, *"abc")
        service.herder.put_connector_config("snk", sink())
        own.wait(lambda: len(own.values()) == 3)
        service.herder.stop_connector("snk")
        partition = {"kafka_topic": "t", "kafka_partition": "0"}
        message = service.herder.alter_offsets(
            "snk", [{"partition": partition, "offset": {"kafka_offset": "1"}}]
        )
        assert message == "The offsets for this connector have been altered successfully"
        assert asked == [{("t", 0): 1}]
        assert group_offset(service) == 1
        service.herder.resume_connector("snk")
        own.wait(lambda: own.values() == ["a", "b", "c", "b", "c"])
        service.herder.stop_connector("snk")
        service.herder.reset_offsets("snk")
        assert asked[-1] == {("t", 0): None}
        assert group_offset(service) is None


def test_a_group_with_members_is_not_changed() -> None:
    own = script("snk")
    with running() as service:
        write(service, "a")
        service.herder.put_connector_config("snk", sink())
        own.wait(own.values)
        service.herder.stop_connector("snk")
        zombie = service.broker.consumer("zombie", "connect-snk")
        zombie.subscribe(["t"])
        zombie.poll(1, 0)
        with pytest.raises(ConnectError, match="zombie sink task"):
            service.herder.reset_offsets("snk")
        zombie.close()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "cannot be null or missing"),
        ({"partition": {"kafka_topic": "t"}}, "must contain the keys 'kafka_topic' and 'kafka_partition'"),
        (
            {"partition": {"kafka_topic": None, "kafka_partition": 0}},
            "Kafka topic names must be valid strings",
        ),
        ({"partition": {"kafka_topic": "t", "kafka_partition": "x"}}, "Partition values"),
        ({"partition": {"kafka_topic": "t", "kafka_partition": None}}, "Kafka partitions must be"),
        (
            {"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {}},
            "contain the key 'kafka_offset'",
        ),
        (
            {"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": "x"}},
            "Offset values",
        ),
    ],
)
def test_malformed_sink_offsets(entry: dict[str, Any], message: str) -> None:
    script("snk")
    with running() as service:
        service.herder.put_connector_config("snk", sink(), initial_state="STOPPED")
        with pytest.raises(BadRequestError, match=message):
            service.herder.alter_offsets("snk", [entry])


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
