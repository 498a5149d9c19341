"""The connectors of soak and failure tests, in a service."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from replicator.broker.embedded import EmbeddedBroker
from replicator.plugins.registry import Registry
from tests.unit.runtime.service_fixture import eventually, running, task_state

TOOLS = "org.apache.kafka.connect.tools."
JSON = "org.apache.kafka.connect.json.JsonConverter"


def lines(capsys: pytest.CaptureFixture[str], into: list[dict[str, Any]]) -> list[dict[str, Any]]:
    into += [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return into


@pytest.mark.parametrize(
    "name", ["VerifiableSource", "MockSource", "SchemaSource", "VerifiableSink", "MockSink"]
)
def test_names(name: str) -> None:
    registry = Registry()
    assert registry.connector(f"{TOOLS}{name}Connector") == registry.connector(name)


@pytest.mark.parametrize("complete", ["false", "true"])
def test_a_sequence_has_no_gap_and_no_repetition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], complete: str
) -> None:
    source = {
        "name": "src", "connector.class": f"{TOOLS}VerifiableSourceConnector", "topic": "v", "throughput": "200",
        "tasks.max": "2", "complete.record.data": complete,
    }  # fmt: skip
    sink = {"name": "snk", "connector.class": "VerifiableSink", "topics": "v"}
    seen: list[dict[str, Any]] = []
    for _ in range(2):
        broker = EmbeddedBroker(tmp_path / "data")
        options = {"key.converter": JSON, "value.converter": JSON, "data.dir": str(tmp_path / "data")}
        with running(broker, **options) as service:
            service.herder.put_connector_config("src", source)
            service.herder.put_connector_config("snk", sink)
            before = len(seen)
            eventually(lambda before=before: len(lines(capsys, seen)) > before + 200)
        broker.close()
        lines(capsys, seen)
    committed = [line for line in seen if line.get("committed")]
    flushed = [line for line in seen if line.get("flushed")]
    for task in (0, 1):
        numbers = [line["seqno"] for line in flushed if line["task"] == task]
        assert numbers == list(range(len(numbers)))
        written = [line["seqno"] for line in committed if line["task"] == task]
        assert written == sorted(set(written))
        assert len(numbers) > 20
    assert {line["sinkTask"] for line in flushed} == {0}


def test_throughput_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with running() as service:
        source = {
            "connector.class": "SchemaSource",
            "topic": "v",
            "throughput": "100",
            "value.converter": JSON,
        }
        began = time.monotonic()
        service.herder.put_connector_config("src", source)
        seen: list[dict[str, Any]] = []
        eventually(lambda: len(lines(capsys, seen)) >= 40)
        assert 0.3 < time.monotonic() - began < 5


def test_schemas_take_turns(capsys: pytest.CaptureFixture[str]) -> None:
    with running() as service:
        source = {
            "connector.class": f"{TOOLS}SchemaSourceConnector", "topic": "v", "num.messages": "4",
            "multiple.schema": "true", "partition.count": "3", "value.converter": JSON,
        }  # fmt: skip
        service.herder.put_connector_config("src", source)
        consumer = service.broker.consumer("test", "test")
        consumer.subscribe(["v"])
        messages: list[Any] = []
        eventually(lambda: messages.extend(consumer.poll(10, 0.1)) or len(messages) == 4)
        consumer.close()
    found = [json.loads(message.value) for message in messages]
    assert [entry["schema"]["version"] for entry in found] == [1, 2, 1, 2]
    assert [entry["payload"].get("string") for entry in found] == [None, "def", None, "def"]
    assert [entry["payload"]["partitioning"] for entry in found] == [0, 1, 2, 0]


@pytest.mark.parametrize("kind", ["Source", "Sink"])
def test_mocks_fail_when_they_are_told(kind: str) -> None:
    with running() as service:
        more = {"topics": "t"} if kind == "Sink" else {}
        config = {
            "connector.class": f"{TOOLS}Mock{kind}Connector",
            "tasks.max": "3",
            "delay_ms": "50",
            **more,
        }
        service.herder.put_connector_config("quiet", config)
        service.herder.put_connector_config("task", {**config, "mock_mode": "task-failure"})
        service.herder.put_connector_config("connector", {**config, "mock_mode": "connector-failure"})
        eventually(lambda: task_state(service, "task") == "FAILED")
        eventually(lambda: service.herder.connector_status("connector").connector.state == "FAILED")
        assert service.herder.connector_status("task").connector.state == "RUNNING"
        assert task_state(service, "connector") == "RUNNING"
        assert task_state(service, "quiet") == "RUNNING"
        assert len(service.herder.task_infos("quiet")) == 1
