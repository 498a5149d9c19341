"""Writes states of connectors and tasks to the status topic, on a thread of its own.

Tasks report from their own threads and never wait for the broker. A state that is not written yet gives way to a
newer one of the same connector or task; writing is tried again until it succeeds (Kafka may be away for long).
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from replicator.api.errors import ConnectError, RetriableError
from replicator.herder.views import TaskId
from replicator.runtime.clock import Clock
from replicator.storage.base import StatusStore
from replicator.storage.states import ConnectorStatus, State, TaskStatus, TopicStatus

log = logging.getLogger(__name__)

_BACKOFF: Final = 0.5
# Reports of a worker that may have lost the work meanwhile: they must not cover what its successor wrote.
_CAREFUL: Final = frozenset({State.UNASSIGNED, State.RESTARTING, State.FAILED})

_Report = ConnectorStatus | TaskStatus | TopicStatus
_Key = tuple[str, str, int]


class StatusReports:
    """See the module. Methods may be called from any thread."""

    def __init__(
        self,
        store: StatusStore,
        worker_id: str,
        generation: Callable[[], int],
        clock: Clock,
        version: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        # `version` tells that of a connector's class here.
        self._store = store
        self._worker_id = worker_id
        self._generation = generation
        self._clock = clock
        self._version = version
        self._pending: OrderedDict[_Key, _Report] = OrderedDict()
        self._changed = threading.Condition()
        self._writing = False
        self._stopping = threading.Event()
        self._topics: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._run, name="status-reports", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Write what is left within `timeout` seconds, and end."""
        self.flush(timeout)
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def connector(self, name: str, state: str, trace: str | None = None) -> None:
        """A connector has this state now."""
        status = ConnectorStatus(
            name, State(state), self._worker_id, self._generation(), trace, self._version(name)
        )
        self._put(("connector", name, -1), status)

    def task(self, task: TaskId, state: str, trace: str | None = None) -> None:
        """A task has this state now."""
        status = TaskStatus(
            task.connector,
            task.task,
            State(state),
            self._worker_id,
            self._generation(),
            trace,
            self._version(task.connector),
        )
        self._put(("task", task.connector, task.task), status)

    def topic(self, task: TaskId, topic: str) -> None:
        """A task uses a topic."""
        if (task.connector, topic) in self._topics:
            return
        self._topics.add((task.connector, topic))
        if any(known.topic == topic for known in self._store.topics(task.connector)):
            return
        seen = TopicStatus(topic, task.connector, task.task, self._clock.wall_ms())
        self._put((f"topic {topic}", task.connector, -1), seen)

    def forget_topics(self, connector: str) -> None:
        """The connector's topics were reset: report them again when they are used again."""
        self._topics = {known for known in self._topics if known[0] != connector}

    def flush(self, timeout: float) -> bool:
        """Wait until everything reported so far is written; False when time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending and not self._writing, timeout)

    def _put(self, key: _Key, report: _Report) -> None:
        with self._changed:
            self._pending.pop(key, None)
            self._pending[key] = report
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._pending) or self._stopping.is_set())
                if not self._pending:
                    return
                key, report = self._pending.popitem(last=False)
                self._writing = True
            done = self._write(report)
            with self._changed:
                self._writing = False
                if not done and key not in self._pending:
                    self._pending[key] = report
                    self._pending.move_to_end(key, last=False)
                self._changed.notify_all()
            if not done and self._stopping.wait(_BACKOFF):
                return

    def _write(self, report: _Report) -> bool:
        """False when it is to be tried again."""
        try:
            if isinstance(report, TopicStatus):
                self._store.put_topic(report)
            elif report.state in _CAREFUL:
                self._store.put_safe(report)
            else:
                self._store.put(report)
        except RetriableError as error:
            log.warning("A state could not be written yet: %s", error)
            return False
        except ConnectError as error:
            log.error("A state could not be written: %s", error)
        return True
