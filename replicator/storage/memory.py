"""Configurations kept in memory: standalone workers read theirs from files at every start. Any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from replicator.storage.base import ConfigListener, ConfigState
from replicator.storage.states import TargetState


class MemoryConfigStore:
    """Listeners are called on the writing thread, after the change is visible."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listener = ConfigListener()
        self._connectors: dict[str, dict[str, str]] = {}
        self._targets: dict[str, TargetState] = {}
        self._tasks: dict[str, list[dict[str, str]]] = {}
        self._applied: dict[str, dict[str, str]] = {}
        self._changes = 0

    def start(self) -> None:
        """Nothing is stored."""

    def stop(self) -> None:
        """Nothing to release."""

    def listen(self, listener: ConfigListener) -> None:
        """Whom to tell about changes."""
        self._listener = listener

    def refresh(self, timeout: float = 30.0) -> None:
        """Always up to date."""

    def state(self) -> ConfigState:
        """Everything configured."""
        with self._lock:
            return ConfigState(
                offset=self._changes,
                connectors={name: dict(config) for name, config in self._connectors.items()},
                targets=dict(self._targets),
                tasks={name: [dict(c) for c in configs] for name, configs in self._tasks.items()},
                task_counts={name: len(configs) for name, configs in self._tasks.items()},
                applied={name: dict(config) for name, config in self._applied.items()},
            )

    def put_connector(
        self, connector: str, config: Mapping[str, str], target: TargetState | None = None
    ) -> None:
        """Create or change a connector."""

        def change() -> None:
            self._connectors[connector] = dict(config)
            if target is not None:
                self._targets[connector] = target
            self._targets.setdefault(connector, TargetState.STARTED)

        self._change(change)
        self._listener.connector_updated(connector)

    def remove_connector(self, connector: str) -> None:
        """Delete a connector."""
        with self._lock:
            known = self._connectors.pop(connector, None) is not None
            self._targets.pop(connector, None)
            self._tasks.pop(connector, None)
            self._applied.pop(connector, None)
            self._changes += 1
        if known:
            self._listener.connector_removed(connector)

    def put_tasks(self, connector: str, configs: Sequence[Mapping[str, str]]) -> None:
        """Replace the task configurations of a connector."""

        def change() -> None:
            self._tasks[connector] = [dict(config) for config in configs]
            self._applied[connector] = self._connectors.get(connector, {})

        self._change(change)
        self._listener.tasks_updated(connector)

    def put_target(self, connector: str, target: TargetState) -> None:
        """Set the wanted state."""
        changed = self._targets.get(connector) is not target
        self._change(lambda: self._targets.__setitem__(connector, target))
        if changed and connector in self._connectors:
            self._listener.target_state_changed(connector)

    def _change(self, change: Callable[[], None]) -> None:
        with self._lock:
            change()
            self._changes += 1
