"""What the runtime and the herder store: states of connectors and tasks, configurations, source offsets.

Protocols only; `config_store`, `offset_store` and `status_store` keep them in topics, `file` and `memory` serve
standalone workers. Every store may be used from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from replicator.broker.message import NewMessage
from replicator.storage.states import ConnectorStatus, TargetState, TaskStatus, TopicStatus

OffsetPartition = Mapping[str, Any]
Offset = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Key with which workers sign requests to each other; `key` is base64."""

    key: str
    algorithm: str
    created: int


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """A restart asked for through REST."""

    connector: str
    only_failed: bool
    include_tasks: bool


@dataclass(frozen=True, slots=True)
class ConfigState:
    """Everything configured, at one moment.

    Attributes:
        offset: position in the config topic this was read up to.
        connectors: raw configurations.
        targets: wanted states.
        tasks: configurations by connector, complete sets only.
        task_counts: number of tasks of each connector; of inconsistent ones too.
        applied: the connector configuration from which the tasks were generated.
        fencing: task counts whose transactional producers were fenced.
        pending_fencing: connectors whose tasks changed since.
        inconsistent: connectors whose task set is incomplete.
        session_key: the newest key, or None.
    """

    offset: int = -1
    connectors: Mapping[str, dict[str, str]] = field(default_factory=dict)
    targets: Mapping[str, TargetState] = field(default_factory=dict)
    tasks: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
    task_counts: Mapping[str, int] = field(default_factory=dict)
    applied: Mapping[str, dict[str, str]] = field(default_factory=dict)
    fencing: Mapping[str, int] = field(default_factory=dict)
    pending_fencing: frozenset[str] = frozenset()
    inconsistent: frozenset[str] = frozenset()
    session_key: SessionKey | None = None


class ConfigListener:
    """Told about changes of the configuration, on the store's thread. Every method may be left out."""

    def connector_updated(self, connector: str) -> None:
        """A connector was created or changed."""

    def connector_removed(self, connector: str) -> None:
        """A connector was deleted."""

    def tasks_updated(self, connector: str) -> None:
        """A complete set of task configurations was committed."""

    def target_state_changed(self, connector: str) -> None:
        """The user wants another state."""

    def session_key_updated(self, key: SessionKey) -> None:
        """There is a new session key."""

    def restart_requested(self, request: RestartRequest) -> None:
        """Somebody asked for a restart."""

    def logger_level_changed(self, namespace: str, level: str) -> None:
        """The cluster-wide level of a logger changed."""


class OffsetStore(Protocol):
    """Source offsets. Partitions are compared by meaning, whatever the order of their keys."""

    def start(self) -> None:
        """Open; reads what is stored."""
        ...

    def stop(self) -> None:
        """Release."""
        ...

    def read(self, connector: str, partition: OffsetPartition) -> dict[str, Any] | None:
        """The stored offset of one source partition."""
        ...

    def offsets(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All (partition, offset) of a connector."""
        ...

    def write(self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]) -> None:
        """Store offsets, or with None forget them; returns when they are stored."""
        ...

    def messages(
        self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]
    ) -> list[NewMessage]:
        """The same as messages, to ride along in an atomic append (C8); empty when the store is no topic."""
        ...

    def observe(self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]) -> None:
        """Offsets were appended by way of `messages`: later reads must see them."""
        ...


class StatusStore(Protocol):
    """States of connectors and tasks, and the topics connectors use."""

    def start(self) -> None:
        """Open; reads what is stored."""
        ...

    def stop(self) -> None:
        """Release."""
        ...

    def put(self, status: ConnectorStatus | TaskStatus) -> None:
        """Store a state."""
        ...

    def put_safe(self, status: ConnectorStatus | TaskStatus) -> None:
        """Store a state unless a newer worker has taken over (for UNASSIGNED and FAILED)."""
        ...

    def connector(self, connector: str) -> ConnectorStatus | None:
        """State of a connector."""
        ...

    def task(self, connector: str, task: int) -> TaskStatus | None:
        """State of a task."""
        ...

    def tasks(self, connector: str) -> list[TaskStatus]:
        """States of all tasks of a connector, by number."""
        ...

    def connectors(self) -> set[str]:
        """Connectors with a state."""
        ...

    def put_topic(self, topic: TopicStatus) -> None:
        """A connector uses a topic."""
        ...

    def topics(self, connector: str) -> list[TopicStatus]:
        """Topics a connector uses."""
        ...

    def delete_topic(self, topic: str, connector: str) -> None:
        """Forget that a connector uses a topic."""
        ...


class ConfigStore(Protocol):
    """Configurations and wanted states."""

    def start(self) -> None:
        """Open; reads what is stored."""
        ...

    def stop(self) -> None:
        """Release."""
        ...

    def listen(self, listener: ConfigListener) -> None:
        """Whom to tell about changes; set before `start`."""
        ...

    def refresh(self, timeout: float = 30.0) -> None:
        """Read everything that was written until now."""
        ...

    def state(self) -> ConfigState:
        """Everything configured."""
        ...

    def put_connector(
        self, connector: str, config: Mapping[str, str], target: TargetState | None = None
    ) -> None:
        """Create or change a connector."""
        ...

    def remove_connector(self, connector: str) -> None:
        """Delete a connector and its wanted state."""
        ...

    def put_tasks(self, connector: str, configs: Sequence[Mapping[str, str]]) -> None:
        """Replace the task configurations of a connector."""
        ...

    def put_target(self, connector: str, target: TargetState) -> None:
        """Set the wanted state."""
        ...
