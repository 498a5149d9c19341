"""Offsets of connectors under the standalone herder: kept, looked at, changed, refused."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.api.errors import (
    BadRequestError,
    ConnectError,
)
from replicator.testing.fakes import FakeSink, record
from tests.unit.runtime.service_fixture import (
    group_offset,
    running,
    script,
    sink,
    source,
    write,
)


def test_offsets_survive_deletion() -> None:
    own = script("src")
    own.add([record("a", 1)])
    with running() as service:
        service.herder.put_connector_config("src", source())
        own.wait(lambda: own.commits)
        service.herder.delete_connector("src")
        service.herder.put_connector_config("src", source(), initial_state="stopped")
        assert service.herder.connector_offsets("src")[0]["offset"] == {"n": 1}


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
