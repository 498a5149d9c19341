"""What the standalone herder does with one connector: start, stop, ask for tasks. Called under the herder's lock.

Plugins' `start` and `task_configs` run here, tasks on threads of their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from replicator.api.errors import ConnectError
from replicator.config.connector import COMMON_DEF
from replicator.herder import sink_groups
from replicator.herder.entry import PAUSED, STOPPED, Entry, unresolve
from replicator.herder.naming import task_class_name
from replicator.runtime.connector import ConnectorRunner
from replicator.runtime.worker import TaskHandle, Worker

log = logging.getLogger(__name__)


class EntryWork:
    """Work on entries, over one worker."""

    def __init__(self, worker: Worker, reconfigure: Callable[[str], None]) -> None:
        """Over a worker.

        Args:
            worker: runs the tasks.
            reconfigure: called with a connector's name when it asks for its task configurations to be made anew.
        """
        self._worker = worker
        self._parts = worker.parts
        self._reconfigure = reconfigure

    def new(self, name: str, config: dict[str, str], target: str) -> Entry:
        """A connector that is not started yet."""
        kind, cls = self._parts.registry.connector(config["connector.class"])
        runner = ConnectorRunner(name, cls, _logged(name), lambda: self._reconfigure(name))
        return Entry(name, kind, cls.version(), config, target, runner)

    def bring_up(self, entry: Entry) -> None:
        """Bring it into its target state."""
        if entry.target == STOPPED:
            entry.runner.stop(STOPPED)
        elif entry.target == PAUSED:
            # Created paused: nothing runs before the first resume.
            entry.runner.stop(PAUSED)
        elif self.start_instance(entry):
            self.regenerate(entry)

    def start_instance(self, entry: Entry) -> bool:
        """Start the connector; False, and FAILED, when that fails."""
        try:
            resolved = self._resolved(entry)
        except ConnectError as error:
            entry.runner.raise_error(error)
            return False
        started = entry.runner.start(resolved)
        if started and entry.target == PAUSED:
            entry.runner.pause()
        return started

    def regenerate(self, entry: Entry) -> None:
        """Ask for task configurations; tasks start again only when these changed."""
        resolved = self._resolved(entry)
        configs = entry.runner.task_configs(COMMON_DEF.parse(resolved))
        if configs is None:
            return
        cls = entry.runner.task_class()
        extra = {"task.class": task_class_name(type(self._connector(entry)), cls)}
        extra |= {t: entry.config[t] for t in ("topics", "topics.regex") if entry.config.get(t)}
        fresh = [unresolve(c, entry.config, resolved) | extra for c in configs]
        if fresh == entry.task_configs:
            return
        self._end_tasks(entry)
        entry.task_configs = fresh
        for task in range(len(entry.task_configs)):
            self.start_task(entry, task)

    def start_task(self, entry: Entry, task: int) -> None:
        """Run a task of the stored configuration."""
        cls = self._task_class(entry)
        entry.tasks[task] = self._worker.start_task(
            entry.name,
            task,
            cls,
            config=entry.config,
            task_config=entry.task_configs[task],
            on_state=_logged(f"{entry.name}-{task}"),
            used=entry.topics.add,
            paused=entry.target == PAUSED,
        )

    def _task_class(self, entry: Entry) -> type[Any]:
        return self._connector(entry).task_class()  # type: ignore[no-any-return]

    def stop_tasks(self, entry: Entry, tasks: Sequence[int]) -> list[TaskHandle]:
        """Stop these tasks together."""
        handles = [entry.tasks.pop(t) for t in tasks if t in entry.tasks]
        for abandoned in self._worker.stop_tasks(handles):
            log.error("Graceful stop of task %s failed.", abandoned.spec.name)
        return handles

    def _end_tasks(self, entry: Entry) -> None:
        """Stop all tasks; none of them will run again like this."""
        sink_groups.leave(self._parts, self.stop_tasks(entry, list(entry.tasks)))

    def halt(self, entry: Entry) -> None:
        """Stop the tasks and the connector."""
        self._end_tasks(entry)
        entry.runner.stop()

    def stop_all(self, entries: Sequence[Entry]) -> None:
        """Drain all tasks together, then stop the connectors."""
        handles = [h for e in entries for h in e.tasks.values()]
        for abandoned in self._worker.stop_tasks(handles):
            log.error("Graceful stop of task %s failed.", abandoned.spec.name)
        for entry in entries:
            entry.tasks.clear()
            entry.runner.stop()

    def _connector(self, entry: Entry) -> Any:
        """A fresh, unstarted instance."""
        return self._parts.registry.connector(entry.config["connector.class"])[1]()

    def _resolved(self, entry: Entry) -> dict[str, str]:
        return self._parts.resolver.resolve(entry.config)


def _logged(name: str) -> Callable[[str, str | None], None]:
    def state_changed(state: str, trace: str | None) -> None:
        log.info("%s is %s", name, state)

    return state_changed
