"""The status store writes Connect's records and shares states between workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from replicator.api import TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message
from replicator.storage import ConnectorStatus, State, TaskStatus, TopicStatus, TopicStatusStore


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(":memory:", maintenance=False) as opened:
        yield opened


@pytest.fixture
def stores(broker: EmbeddedBroker) -> Iterator[tuple[TopicStatusStore, TopicStatusStore]]:
    pair = TopicStatusStore(broker, "status"), TopicStatusStore(broker, "status")
    for store in pair:
        store.start()
    yield pair
    for store in pair:
        store.stop()


def everything(broker: EmbeddedBroker) -> list[Message]:
    consumer = broker.consumer("test")
    consumer.assign([TopicPartition("status", n) for n in range(5)])
    found = consumer.poll(1000, 0)
    consumer.close()
    return found


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "did not become true"
        time.sleep(0.005)


def test_records_are_connects_own(
    broker: EmbeddedBroker, stores: tuple[TopicStatusStore, TopicStatusStore]
) -> None:
    store = stores[0]
    store.put(ConnectorStatus("c", State.RUNNING, "10.0.0.1:8083", 7))
    store.put(TaskStatus("c", 0, State.FAILED, "w", 7, "boom"))
    store.put_topic(TopicStatus("t:connector-x", "c", 0, 1690000000000))
    store.put(ConnectorStatus("c", State.DESTROYED, "w", 7))
    assert [(m.key, m.value) for m in everything(broker)] == [
        (
            b"status-connector-c",
            b'{"state":"RUNNING","trace":null,"worker_id":"10.0.0.1:8083","generation":7,"version":null}',
        ),
        (
            b"status-task-c-0",
            b'{"state":"FAILED","trace":"boom","worker_id":"w","generation":7,"version":null}',
        ),
        (
            b"status-topic-t:connector-x:connector-c",
            b'{"topic":{"name":"t:connector-x","connector":"c","task":0,"discoverTimestamp":1690000000000}}',
        ),
        (b"status-connector-c", None),
    ]


def test_other_workers_see_states(stores: tuple[TopicStatusStore, TopicStatusStore]) -> None:
    mine, other = stores
    mine.put(ConnectorStatus("my-c-2", State.RUNNING, "w", 1))
    paused = TaskStatus("my-c-2", 3, State.PAUSED, "w", 1, version="4.1.1")
    mine.put(paused)
    eventually(lambda: other.task("my-c-2", 3) == paused)
    assert other.connector("my-c-2") == ConnectorStatus("my-c-2", State.RUNNING, "w", 1)
    assert other.connectors() == {"my-c-2"}
    mine.put(TaskStatus("my-c-2", 3, State.DESTROYED, "w", 1))
    eventually(lambda: other.tasks("my-c-2") == [])


def test_a_safe_write_yields_to_a_newer_worker(stores: tuple[TopicStatusStore, TopicStatusStore]) -> None:
    store = stores[0]
    store.put(TaskStatus("c", 0, State.RUNNING, "new", 5))
    store.put_safe(TaskStatus("c", 0, State.FAILED, "old", 4, "late"))
    assert store.task("c", 0) == TaskStatus("c", 0, State.RUNNING, "new", 5)
    store.put_safe(TaskStatus("c", 0, State.FAILED, "new", 4, "mine"))
    assert store.task("c", 0) == TaskStatus("c", 0, State.FAILED, "new", 4, "mine")


def test_a_late_unassigned_does_not_hide_running(stores: tuple[TopicStatusStore, TopicStatusStore]) -> None:
    mine, other = stores
    mine.put(TaskStatus("c", 0, State.RUNNING, "new", 5))
    mine.put(TaskStatus("c", 0, State.UNASSIGNED, "old", 5))
    mine.put(TaskStatus("c", 1, State.RUNNING, "new", 5))
    eventually(lambda: other.task("c", 1) is not None)
    held = other.task("c", 0)
    assert held is not None
    assert held.state is State.RUNNING


def test_a_worker_that_was_frozen_does_not_hide_running(
    stores: tuple[TopicStatusStore, TopicStatusStore],
) -> None:
    """Its consumer is fenced when it wakes up, and it starts the task again before it knows that it has lost it."""
    mine, other = stores
    mine.put(TaskStatus("c", 0, State.RUNNING, "new", 5))
    mine.put(TaskStatus("c", 0, State.RESTARTING, "old", 4, "fenced"))
    mine.put(TaskStatus("c", 1, State.RUNNING, "old", 4))
    mine.put(TaskStatus("c", 1, State.RESTARTING, "old", 4, "its own"))
    eventually(lambda: (found := other.task("c", 1)) is not None and found.state is State.RESTARTING)
    assert other.task("c", 0) == TaskStatus("c", 0, State.RUNNING, "new", 5)


def test_a_late_unassigned_of_a_connector_does_not_hide_running(
    stores: tuple[TopicStatusStore, TopicStatusStore],
) -> None:
    """A worker's report may reach Kafka after that of its successor: Kafka was away when it was made."""
    mine, other = stores
    mine.put(ConnectorStatus("c", State.RUNNING, "new", 9))
    mine.put(ConnectorStatus("c", State.UNASSIGNED, "old", 8))
    mine.put(ConnectorStatus("d", State.RUNNING, "one", 9))
    mine.put(ConnectorStatus("d", State.UNASSIGNED, "one", 9))
    eventually(lambda: (found := other.connector("d")) is not None and found.state is State.UNASSIGNED)
    assert other.connector("c") == ConnectorStatus("c", State.RUNNING, "new", 9)
    assert mine.connector("c") == other.connector("c")


def test_topics_of_a_connector(stores: tuple[TopicStatusStore, TopicStatusStore]) -> None:
    mine, other = stores
    mine.put_topic(TopicStatus("b", "c", 0, 1))
    mine.put_topic(TopicStatus("a", "c", 0, 2))
    eventually(lambda: [t.topic for t in other.topics("c")] == ["a", "b"])
    mine.delete_topic("a", "c")
    eventually(lambda: [t.topic for t in other.topics("c")] == ["b"])
