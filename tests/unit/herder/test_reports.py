"""States on their way to the status topic."""

from __future__ import annotations

import threading

import pytest

from replicator.api.errors import RetriableError
from replicator.herder import reports
from replicator.herder.reports import StatusReports
from replicator.herder.views import TaskId
from replicator.runtime.clock import SystemClock
from replicator.storage.states import State, TopicStatus


class Store:
    """Keeps what is written; refuses while `away` is set."""

    def __init__(self) -> None:
        self.written: list[object] = []
        self.away = threading.Event()
        self.refused = threading.Event()

    def _take(self, what: object) -> None:
        if self.away.is_set():
            self.refused.set()
            raise RetriableError("no broker")
        self.written.append(what)

    def put(self, status):
        self._take(("plain", status))

    def put_safe(self, status):
        self._take(("careful", status))

    def put_topic(self, topic):
        self._take(topic)

    def topics(self, connector):
        return [t for t in self.written if isinstance(t, TopicStatus)]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(reports, "_BACKOFF", 0.01)
    return Store()


@pytest.fixture
def running(store: Store):
    made = StatusReports(store, "w:1", lambda: 7, SystemClock())
    made.start()
    yield made
    store.away.clear()
    made.stop(5)


def test_the_version_of_the_class_is_told(store: Store) -> None:
    made = StatusReports(store, "w:1", lambda: 7, SystemClock(), {"c": "3.1"}.get)
    made.start()
    made.connector("c", "RUNNING")
    made.task(TaskId("c", 0), "RUNNING")
    made.task(TaskId("d", 0), "RUNNING")
    made.stop(5)
    assert [status.version for _, status in store.written] == ["3.1", "3.1", None]


def test_what_a_successor_wrote_is_not_covered(store: Store, running: StatusReports):
    running.task(TaskId("c", 0), "RUNNING")
    assert running.flush(5)
    running.task(TaskId("c", 0), "FAILED", "why")
    running.connector("c", "UNASSIGNED")
    assert running.flush(5)
    kinds = [(how, status.state, status.generation, status.worker_id) for how, status in store.written]
    assert kinds == [
        ("plain", State.RUNNING, 7, "w:1"),
        ("careful", State.FAILED, 7, "w:1"),
        ("careful", State.UNASSIGNED, 7, "w:1"),
    ]
    assert store.written[1][1].trace == "why"


def test_only_the_newest_state_is_written_after_an_outage(store: Store, running: StatusReports):
    store.away.set()
    running.task(TaskId("c", 0), "RUNNING")
    assert store.refused.wait(5)
    running.task(TaskId("c", 0), "PAUSED")
    running.task(TaskId("c", 1), "RUNNING")
    assert not running.flush(0.1)
    store.away.clear()
    assert running.flush(5)
    assert sorted((s.task, s.state.value) for _, s in store.written) == [(0, "PAUSED"), (1, "RUNNING")]


def test_topics_are_told_once(store: Store, running: StatusReports):
    for task in (0, 1, 0):
        running.topic(TaskId("c", task), "t")
    assert running.flush(5)
    assert [t.topic for t in store.written] == ["t"]
    running.forget_topics("c")
    store.written.clear()
    running.topic(TaskId("c", 1), "t")
    assert running.flush(5)
    assert [(t.topic, t.task) for t in store.written] == [("t", 1)]
