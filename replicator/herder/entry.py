"""One connector of a standalone herder: its configuration, target state, instance and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from replicator.herder.views import (
    ConnectorInfo,
    ConnectorState,
    ConnectorStatus,
    TaskId,
    TaskInfo,
    TaskProgress,
    TaskState,
)
from replicator.runtime.connector import ConnectorRunner
from replicator.runtime.worker import TaskHandle

STARTED, PAUSED, STOPPED = "STARTED", "PAUSED", "STOPPED"


@dataclass(slots=True)
class Entry:
    """See the module; guarded by the herder's lock.

    Attributes:
        kind: source or sink.
        version: version of the connector class.
        config: unresolved options.
        target: STARTED, PAUSED or STOPPED.
        runner: the connector instance.
        task_configs: unresolved options of the tasks.
        tasks: running tasks, by index.
        topics: topics used so far.
    """

    name: str
    kind: str
    version: str
    config: dict[str, str]
    target: str
    runner: ConnectorRunner
    task_configs: list[dict[str, str]] = field(default_factory=list)
    tasks: dict[int, TaskHandle] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)

    def info(self) -> ConnectorInfo:
        """For REST."""
        return ConnectorInfo(self.name, dict(self.config), self.task_ids(), self.kind)

    def task_ids(self) -> list[TaskId]:
        """Ids of the configured tasks."""
        return [TaskId(self.name, number) for number in range(len(self.task_configs))]

    def task_infos(self) -> list[TaskInfo]:
        """For REST."""
        return [TaskInfo(i, dict(c)) for i, c in zip(self.task_ids(), self.task_configs, strict=True)]

    def status(self, worker_id: str) -> ConnectorStatus:
        """States as they are now."""
        connector = ConnectorState(self.runner.state, worker_id, self.runner.trace, self.version)
        tasks = [self.task_state(number, worker_id) for number in range(len(self.task_configs))]
        return ConnectorStatus(self.name, connector, tasks, self.kind)

    def task_state(self, number: int, worker_id: str) -> TaskState:
        """State of one configured task."""
        handle = self.tasks.get(number)
        if handle is None:
            return TaskState(number, "UNASSIGNED", worker_id, None, self.version)
        return TaskState(number, handle.state, worker_id, handle.trace, self.version)

    def progress(self) -> list[TaskProgress]:
        """Live facts of the tasks."""
        return [
            TaskProgress(
                TaskId(self.name, n), h.state, h.stats(), h.facts(), h.gauges(), h.measures(), h.silent_for()
            )
            for n, h in sorted(self.tasks.items())
        ]


def unresolve(
    task_config: Mapping[str, str], raw: Mapping[str, str], resolved: Mapping[str, str]
) -> dict[str, str]:
    """A task configuration with what was resolved turned back into placeholders before it is kept (INV-9)."""
    placeholders = {resolved[name]: text for name, text in raw.items() if resolved[name] != text}
    stored: dict[str, str] = {}
    for name, value in task_config.items():
        if name in raw and resolved[name] == value:
            stored[name] = raw[name]
        else:
            stored[name] = placeholders.get(value, value)
    return stored
