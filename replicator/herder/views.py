"""What the herder answers: connectors, their states, tasks, plugins and live facts. Immutable values, any thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class TaskId(NamedTuple):
    """A task of a connector."""

    connector: str
    task: int

    def to_json(self) -> dict[str, Any]:
        """Connect's ConnectorTaskId."""
        return {"connector": self.connector, "task": self.task}


@dataclass(frozen=True, slots=True)
class ConnectorInfo:
    """A connector's stored configuration (unresolved, INV-9) and its tasks."""

    name: str
    config: Mapping[str, str]
    tasks: Sequence[TaskId]
    type: str

    def to_json(self) -> dict[str, Any]:
        """Connect's ConnectorInfo."""
        tasks = [t.to_json() for t in self.tasks]
        return {"name": self.name, "config": dict(self.config), "tasks": tasks, "type": self.type}


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """A task's stored configuration (unresolved)."""

    id: TaskId
    config: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Connect's TaskInfo."""
        return {"id": self.id.to_json(), "config": dict(self.config)}


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """State of the connector instance: UNASSIGNED, RUNNING, PAUSED, FAILED, RESTARTING, STOPPED."""

    state: str
    worker_id: str
    trace: str | None = None
    version: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The `connector` member of ConnectorStateInfo; empty members are left out."""
        shown: dict[str, Any] = {"state": self.state, "worker_id": self.worker_id}
        return shown | _present(trace=self.trace, version=self.version)


@dataclass(frozen=True, slots=True)
class TaskState:
    """State of one task."""

    id: int
    state: str
    worker_id: str
    trace: str | None = None
    version: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A member of ConnectorStateInfo's `tasks`."""
        shown: dict[str, Any] = {"id": self.id, "state": self.state, "worker_id": self.worker_id}
        return shown | _present(trace=self.trace, version=self.version)


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """Connect's ConnectorStateInfo."""

    name: str
    connector: ConnectorState
    tasks: Sequence[TaskState]
    type: str

    def to_json(self) -> dict[str, Any]:
        """Tasks are sorted by id."""
        tasks = [t.to_json() for t in sorted(self.tasks, key=lambda t: t.id)]
        return {"name": self.name, "connector": self.connector.to_json(), "tasks": tasks, "type": self.type}


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plugin: class name as users write it, and kind (source, sink, converter ...)."""

    class_name: str
    type: str
    version: str | None = None

    def to_json(self) -> dict[str, Any]:
        """A member of GET /connector-plugins."""
        shown: dict[str, Any] = {"class": self.class_name, "type": self.type}
        return shown | _present(version=self.version)


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """Live facts of one task (own; not part of Connect's REST).

    Attributes:
        id: the task.
        state: as in TaskState.
        stats: records_in, records_out, rates, last_poll_ms, last_put_ms, lag_ms (see runtime.stats).
        facts: what the task published through `context.progress`.
        gauges: numbers published through `context.gauge`, by name with labels.
        measures: further figures for /metrics (see runtime.measures).
        silent_seconds: how long it has been in its present step.
    """

    id: TaskId
    state: str
    stats: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)
    silent_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """All members, as plain JSON values."""
        return {
            "id": self.id.to_json(),
            "state": self.state,
            "stats": dict(self.stats),
            "facts": dict(self.facts),
            "gauges": dict(self.gauges),
        }


class Health(NamedTuple):
    """`status` is healthy, starting or unhealthy; see GET /health."""

    status: str
    message: str


def _present(**members: str | None) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
