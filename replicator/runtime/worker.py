"""A worker: runs tasks, each on its own thread, over one broker and one offset store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from replicator.api.sink import SinkTask
from replicator.runtime.assembly import TaskGuard, TaskSpec, WorkerParts
from replicator.runtime.measures import measures
from replicator.runtime.plugin_info import plugin_info
from replicator.runtime.sink_assembly import sink_work
from replicator.runtime.source_assembly import source_work
from replicator.runtime.startups import STARTUPS
from replicator.runtime.stats import TaskStats
from replicator.runtime.task import FAILED, PAUSED, RESTARTING, RUNNING, StateListener, TaskRunner, TaskWork


class TaskHandle:
    """A running task as the herder holds it; everything may be called from any thread."""

    def __init__(self, spec: TaskSpec, runner: TaskRunner, parts: WorkerParts) -> None:
        self.spec = spec
        self.runner = runner
        self._parts = parts

    @property
    def state(self) -> str:
        """Present state."""
        return self.runner.state

    @property
    def trace(self) -> str | None:
        """Why it is FAILED or RESTARTING."""
        return self.runner.trace

    def silent_for(self) -> float:
        """Seconds in the present step; 0 between two works and after the end."""
        return self.runner.silent_for()

    def stats(self) -> dict[str, Any]:
        """Live numbers; a `lag_ms` that the task publishes itself wins."""
        numbers = self.spec.stats.snapshot()
        lag = self.spec.facts.facts.get("lag_ms")
        return numbers if lag is None else {**numbers, "lag_ms": lag}

    def facts(self) -> Mapping[str, Any]:
        """What the task published."""
        return self.spec.facts.facts

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on to the running task; see `SourceTask.signal`.

        Raises:
            IllegalStateError: it does not run just now.
        """
        self.runner.signal(kind, data)

    def gauges(self) -> Mapping[str, float]:
        """Numbers the task published."""
        return self.spec.facts.gauges

    def measures(self) -> Mapping[str, Any]:
        """Figures for /metrics."""
        spec, parts = self.spec, self._parts
        if not spec.stats.info:
            spec.stats.info = plugin_info(parts.registry, spec.config, parts.converters, spec.task_class)
        return measures(spec.stats)


class Worker:
    """Starts and stops tasks."""

    def __init__(self, parts: WorkerParts) -> None:
        self.parts = parts

    def start_task(
        self,
        connector: str,
        task: int,
        task_class: type[Any],
        *,
        config: Mapping[str, str],
        task_config: Mapping[str, str],
        on_state: StateListener,
        used: Callable[[str], None],
        paused: bool = False,
        guard: TaskGuard | None = None,
    ) -> TaskHandle:
        """Run a task; failures show in its state."""
        spec = TaskSpec(
            connector=connector,
            task=task,
            task_class=task_class,
            config=config,
            task_config=task_config,
            used=used,
            stats=TaskStats(self.parts.clock),
            stopping=threading.Event(),
            guard=guard,
        )
        runner = TaskRunner(
            spec.name,
            lambda: _work(self.parts, spec),
            spec.stopping,
            self.parts.clock,
            _counted(on_state, spec.stats),
            paused=paused,
        )
        handle = TaskHandle(spec, runner, self.parts)
        runner.start()
        return handle

    def stop_tasks(self, handles: Sequence[TaskHandle]) -> list[TaskHandle]:
        """Stop tasks together within `task.shutdown.graceful.timeout.ms`; answers with those abandoned."""
        for handle in handles:
            handle.runner.stop()
        deadline = time.monotonic() + self.parts.config.seconds("task.shutdown.graceful.timeout.ms")
        left = [h for h in handles if not h.runner.join(max(0.0, deadline - time.monotonic()))]
        for handle in left:
            handle.runner.abandon()
            handle.spec.abandoned.set()
        return left


def _work(parts: WorkerParts, spec: TaskSpec) -> TaskWork:
    """A run of the task, by its class."""
    return sink_work(parts, spec) if issubclass(spec.task_class, SinkTask) else source_work(parts, spec)


def _counted(on_state: StateListener, stats: TaskStats) -> StateListener:
    """The listener, behind one that keeps the time spent in each state and counts how the start ended."""
    begun = False

    def listen(state: str, trace: str | None) -> None:
        nonlocal begun
        stats.entered(state)
        if not begun and state in (RUNNING, PAUSED, FAILED, RESTARTING):
            begun = True
            STARTUPS.count("task", succeeded=state in (RUNNING, PAUSED))
        on_state(state, trace)

    return listen
