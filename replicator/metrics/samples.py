"""What a worker tells of itself, its connectors and tasks, at one moment. Plain values; any thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from replicator.metrics.exposition import CONTENT_TYPE as CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class TaskSample:
    """What is known of one task.

    Attributes:
        connector: its connector.
        kind: `source` or `sink`.
        task: its index.
        state: its state.
        stats: figures of its loop.
        facts: what it published about its work.
        gauges: numbers it published, `name` or `name{label="value"}`.
        measures: further figures of its loop, see runtime.measures.
    """

    connector: str
    kind: str
    task: int
    state: str
    stats: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all its metrics."""
        return {"connector": self.connector, "task": str(self.task)}


@dataclass(frozen=True, slots=True)
class ConnectorSample:
    """What is known of one connector.

    Attributes:
        state: its state.
        tasks: states of all its tasks.
        info: labels of its info metric.
    """

    state: str
    tasks: Sequence[str] = ()
    info: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerSample:
    """What is known of the worker.

    Attributes:
        version: the running version.
        measures: attributes of connect-worker-metrics, with `_` for `-`.
        rebalance: those of connect-worker-rebalance-metrics and connect-coordinator-metrics.
        process: samples of the process by metric name.
    """

    version: str = ""
    measures: Mapping[str, Any] = field(default_factory=dict)
    rebalance: Mapping[str, Any] = field(default_factory=dict)
    process: Mapping[str, float] = field(default_factory=dict)
