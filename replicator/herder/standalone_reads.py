"""What a standalone herder answers about its connectors. Any thread; the herder's lock guards the entries."""

from __future__ import annotations

import threading
from typing import Any

from replicator.api.errors import NotFoundError
from replicator.herder.entry import STARTED, Entry
from replicator.herder.offset_changes import OffsetChanges
from replicator.herder.tracking import check_resettable, check_tracked
from replicator.herder.views import ConnectorInfo, ConnectorStatus, TaskInfo, TaskProgress, TaskState
from replicator.runtime.assembly import WorkerParts


class StandaloneReads:
    """Configurations, states, topics and offsets; `StandaloneHerder` sets what they are read from."""

    _parts: WorkerParts
    _worker_id: str
    _entries: dict[str, Entry]
    _lock: threading.RLock

    def connectors(self) -> list[str]:
        """Names, sorted."""
        return sorted(self._entries)

    def connector_info(self, name: str) -> ConnectorInfo:
        """Configuration and tasks."""
        with self._lock:
            return self._entry(name).info()

    def connector_config(self, name: str) -> dict[str, str]:
        """The unresolved configuration."""
        with self._lock:
            return dict(self._entry(name).config)

    def connector_status(self, name: str) -> ConnectorStatus:
        """States."""
        with self._lock:
            return self._entry(name, f"No status found for connector {name}").status(self._worker_id)

    def task_status(self, name: str, task: int) -> TaskState:
        """State of one task."""
        missing = f"No status found for task {name}-{task}"
        with self._lock:
            entry = self._entry(name, missing)
            if not 0 <= task < len(entry.task_configs):
                raise NotFoundError(missing)
            return entry.task_state(task, self._worker_id)

    def progress(self, name: str) -> list[TaskProgress]:
        """Live facts of the tasks."""
        with self._lock:
            return self._entry(name).progress()

    def task_infos(self, name: str) -> list[TaskInfo]:
        """Task configurations."""
        with self._lock:
            return self._entry(name).task_infos()

    def active_topics(self, name: str) -> list[str]:
        """Topics used; empty for an unknown connector, as in Connect."""
        check_tracked(self._parts.config)
        with self._lock:
            entry = self._entries.get(name)
            return sorted(entry.topics) if entry else []

    def reset_active_topics(self, name: str) -> None:
        """Forget the topics used."""
        check_resettable(self._parts.config)
        with self._lock:
            entry = self._entries.get(name)
            if entry:
                entry.topics.clear()

    def started_sinks(self) -> dict[str, dict[str, str]]:
        """Unresolved configurations of the sinks that are to run."""
        with self._lock:
            wanted = [e for e in self._entries.values() if e.kind == "sink" and e.target == STARTED]
            return {entry.name: dict(entry.config) for entry in wanted}

    # Offsets

    def connector_offsets(self, name: str) -> list[dict[str, Any]]:
        """Stored offsets of a source, group positions of a sink."""
        return self._offsets(self._entry(name)).show()

    def _offsets(self, entry: Entry) -> OffsetChanges:
        cls = self._parts.registry.connector(entry.config["connector.class"])[1]
        return OffsetChanges(self._parts, entry.name, entry.kind, cls, entry.config)

    # Finding

    def _entry(self, name: str, missing: str | None = None) -> Entry:
        entry = self._entries.get(name)
        if entry is None:
            raise NotFoundError(missing or f"Connector {name} not found")
        return entry

    def _known(self, name: str) -> Entry:
        return self._entry(name, f"Unknown connector {name}")
