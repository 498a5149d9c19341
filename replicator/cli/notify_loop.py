"""The sign of life of a running service: given by the main loop, and only while the service is able to work.

The main thread calls `turn` a few times a second. A sign is given when the main loop turns, the herder answers, its
thread turns, and (if asked for) no task has been in one step for too long. So a service manager with a watchdog ends
a process that hangs, and starts it anew. A server that is away, or a task that failed, is no reason: a restart would
not help.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

from replicator.api.errors import ConfigError, ConnectError
from replicator.cli.notify import Notifier
from replicator.herder.base import Herder
from replicator.herder.views import TaskProgress

log = logging.getLogger(__name__)

TASK_SECONDS: Final = "REPLICATOR_WATCHDOG_TASK_SECONDS"
"""Environment variable: a task that is in one step for longer is taken for hanging. Not set: tasks are not watched."""
_LOOP_SECONDS: Final = 60.0
_STATUS_SECONDS: Final = 5.0
_GRANTED_SECONDS: Final = 60.0


class Turning(Protocol):
    """A thread with a loop, such as `herder.group_loop.GroupLoop`."""

    def idle_for(self) -> float:
        """Seconds since its last turn ended."""
        ...


class Heartbeat:
    """Tells the service manager how a service is."""

    def __init__(
        self, notifier: Notifier | None = None, environ: Mapping[str, str] = os.environ, *,
        loop_seconds: float = _LOOP_SECONDS,
    ) -> None:  # fmt: skip
        """Prepare; nothing is said before the first turn.

        Raises:
            ConfigError: the environment variable is no number.
        """
        self._notifier = notifier or Notifier.from_environment()
        self._loop_seconds = loop_seconds
        self._task_seconds = _seconds(environ.get(TASK_SECONDS))
        self._ready = False
        self._beat_due = self._status_due = 0.0
        self._shown = self._complained = ""

    def stopping(self) -> None:
        """The service ends: it finishes what is on its way."""
        self._notifier.stopping("Stopping: finishing what is on its way")

    def turn(self, herder: Herder, loop: Turning | None = None, *, ready: bool = True) -> None:
        """One turn of the main loop.

        Args:
            herder: what to look at.
            loop: the herder's thread, if it has one.
            ready: whether the service works; once it did, it counts as ready for good.
        """
        now = time.monotonic()
        if not self._notifier.active or now < min(self._beat_due, self._status_due):
            return
        problem = self._problem(herder, loop)
        self._complain(problem)
        if not self._ready:
            self._start(herder, now, ready=ready and problem is None, problem=problem)
            return
        if now >= self._beat_due:
            seconds = self._notifier.watchdog_seconds
            if problem is None and seconds:
                self._notifier.watchdog()
            # Four signs in the time of one: three may get lost.
            self._beat_due = now + min(_STATUS_SECONDS, (seconds or 4 * _STATUS_SECONDS) / 4)
        if now >= self._status_due:
            self._status_due = now + _STATUS_SECONDS
            self._show(problem or summary(herder))

    def _start(self, herder: Herder, now: float, *, ready: bool, problem: str | None) -> None:
        if ready:
            self._ready = self._notifier.ready(summary(herder))
        elif problem is None and now >= self._status_due:
            self._notifier.starting(herder.health().message, _GRANTED_SECONDS)
            self._status_due = now + _STATUS_SECONDS
        self._beat_due = now

    def _show(self, status: str) -> None:
        if status != self._shown and self._notifier.status(status):
            self._shown = status

    def _complain(self, problem: str | None) -> None:
        """Once in the log: it tells afterwards why the watchdog ended this process."""
        if problem and problem != self._complained:
            log.error("No sign of life is given to the service manager: %s", problem)
        elif self._complained and not problem:
            log.warning("The service is able to work again.")
        if self._complained != (problem or ""):
            self._status_due = 0.0
        self._complained = problem or ""

    def _problem(self, herder: Herder, loop: Turning | None) -> str | None:
        """Why a restart would help; None while all is well."""
        if loop is not None and loop.idle_for() > self._loop_seconds:
            return f"the herder's thread hangs. {herder.health().message}"
        if not self._task_seconds:
            return None
        for task in _tasks(herder):
            if task.silent_seconds > self._task_seconds:
                return f"task {task.id.connector}-{task.id.task} has been in one step for over {self._task_seconds:g} s"
        return None


def summary(herder: Herder) -> str:
    """Connectors, tasks by state, and the largest lag, in one line."""
    names = herder.connectors()
    tasks = _tasks(herder)
    states = Counter(task.state for task in tasks)
    shown = ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
    parts = [f"{len(names)} connectors", f"{len(tasks)} tasks here" + (f" ({shown})" if shown else "")]
    lags = [_lag(task.stats) for task in tasks]
    known = [lag for lag in lags if lag is not None]
    if known:
        parts.append(f"lag {max(known) / 1000:.1f} s")
    return ", ".join(parts)


def _tasks(herder: Herder) -> list[TaskProgress]:
    found: list[TaskProgress] = []
    for name in herder.connectors():
        try:
            found += herder.progress(name)
        except ConnectError:
            continue  # deleted meanwhile
    return found


def _lag(stats: Mapping[str, Any]) -> float | None:
    lag = stats.get("lag_ms")
    return float(lag) if isinstance(lag, (int, float)) else None


def _seconds(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        raise ConfigError(f"{TASK_SECONDS}={text} is no number of seconds.", option=TASK_SECONDS) from None
