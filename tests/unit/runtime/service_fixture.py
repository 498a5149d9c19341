"""A service over an in-memory log with the fake connectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from replicator.plugins.registry import Registry
from replicator.service import Service
from replicator.testing.fakes import SCRIPTS, FakeSink, FakeSource, Script

STRING_CONVERTER = "org.apache.kafka.connect.storage.StringConverter"
FAST = {
    "listeners": "off",
    "offset.flush.interval.ms": "50",
    "durability.interval.ms": "20",
    "key.converter": STRING_CONVERTER,
    "value.converter": STRING_CONVERTER,
}


@contextmanager
def running(broker: Broker | None = None, **options: str) -> Iterator[Service]:
    """A started service; stopped at the end, with the broker it was given left open."""
    registry = Registry()
    registry.add("source", FakeSource)
    registry.add("sink", FakeSink)
    service = Service({**FAST, **options}, registry=registry, broker=broker or EmbeddedBroker(":memory:"))
    service.start()
    try:
        yield service
    finally:
        service.stop()


def script(name: str) -> Script:
    """A new script of that name."""
    SCRIPTS[name] = Script()
    return SCRIPTS[name]


def source(name: str = "src", **options: str) -> dict[str, str]:
    """Options of a fake source whose script has its name."""
    return {"name": name, "connector.class": "FakeSource", "script": name, **options}


def sink(name: str = "snk", **options: str) -> dict[str, str]:
    """Options of a fake sink whose script has its name."""
    return {"name": name, "connector.class": "FakeSink", "script": name, "topics": "t", **options}


def eventually(condition: Callable[[], Any], timeout: float = 40.0) -> Any:
    """The first true answer of `condition`; fails when there is none in time."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
    return answer


def task_state(service: Service, name: str, task: int = 0) -> str:
    """State of a task."""
    return service.herder.task_status(name, task).state


def write(service: Service, *values: str | None, topic: str = "t", **attributes: Any) -> None:
    admin = service.broker.admin()
    admin.create_topics([NewTopic(topic)])
    producer = service.broker.producer("test")
    for value in values:
        producer.append([NewMessage(topic, b"k", None if value is None else value.encode(), **attributes)])


def group_offset(service: Service, name: str = "snk") -> int | None:
    found = service.herder.connector_offsets(name)
    return found[0]["offset"]["kafka_offset"] if found else None


def states(service: Service, name: str) -> tuple[str, list[str]]:
    status = service.herder.connector_status(name)
    return status.connector.state, [t.state for t in status.tasks]


def all_running(service: Service, name: str, tasks: int) -> bool:
    return states(service, name) == ("RUNNING", ["RUNNING"] * tasks)
