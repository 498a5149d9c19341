"""A herder that remembers what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from replicator.api.errors import AlreadyExistsError, ConnectError, NotFoundError
from replicator.herder.views import (
    ConnectorInfo,
    ConnectorState,
    ConnectorStatus,
    Health,
    PluginInfo,
    TaskId,
    TaskInfo,
    TaskProgress,
    TaskState,
)


class FakeHerder:
    def __init__(self) -> None:
        self.configs: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.fail: Exception | None = None
        self.found_health = Health("healthy", "Worker has completed startup and is ready to handle requests.")
        self.traces: dict[str, str] = {}
        self.live: dict[str, list[TaskProgress]] = {}

    def _known(self, name: str) -> dict[str, Any]:
        if self.fail is not None:
            raise self.fail
        if name not in self.configs:
            raise NotFoundError(f"Connector {name} not found")
        return self.configs[name]

    def cluster_id(self) -> str:
        return "cluster-1"

    def health(self) -> Health:
        return self.found_health

    def connectors(self) -> list[str]:
        return sorted(self.configs)

    def connector_info(self, name: str) -> ConnectorInfo:
        return ConnectorInfo(name, self._known(name), [TaskId(name, 0)], "source")

    def connector_config(self, name: str) -> dict[str, str]:
        return self._known(name)

    def connector_status(self, name: str) -> ConnectorStatus:
        if name not in self.configs:
            raise NotFoundError(f"No status found for connector {name}")
        trace = self.traces.get(name)
        tasks = [TaskState(1, "RUNNING", "w:1"), TaskState(0, "FAILED" if trace else "RUNNING", "w:1", trace)]
        return ConnectorStatus(name, ConnectorState("RUNNING", "w:1"), tasks, "source")

    def task_status(self, name: str, task: int) -> TaskState:
        if task > 1:
            raise NotFoundError(f"No status found for task {name}-{task}")
        return TaskState(task, "RUNNING", "w:1")

    def progress(self, name: str) -> list[TaskProgress]:
        return self.live.get(name, [])

    def put_connector_config(
        self,
        name: str,
        config: Mapping[str, str | None],
        *,
        initial_state: str | None = None,
        allow_replace: bool = True,
    ) -> tuple[bool, ConnectorInfo]:
        if self.fail is not None:
            raise self.fail
        created = name not in self.configs
        if not created and not allow_replace:
            raise AlreadyExistsError(f"Connector {name} already exists")
        self.calls.append(("put", name, initial_state))
        self.configs[name] = dict(config)
        return created, ConnectorInfo(name, self.configs[name], [], "source")

    def patch_connector_config(self, name: str, patch: Mapping[str, str | None]) -> ConnectorInfo:
        merged = self._known(name) | patch
        self.configs[name] = {k: v for k, v in merged.items() if v is not None}
        return self.connector_info(name)

    def delete_connector(self, name: str) -> None:
        self._known(name)
        del self.configs[name]

    def pause_connector(self, name: str) -> None:
        self.calls.append(("pause", name))

    def resume_connector(self, name: str) -> None:
        self.calls.append(("resume", name))

    def stop_connector(self, name: str) -> None:
        self.calls.append(("stop", name))

    def restart_connector(
        self, name: str, *, include_tasks: bool = False, only_failed: bool = False
    ) -> ConnectorStatus:
        self._known(name)
        self.calls.append(("restart", name, include_tasks, only_failed))
        return self.connector_status(name)

    def signal(self, name: str, kind: str, data: Mapping[str, Any]) -> None:
        self._known(name)
        self.calls.append(("signal", name, kind, dict(data)))

    def restart_task(self, name: str, task: int) -> None:
        self.calls.append(("restart task", name, task))

    def task_infos(self, name: str) -> list[TaskInfo]:
        return [TaskInfo(TaskId(name, 0), {"task.class": "x"})]

    def active_topics(self, name: str) -> list[str]:
        return ["a", "b"] if name in self.configs else []

    def reset_active_topics(self, name: str) -> None:
        self.calls.append(("reset topics", name))

    def connector_offsets(self, name: str) -> list[dict[str, Any]]:
        self._known(name)
        return [{"partition": {"server": "p"}, "offset": {"lsn": 2**60}}]

    def alter_offsets(self, name: str, offsets: Sequence[Mapping[str, Any]]) -> str:
        self.calls.append(("alter", name, offsets))
        return "altered"

    def reset_offsets(self, name: str) -> str:
        self._known(name)
        return "reset"

    def plugins(self, *, connectors_only: bool = True) -> list[PluginInfo]:
        found = [PluginInfo("a.Source", "source", "1.0")]
        return found if connectors_only else [*found, PluginInfo("a.Json", "converter")]

    def plugin_config(self, plugin: str, version: str | None = None) -> list[dict[str, Any]]:
        if plugin != "C":
            raise NotFoundError(f"Unknown plugin {plugin}.")
        return [{"name": "odd.option", "type": "PASSWORD"}, {"name": "table", "type": "STRING"}]

    def validate(self, plugin: str, config: Mapping[str, str | None]) -> dict[str, Any]:
        if config.get("boom"):
            raise ConnectError("boom")
        return {"name": plugin, "error_count": 0, "groups": [], "configs": [], "seen": dict(config)}
