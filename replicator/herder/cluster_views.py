"""What the internal topics say about connectors, in the shapes of REST. Any thread."""

from __future__ import annotations

from typing import Any

from replicator.api.errors import ConnectError, NotFoundError
from replicator.herder.views import (
    ConnectorInfo,
    ConnectorState,
    ConnectorStatus,
    TaskId,
    TaskInfo,
    TaskState,
)
from replicator.plugins.registry import Registry
from replicator.storage.base import ConfigState, StatusStore
from replicator.storage.config_store import TopicConfigStore
from replicator.storage.states import TaskStatus


class ClusterViews:
    """Reads the config and status stores."""

    def __init__(self, configs: TopicConfigStore, statuses: StatusStore, registry: Registry) -> None:
        self._configs = configs
        self._statuses = statuses
        self._registry = registry

    @property
    def state(self) -> ConfigState:
        """Everything configured."""
        return self._configs.state()

    def config(self, name: str, missing: str | None = None) -> dict[str, str]:
        """Stored configuration.

        Raises:
            NotFoundError: there is no such connector.
        """
        config = self.state.connectors.get(name)
        if config is None:
            raise NotFoundError(missing or f"Connector {name} not found")
        return dict(config)

    def kind(self, name: str) -> str:
        """source, sink or unknown."""
        return self._class_of(name)[0]

    def version(self, name: str) -> str | None:
        """Version of its class here; None where there is no such class."""
        return self._class_of(name)[1]

    def info(self, name: str) -> ConnectorInfo:
        """Configuration and tasks."""
        config = self.config(name)
        count = len(self.state.tasks.get(name, ()))
        return ConnectorInfo(name, config, [TaskId(name, n) for n in range(count)], self.kind(name))

    def task_infos(self, name: str) -> list[TaskInfo]:
        """Task configurations."""
        self.config(name)
        found = self.state.tasks.get(name, [])
        return [TaskInfo(TaskId(name, n), dict(config)) for n, config in enumerate(found)]

    def status(self, name: str) -> ConnectorStatus:
        """States, as the workers reported them."""
        # A deleted connector's states live on until its owners have stopped; nobody needs to see them.
        found = self._statuses.connector(name) if name in self.state.connectors else None
        if found is None:
            raise NotFoundError(f"No status found for connector {name}")
        kind, version = self._class_of(name)
        connector = ConnectorState(found.state.value, found.worker_id, found.trace, found.version or version)
        tasks = [_task_state(task, version) for task in self._statuses.tasks(name)]
        return ConnectorStatus(name, connector, tasks, kind)

    def task_status(self, name: str, task: int) -> TaskState:
        """State of one task."""
        found = self._statuses.task(name, task) if name in self.state.connectors else None
        if found is None:
            raise NotFoundError(f"No status found for task {name}-{task}")
        return _task_state(found, self._class_of(name)[1])

    def connector_class(self, name: str) -> type[Any]:
        """Class of a connector."""
        return self._registry.connector(self.config(name)["connector.class"])[1]

    def _class_of(self, name: str) -> tuple[str, str | None]:
        config = self.state.connectors.get(name, {})
        try:
            kind, cls = self._registry.connector(config.get("connector.class", ""))
        except ConnectError:
            return "unknown", None
        return kind, cls.version()


def _task_state(status: TaskStatus, version: str | None) -> TaskState:
    # Where it runs another version may be installed; records of former releases do not tell.
    return TaskState(
        status.task, status.state.value, status.worker_id, status.trace, status.version or version
    )
