"""States of connectors, tasks and topics, as they are stored and as REST shows them. Immutable values, any thread."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.Enum):
    """State of a connector or task, as shown by REST; DESTROYED is stored as a tombstone."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FAILED = "FAILED"
    RESTARTING = "RESTARTING"
    STOPPED = "STOPPED"
    DESTROYED = "DESTROYED"


class TargetState(enum.Enum):
    """State the user wants a connector to be in."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """State of a connector. `trace` is the error of a failed one, `version` that of its class where it runs."""

    connector: str
    state: State
    worker_id: str
    generation: int = 0
    trace: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """State of a task."""

    connector: str
    task: int
    state: State
    worker_id: str
    generation: int = 0
    trace: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """A topic that a connector uses. `discovered` is milliseconds since the epoch."""

    topic: str
    connector: str
    task: int
    discovered: int
