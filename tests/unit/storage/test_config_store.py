"""The config store writes Connect's records and follows Connect's rules when it reads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replicator.api import TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from replicator.storage import ConfigListener, RestartRequest, SessionKey, TargetState, TopicConfigStore


class Recorder(ConfigListener):
    def __init__(self) -> None:
        self.events: list[object] = []

    def connector_updated(self, connector: str) -> None:
        self.events.append(("updated", connector))

    def connector_removed(self, connector: str) -> None:
        self.events.append(("removed", connector))

    def tasks_updated(self, connector: str) -> None:
        self.events.append(("tasks", connector))

    def target_state_changed(self, connector: str) -> None:
        self.events.append(("target", connector))

    def restart_requested(self, request: RestartRequest) -> None:
        self.events.append(request)

    def logger_level_changed(self, namespace: str, level: str) -> None:
        self.events.append(("logger", namespace, level))


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(":memory:", maintenance=False) as opened:
        yield opened


@pytest.fixture
def listener() -> Recorder:
    return Recorder()


@pytest.fixture
def store(broker: EmbeddedBroker, listener: Recorder) -> Iterator[TopicConfigStore]:
    opened = TopicConfigStore(broker, "configs")
    opened.listen(listener)
    opened.start()
    yield opened
    opened.stop()


def records(broker: EmbeddedBroker) -> list[tuple[bytes | None, bytes | None]]:
    consumer = broker.consumer("test")
    consumer.assign([TopicPartition("configs", 0)])
    found = [(m.key, m.value) for m in consumer.poll(1000, 0)]
    consumer.close()
    return found


def test_records_are_connects_own(broker: EmbeddedBroker, store: TopicConfigStore) -> None:
    store.put_connector("c", {"name": "c", "tasks.max": "2"}, TargetState.PAUSED)
    store.put_tasks("c", [{"a": "1"}, {"a": "2"}])
    store.put_target("c", TargetState.STOPPED)
    store.put_session_key(SessionKey("AAA=", "HmacSHA256", 17))
    store.put_restart(RestartRequest("c", only_failed=True, include_tasks=False))
    store.put_fencing("c", 2)
    store.put_logger_level("org.x", "DEBUG")
    store.remove_connector("c")
    assert records(broker) == [
        (b"target-state-c", b'{"state":"PAUSED","state.v2":"PAUSED"}'),
        (b"connector-c", b'{"properties":{"name":"c","tasks.max":"2"}}'),
        (b"task-c-0", b'{"properties":{"a":"1"}}'),
        (b"task-c-1", b'{"properties":{"a":"2"}}'),
        (b"commit-c", b'{"tasks":2}'),
        (b"target-state-c", b'{"state":"PAUSED","state.v2":"STOPPED"}'),
        (b"session-key", b'{"key":"AAA=","algorithm":"HmacSHA256","creation-timestamp":17}'),
        (b"restart-connector-c", b'{"include-tasks":false,"only-failed":true}'),
        (b"tasks-fencing-c", b'{"task-count":2}'),
        (b"logger-cluster-org.x", b'{"level":"DEBUG"}'),
        (b"connector-c", None),
        (b"target-state-c", None),
    ]


def test_the_listener_hears_of_changes(store: TopicConfigStore, listener: Recorder) -> None:
    store.put_connector("c", {"name": "c"})
    store.put_tasks("c", [{"a": "1"}])
    store.put_target("c", TargetState.PAUSED)
    store.put_restart(RestartRequest("c", only_failed=False, include_tasks=True))
    store.remove_connector("c")
    assert listener.events == [
        ("updated", "c"),
        ("tasks", "c"),
        ("target", "c"),
        RestartRequest("c", only_failed=False, include_tasks=True),
        ("removed", "c"),
    ]


def test_a_new_worker_restores_the_state(broker: EmbeddedBroker, store: TopicConfigStore) -> None:
    store.put_connector("my-c-1", {"name": "my-c-1"}, TargetState.STOPPED)
    store.put_tasks("my-c-1", [{"n": "0"}, {"n": "1"}])
    store.put_tasks("my-c-1", [{"n": "2"}])
    other = TopicConfigStore(broker, "configs")
    other.start()
    state = other.state()
    other.stop()
    assert state.connectors == {"my-c-1": {"name": "my-c-1"}}
    assert state.targets == {"my-c-1": TargetState.STOPPED}
    assert state.tasks == {"my-c-1": [{"n": "2"}]}
    assert state.offset == store.state().offset


def feed(broker: EmbeddedBroker, *found: tuple[str, bytes | None]) -> TopicConfigStore:
    broker.producer("java").append([NewMessage("configs", k.encode(), v, 0) for k, v in found])
    store = TopicConfigStore(broker, "configs")
    store.start()
    store.stop()
    return store


def test_an_incomplete_task_set_is_inconsistent(broker: EmbeddedBroker) -> None:
    state = feed(
        broker,
        ("connector-c", b'{"properties":{}}'),
        ("task-c-0", b'{"properties":{}}'),
        ("commit-c", b'{"tasks":2}'),
    ).state()
    assert (state.inconsistent, state.tasks, state.task_counts) == ({"c"}, {}, {"c": 2})


def test_what_a_deleted_connector_left_behind_means_nothing(broker: EmbeddedBroker) -> None:
    state = feed(
        broker, ("task-c-0", b'{"properties":{}}'), ("commit-c", b'{"tasks":1}'), ("connector-c", None)
    ).state()
    assert (state.connectors, state.tasks, state.targets) == ({}, {}, {})


def test_uncommitted_tasks_do_not_count(broker: EmbeddedBroker) -> None:
    state = feed(
        broker, ("connector-c", b'{"properties":{}}'), ("task-c-0", b'{"properties":{"x":"y"}}')
    ).state()
    assert state.tasks == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"state":"PAUSED"}', TargetState.PAUSED),
        (b'{"state":"PAUSED","state.v2":"STOPPED"}', TargetState.STOPPED),
        (b'{"state":"NAPPING"}', TargetState.STARTED),
        (b"not json", TargetState.STARTED),
        (None, TargetState.STARTED),
    ],
)
def test_target_states_are_read_as_connect_does(
    broker: EmbeddedBroker, value: bytes | None, expected: TargetState
) -> None:
    state = feed(broker, ("connector-c", b'{"properties":{}}'), ("target-state-c", value)).state()
    assert state.targets == {"c": expected}


def test_events_of_the_startup_read_are_not_repeated(broker: EmbeddedBroker, listener: Recorder) -> None:
    feed(broker, ("connector-c", b'{"properties":{}}'), ("restart-connector-c", b"{}"))
    store = TopicConfigStore(broker, "configs")
    store.listen(listener)
    store.start()
    store.stop()
    assert listener.events == []
