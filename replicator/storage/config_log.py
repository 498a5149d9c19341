"""Meaning of the records of Connect's config topic: pure state, fed record by record, no I/O.

Keeps Connect's rules: tasks count only when their commit record came; records of deleted connectors left behind in
the topic are ignored; badly shaped values are logged and ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from replicator.storage.base import ConfigListener, ConfigState, RestartRequest, SessionKey
from replicator.storage.formats import loads_object
from replicator.storage.states import TargetState

_log = logging.getLogger(__name__)

TARGET: Final = "target-state-"
CONNECTOR: Final = "connector-"
TASK: Final = "task-"
COMMIT: Final = "commit-"
FENCING: Final = "tasks-fencing-"
RESTART: Final = "restart-connector-"
SESSION: Final = "session-key"
LOGGER: Final = "logger-cluster-"

Value = dict[str, Any]


class ConfigLog:
    """The configuration as of the last record applied; `live` is set once the first read is over."""

    def __init__(self, listener: ConfigListener) -> None:
        self.listener = listener
        self.live = False
        self._offset = -1
        self._connectors: dict[str, dict[str, str]] = {}
        self._targets: dict[str, TargetState] = {}
        self._tasks: dict[str, dict[int, dict[str, str]]] = {}
        self._pending: dict[str, dict[int, dict[str, str]]] = {}
        self._counts: dict[str, int] = {}
        self._applied: dict[str, dict[str, str]] = {}
        self._fencing: dict[str, int] = {}
        self._pending_fencing: set[str] = set()
        self._inconsistent: set[str] = set()
        self._session: SessionKey | None = None
        self._snapshot: ConfigState | None = None
        # The order matters: the first prefix that fits decides.
        self._readers: list[tuple[str, Callable[[str, Value | None], None]]] = [
            (TARGET, self._target),
            (CONNECTOR, self._connector),
            (TASK, self._task),
            (COMMIT, self._commit),
            (RESTART, self._restart),
            (FENCING, self._fence),
            (LOGGER, self._logger),
        ]

    def state(self) -> ConfigState:
        """A snapshot that later records do not change; the same one until there is a new record."""
        if self._snapshot is None:
            self._snapshot = self._taken()
        return self._snapshot

    def _taken(self) -> ConfigState:
        return ConfigState(
            offset=self._offset,
            connectors={name: dict(config) for name, config in self._connectors.items()},
            targets=dict(self._targets),
            tasks={
                name: [dict(tasks[number]) for number in sorted(tasks)]
                for name, tasks in self._tasks.items()
                if name not in self._inconsistent
            },
            task_counts=dict(self._counts),
            applied={name: dict(config) for name, config in self._applied.items()},
            fencing=dict(self._fencing),
            pending_fencing=frozenset(self._pending_fencing),
            inconsistent=frozenset(self._inconsistent),
            session_key=self._session,
        )

    def apply(self, key: str, data: bytes | None, offset: int) -> None:
        """Take one record."""
        self._offset = offset + 1
        self._snapshot = None
        value = loads_object(data)
        if value is None and data is not None:
            _log.error("Ignoring the config record %s: its value is no JSON object", key)
            return
        if key == SESSION:
            self._session_key(value)
            return
        for prefix, read in self._readers:
            if key.startswith(prefix):
                read(key.removeprefix(prefix), value)
                return
        _log.error("Ignoring a config record with the unknown key %s", key)

    def _connector(self, name: str, value: Value | None) -> None:
        if value is None:
            self._remove(name)
            return
        config = _properties(f"{CONNECTOR}{name}", value)
        if config is None:
            return
        self._connectors[name] = config
        # A target state may precede the connector it belongs to.
        self._targets.setdefault(name, TargetState.STARTED)
        if self.live:
            self.listener.connector_updated(name)

    def _remove(self, name: str) -> None:
        known = self._connectors.pop(name, None) is not None
        for held in (self._tasks, self._pending, self._counts, self._applied, self._targets):
            held.pop(name, None)
        self._inconsistent.discard(name)
        self._pending_fencing.discard(name)
        if known and self.live:
            self.listener.connector_removed(name)

    def _target(self, name: str, value: Value | None) -> None:
        before = self._targets.get(name)
        if value is None:
            # Its connector is deleted next to it; while the connector lives, no state means STARTED.
            if name in self._connectors:
                self._targets[name] = TargetState.STARTED
            else:
                self._targets.pop(name, None)
            return
        stored = value.get("state.v2", value.get("state"))
        try:
            target = TargetState(stored)
        except ValueError:
            _log.error("Ignoring the unknown target state %r of %s", stored, name)
            return
        self._targets[name] = target
        if self.live and name in self._connectors and target is not before:
            self.listener.target_state_changed(name)

    def _task(self, rest: str, value: Value | None) -> None:
        name, dash, number = rest.rpartition("-")
        if not dash or not number.isdigit():
            _log.error("Ignoring a config record with the key %s%s", TASK, rest)
            return
        config = None if value is None else _properties(f"{TASK}{rest}", value)
        if config is not None:
            self._pending.setdefault(name, {})[int(number)] = config

    def _commit(self, name: str, value: Value | None) -> None:
        pending = self._pending.pop(name, {})
        count = None if value is None else value.get("tasks")
        if not isinstance(count, int) or isinstance(count, bool):
            _log.error("Ignoring a commit record of %s without a number of tasks", name)
            return
        if name not in self._connectors:
            return  # left behind by a deleted connector
        tasks = {**self._tasks.get(name, {}), **pending}
        self._counts[name] = count
        if any(number not in tasks for number in range(count)):
            _log.warning("The task configurations of %s are incomplete; they must be published again", name)
            self._inconsistent.add(name)
            return
        self._tasks[name] = {number: tasks[number] for number in range(count)}
        self._applied[name] = self._connectors[name]
        self._inconsistent.discard(name)
        self._pending_fencing.add(name)
        if self.live:
            self.listener.tasks_updated(name)

    def _fence(self, name: str, value: Value | None) -> None:
        count = None if value is None else value.get("task-count")
        if isinstance(count, int):
            self._fencing[name] = count
            self._pending_fencing.discard(name)

    def _session_key(self, value: Value | None) -> None:
        try:
            key = value or {}
            self._session = SessionKey(str(key["key"]), str(key["algorithm"]), int(key["creation-timestamp"]))
        except (KeyError, TypeError, ValueError):
            _log.error("Ignoring a badly shaped session key")
            return
        if self.live:
            self.listener.session_key_updated(self._session)

    def _restart(self, name: str, value: Value | None) -> None:
        if self.live and value is not None:
            only_failed, tasks = value.get("only-failed") is True, value.get("include-tasks") is True
            self.listener.restart_requested(RestartRequest(name, only_failed, tasks))

    def _logger(self, namespace: str, value: Value | None) -> None:
        level = None if value is None else value.get("level")
        if self.live and isinstance(level, str):
            self.listener.logger_level_changed(namespace, level)


def _properties(key: str, value: Value) -> dict[str, str] | None:
    found = value.get("properties")
    if not isinstance(found, Mapping):
        _log.error("Ignoring the config record %s: it has no properties", key)
        return None
    return {str(name): item for name, item in found.items()}
