"""States of connectors and tasks in Connect's status topic (5 compacted partitions). Any thread.

The store's own thread follows the topic, so that states written by other workers are seen too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Final

from replicator.broker.base import Broker
from replicator.broker.message import Message
from replicator.broker.topic_log import TopicLog
from replicator.storage.formats import dumps, loads_object
from replicator.storage.internal_topics import check_compacted, compacted
from replicator.storage.states import ConnectorStatus, State, TaskStatus, TopicStatus

_log = logging.getLogger(__name__)

_TOPIC: Final = "status-topic-"
_CONNECTOR: Final = "status-connector-"
_TASK: Final = "status-task-"
_TOPIC_SEPARATOR: Final = ":connector-"
_ENDING: Final = frozenset({State.UNASSIGNED, State.RESTARTING})


class TopicStatusStore:
    """See the module."""

    def __init__(
        self,
        broker: Broker,
        topic: str,
        *,
        partitions: int = 5,
        replication_factor: int = 3,
        settings: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> None:
        self._lock = threading.Lock()
        self._connectors: dict[str, ConnectorStatus] = {}
        self._tasks: dict[str, dict[int, TaskStatus]] = {}
        self._topics: dict[str, dict[str, TopicStatus]] = {}
        new = compacted(topic, partitions, replication_factor, settings)
        self._log = TopicLog(broker, new, self._record, client_id="statuses", writable=writable)

    def start(self) -> None:
        """Open the topic, read it, and follow it.

        Raises:
            ConfigError: the topic is not compacted.
        """
        self._log.start(
            lambda admin: check_compacted(
                admin, self._log.name, "status.storage.topic", "connector and task statuses"
            )
        )

    def stop(self) -> None:
        """Stop following."""
        self._log.stop()

    # -- states

    def put(self, status: ConnectorStatus | TaskStatus) -> None:
        """Store a state; DESTROYED removes it."""
        self._log.append([(_key(status), _value(status))])
        with self._lock:
            self._apply(status)

    def put_safe(self, status: ConnectorStatus | TaskStatus) -> None:
        """Store a state unless another worker of a newer generation has written one."""
        with self._lock:
            held = self._held(status)
        if held is None or held.worker_id == status.worker_id or status.generation >= held.generation:
            self.put(status)

    def connector(self, connector: str) -> ConnectorStatus | None:
        """State of a connector."""
        return self._connectors.get(connector)

    def task(self, connector: str, task: int) -> TaskStatus | None:
        """State of a task."""
        with self._lock:
            return self._tasks.get(connector, {}).get(task)

    def tasks(self, connector: str) -> list[TaskStatus]:
        """States of all tasks of a connector, by number."""
        with self._lock:
            return [status for _, status in sorted(self._tasks.get(connector, {}).items())]

    def connectors(self) -> set[str]:
        """Connectors with a state."""
        with self._lock:
            return set(self._connectors)

    # -- topics

    def put_topic(self, topic: TopicStatus) -> None:
        """A connector uses a topic."""
        stored = {
            "name": topic.topic,
            "connector": topic.connector,
            "task": topic.task,
            "discoverTimestamp": topic.discovered,
        }
        self._log.append([(_topic_key(topic.topic, topic.connector), dumps({"topic": stored}))])
        with self._lock:
            self._topics.setdefault(topic.connector, {})[topic.topic] = topic

    def topics(self, connector: str) -> list[TopicStatus]:
        """Topics a connector uses, by name."""
        with self._lock:
            return [status for _, status in sorted(self._topics.get(connector, {}).items())]

    def delete_topic(self, topic: str, connector: str) -> None:
        """Forget that a connector uses a topic."""
        self._log.append([(_topic_key(topic, connector), None)])
        with self._lock:
            self._topics.get(connector, {}).pop(topic, None)

    # -- reading

    def _record(self, message: Message) -> None:
        key = (message.key or b"").decode("utf-8", "replace")
        value = loads_object(message.value)
        if value is None and message.value is not None:
            _log.warning("Ignoring the status record %s: its value is no JSON object", key)
            return
        with self._lock:
            if key.startswith(_TOPIC):
                self._read_topic(key, value)
            elif key.startswith(_CONNECTOR):
                self._read_connector(key.removeprefix(_CONNECTOR), value)
            elif key.startswith(_TASK):
                self._read_task(key.removeprefix(_TASK), value)

    def _read_connector(self, connector: str, value: dict[str, Any] | None) -> None:
        if value is None:
            self._connectors.pop(connector, None)
        elif (facts := _facts(connector, value)) is not None:
            status = ConnectorStatus(connector, *facts)
            if not _late(status, self._connectors.get(connector)):
                self._connectors[connector] = status

    def _read_task(self, rest: str, value: dict[str, Any] | None) -> None:
        connector, dash, number = rest.rpartition("-")
        if not dash or not number.isdigit():
            _log.warning("Ignoring a status record with the key %s%s", _TASK, rest)
            return
        task = int(number)
        held = self._tasks.setdefault(connector, {})
        if value is None:
            held.pop(task, None)
        elif (facts := _facts(connector, value)) is not None:
            status = TaskStatus(connector, task, *facts)
            if not _late(status, held.get(task)):
                held[task] = status

    def _read_topic(self, key: str, value: dict[str, Any] | None) -> None:
        topic, separator, connector = key.removeprefix(_TOPIC).partition(_TOPIC_SEPARATOR)
        if not separator:
            return
        held = self._topics.setdefault(connector, {})
        if value is None:
            held.pop(topic, None)
            return
        stored = value.get("topic")
        if isinstance(stored, dict):
            held[topic] = TopicStatus(
                topic, connector, int(stored.get("task", 0)), int(stored.get("discoverTimestamp", 0))
            )

    def _held(self, status: ConnectorStatus | TaskStatus) -> ConnectorStatus | TaskStatus | None:
        if isinstance(status, ConnectorStatus):
            return self._connectors.get(status.connector)
        return self._tasks.get(status.connector, {}).get(status.task)

    def _apply(self, status: ConnectorStatus | TaskStatus) -> None:
        """Let our own writes be seen at once; the follower confirms them."""
        if _late(status, self._held(status)):
            return
        if isinstance(status, ConnectorStatus):
            if status.state is State.DESTROYED:
                self._connectors.pop(status.connector, None)
            else:
                self._connectors[status.connector] = status
        elif status.state is State.DESTROYED:
            self._tasks.get(status.connector, {}).pop(status.task, None)
        else:
            self._tasks.setdefault(status.connector, {})[status.task] = status


def _late(status: ConnectorStatus | TaskStatus, before: ConnectorStatus | TaskStatus | None) -> bool:
    """Whether a worker that lost a part reports late, as Kafka was away or it was frozen: its successor runs."""
    if before is None or status.state not in _ENDING or before.state is not State.RUNNING:
        return False
    if status.generation == before.generation:
        return status.worker_id != before.worker_id
    return status.generation < before.generation


def _key(status: ConnectorStatus | TaskStatus) -> bytes:
    if isinstance(status, ConnectorStatus):
        return f"{_CONNECTOR}{status.connector}".encode()
    return f"{_TASK}{status.connector}-{status.task}".encode()


def _topic_key(topic: str, connector: str) -> bytes:
    return f"{_TOPIC}{topic}{_TOPIC_SEPARATOR}{connector}".encode()


def _value(status: ConnectorStatus | TaskStatus) -> bytes | None:
    if status.state is State.DESTROYED:
        return None
    return dumps(
        {
            "state": status.state.value,
            "trace": status.trace,
            "worker_id": status.worker_id,
            "generation": status.generation,
            "version": status.version,
        }
    )


def _facts(connector: str, value: dict[str, Any]) -> tuple[State, str, int, str | None, str | None] | None:
    try:
        worker, generation = str(value["worker_id"]), int(value["generation"])
        return State(value["state"]), worker, generation, value.get("trace"), value.get("version")
    except (KeyError, ValueError, TypeError):
        _log.warning("Ignoring a badly shaped status record of %s", connector)
        return None
