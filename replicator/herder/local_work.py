"""The connectors and tasks that run on this worker of a group.

One lock guards them; the tick thread starts and stops what it was assigned, REST threads restart parts. States go to
the status topic (`reports`); a part that failed keeps that state until it runs again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from replicator.api.errors import ConnectError
from replicator.config.connector import COMMON_DEF
from replicator.herder import sink_groups
from replicator.herder.local_connector import STOP_SECONDS, LocalConnector
from replicator.herder.reports import StatusReports
from replicator.herder.views import TaskId, TaskProgress
from replicator.herder.work import Work, work
from replicator.runtime.assembly import TaskGuard
from replicator.runtime.task import FAILED, RESTARTING, UNASSIGNED
from replicator.runtime.worker import TaskHandle, Worker
from replicator.storage.base import ConfigState
from replicator.storage.states import TargetState

log = logging.getLogger(__name__)

Publish = Callable[[str, list[dict[str, str]]], None]


class LocalWork:
    """See the module. Methods may be called from any thread."""

    def __init__(
        self,
        worker: Worker,
        reports: StatusReports,
        publish: Publish,
        configs: Callable[[], ConfigState],
        guard: Callable[[TaskId, Mapping[str, str]], TaskGuard],
    ) -> None:
        self._worker = worker
        self._parts = worker.parts
        self._reports = reports
        self._publish = publish
        self._configs = configs
        self._guard = guard
        self._lock = threading.RLock()
        self._connectors: dict[str, LocalConnector] = {}
        # None: it could not even be started; its state is FAILED.
        self._tasks: dict[TaskId, TaskHandle | None] = {}

    @property
    def running(self) -> Work:
        """What was started here and not stopped."""
        return work(list(self._connectors), list(self._tasks))

    def start(self, wanted: Work) -> None:
        """Start connectors and tasks that are configured."""
        state = self._configs()
        with self._lock:
            for name in sorted(wanted.connectors):
                if name in state.connectors and name not in self._connectors:
                    self._start_connector(name, state)
            for task in sorted(wanted.tasks):
                if task not in self._tasks:
                    self._start_task(task, state)

    def stop(self, unwanted: Work) -> None:
        """Stop all of these together; returns when they ended or are abandoned."""
        with self._lock:
            tasks = {t: self._tasks.pop(t) for t in unwanted.tasks if t in self._tasks}
            names = sorted(unwanted.connectors & self._connectors.keys())
            connectors = [self._connectors.pop(name) for name in names]
            failed = {c.name for c in connectors if c.state == FAILED}
            for connector in connectors:
                connector.stop()
            self._stop_tasks(tasks)
            deadline = time.monotonic() + STOP_SECONDS
            for connector in connectors:
                if not connector.join(max(0.0, deadline - time.monotonic())):
                    log.error("Connector %s did not stop in time and is abandoned.", connector.name)
                elif connector.name not in failed:
                    self._reports.connector(connector.name, UNASSIGNED)

    def _stop_tasks(self, tasks: Mapping[TaskId, TaskHandle | None], after: str = UNASSIGNED) -> None:
        handles = {task: handle for task, handle in tasks.items() if handle is not None}
        failed = {task for task, handle in handles.items() if handle.state == FAILED}
        abandoned = set(map(id, self._worker.stop_tasks(list(handles.values()))))
        for task, handle in handles.items():
            if id(handle) in abandoned:
                log.error("Graceful stop of task %s failed.", handle.spec.name)
            elif task not in failed and after:
                self._reports.task(task, after)
        state = self._configs()
        sink_groups.leave(
            self._parts, (handles[task] for task in handles if not _stays(handles[task], state))
        )

    def apply_target(self, name: str) -> None:
        """Bring the local parts of a connector into the state the user wants."""
        target = self._configs().targets.get(name, TargetState.STARTED)
        with self._lock:
            connector = self._connectors.get(name)
            if connector is not None:
                connector.set_target(target)
            for task, handle in self._tasks.items():
                if task.connector == name and handle is not None:
                    (handle.runner.resume if target is TargetState.STARTED else handle.runner.pause)()

    def restart(self, name: str, *, connector: bool, tasks: Iterable[int] = ()) -> None:
        """Restart local parts in place; what runs elsewhere is left alone."""
        state = self._configs()
        with self._lock:
            chosen = {t: self._tasks.pop(t) for t in (TaskId(name, n) for n in tasks) if t in self._tasks}
            for task in chosen:
                self._reports.task(task, RESTARTING)
            self._stop_tasks(chosen, after="")
            if connector and name in self._connectors:
                self._restart_connector(name, state)
            for task in chosen:
                self._start_task(task, state)

    def restart_connector(self, name: str) -> None:
        """Start the instance anew, with the present configuration."""
        with self._lock:
            if name in self._connectors:
                self._restart_connector(name, self._configs())

    def _restart_connector(self, name: str, state: ConfigState) -> None:
        self._reports.connector(name, RESTARTING)
        former = self._connectors.pop(name)
        former.stop()
        if not former.join(STOP_SECONDS):
            log.error("Connector %s did not stop in time and is abandoned.", name)
        if name in state.connectors:
            self._start_connector(name, state)

    def handles(self, name: str) -> dict[int, TaskHandle]:
        """Local tasks of a connector."""
        found = {t.task: h for t, h in list(self._tasks.items()) if t.connector == name}
        return {number: handle for number, handle in sorted(found.items()) if handle is not None}

    def progress(self, name: str) -> list[TaskProgress]:
        """Live facts of the local tasks of a connector."""
        return [
            TaskProgress(
                TaskId(name, n), h.state, h.stats(), h.facts(), h.gauges(), h.measures(), h.silent_for()
            )
            for n, h in self.handles(name).items()
        ]

    # ConnectorHost

    def resolve(self, config: Mapping[str, str]) -> dict[str, str]:
        """Options with placeholders replaced."""
        return self._parts.resolver.resolve(config)

    def report_connector(self, name: str, state: str, trace: str | None) -> None:
        """An instance has this state now."""
        self._reports.connector(name, state, trace)

    def publish(self, name: str, configs: list[dict[str, str]]) -> None:
        """Store task configurations."""
        self._publish(name, configs)

    # Starting

    def _start_connector(self, name: str, state: ConfigState) -> None:
        config = state.connectors[name]
        try:
            cls = self._class(config)
        except ConnectError as error:
            self._reports.connector(name, FAILED, str(error))
            cls = _Missing.of(error)
        started = LocalConnector(name, cls, config, self)
        self._connectors[name] = started
        started.set_target(state.targets.get(name, TargetState.STARTED))

    def _start_task(self, task: TaskId, state: ConfigState) -> None:
        config, configs = state.connectors.get(task.connector), state.tasks.get(task.connector, [])
        if config is None or task.task >= len(configs):
            return  # gone meanwhile
        self._tasks[task] = None
        try:
            self._check_count(task.connector, config, len(configs))
            self._tasks[task] = self._worker.start_task(
                task.connector,
                task.task,
                self._class(config)().task_class(),
                config=config,
                task_config=configs[task.task],
                on_state=lambda shown, trace: self._reports.task(task, shown, trace),
                used=lambda topic: self._used(task, topic),
                paused=state.targets.get(task.connector) in (TargetState.PAUSED, TargetState.STOPPED),
                guard=self._guard(task, configs[task.task]),
            )
        except Exception as error:
            log.exception("Task %s-%d could not be started", *task)
            self._reports.task(task, FAILED, f"{type(error).__name__}: {error}")

    def _used(self, task: TaskId, topic: str) -> None:
        if self._parts.config["topic.tracking.enable"]:
            self._reports.topic(task, topic)

    def _class(self, config: Mapping[str, str]) -> type[Any]:
        return self._parts.registry.connector(config["connector.class"])[1]

    def _check_count(self, name: str, config: Mapping[str, str], count: int) -> None:
        options = COMMON_DEF.parse(self.resolve(config))
        limit = int(options["tasks.max"])
        if count > limit and options["tasks.max.enforce"]:
            raise ConnectError(
                f"The connector {name} has generated {count} tasks, which is greater than {limit}, the maximum"
                " number of tasks it is configured to create. This behaviour should be considered a bug and is"
                " disallowed. If necessary, it can be permitted by reconfiguring the connector with"
                " 'tasks.max.enforce' set to false; however, this option will be removed in a future release of"
                " Kafka Connect."
            )


def _stays(handle: TaskHandle, state: ConfigState) -> bool:
    """Whether a task is still configured as it ran, here or elsewhere."""
    spec = handle.spec
    found = state.tasks.get(spec.connector, [])
    same = spec.task < len(found) and found[spec.task] == spec.task_config
    return same and state.connectors.get(spec.connector) == spec.config


class _Missing:
    """Stands for a connector class that cannot be had, so that the connector shows why it FAILED."""

    @staticmethod
    def of(error: ConnectError) -> type[Any]:
        """A class whose construction fails."""

        def fail(_: object) -> None:
            raise error

        return type("Missing", (), {"__init__": fail})
