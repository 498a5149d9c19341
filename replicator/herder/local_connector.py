"""A connector instance of a distributed worker, on a thread of its own.

Plugins may take their time in `start`, `stop` and `task_configs`, and must not hold up the herder: everything the
instance does runs on its thread, one after the other. A stop that takes longer than five seconds abandons the thread.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from replicator.api.errors import ConnectError
from replicator.config.connector import COMMON_DEF
from replicator.herder.entry import unresolve
from replicator.herder.naming import task_class_name
from replicator.runtime.connector import ConnectorRunner
from replicator.runtime.task import FAILED, PAUSED, STOPPED, UNASSIGNED
from replicator.storage.states import TargetState

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 5.0
_FIRST_BACKOFF: Final = 0.25
_LAST_BACKOFF: Final = 60.0


class ConnectorHost(Protocol):
    """What an instance needs of its worker; called on the instance's thread."""

    def resolve(self, config: Mapping[str, str]) -> dict[str, str]:
        """Options with placeholders replaced."""
        ...

    def report_connector(self, name: str, state: str, trace: str | None) -> None:
        """The instance has this state now."""
        ...

    def publish(self, name: str, configs: list[dict[str, str]]) -> None:
        """Store the task configurations; raises ConnectError when that is not possible just now."""
        ...


class LocalConnector:
    """See the module. Methods may be called from any thread."""

    def __init__(self, name: str, cls: type[Any], config: Mapping[str, str], host: ConnectorHost) -> None:
        self.name = name
        self._class = cls
        self._config = dict(config)
        self._host = host
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._runner = ConnectorRunner(name, cls, self._state_changed, self.reconfigure)
        self._thread = threading.Thread(target=self._run, name=f"connector-{name}", daemon=True)
        self._thread.start()

    @property
    def state(self) -> str:
        """Present state."""
        return self._runner.state

    def set_target(self, target: TargetState) -> None:
        """Bring the instance into the state the user wants."""
        steps = {
            TargetState.STARTED: self._start,
            TargetState.PAUSED: self._pause,
            TargetState.STOPPED: self._halt,
        }
        self._jobs.put(steps[target])

    def reconfigure(self) -> None:
        """Ask for task configurations again."""
        self._jobs.put(self._regenerate)

    def stop(self) -> None:
        """Ask for the end; `join` waits for it."""
        self._stopping.set()
        self._jobs.put(None)

    def join(self, timeout: float) -> bool:
        """Wait for the end; False when the instance is abandoned."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None and not self._stopping.is_set():
            try:
                job()
            except Exception as error:
                # Nothing of a plugin comes here; shown all the same, so that nobody searches for a silent connector.
                log.exception("%s: the connector's thread failed", self.name)
                self._runner.raise_error(error)
        self._runner.stop(UNASSIGNED)

    def _start(self) -> None:
        if self._runner.started:
            self._runner.resume()
        elif not self._begin():
            return
        self._regenerate()

    def _begin(self) -> bool:
        try:
            resolved = self._host.resolve(self._config)
        except ConnectError as error:
            self._runner.raise_error(error)
            return False
        return self._runner.start(resolved)

    def _pause(self) -> None:
        if self._runner.started or self._runner.state == FAILED:
            self._runner.pause()
        else:
            # Created paused, or stopped before: nothing runs before the first resume.
            self._runner.stop(PAUSED)

    def _halt(self) -> None:
        self._runner.stop(STOPPED)

    def _regenerate(self) -> None:
        if not self._runner.started:
            return
        try:
            configs = self._task_configs()
        except ConnectError as error:
            self._runner.raise_error(error)
            return
        backoff = _FIRST_BACKOFF
        while configs is not None and not self._stopping.is_set():
            try:
                self._host.publish(self.name, configs)
                return
            except ConnectError as error:
                log.info("%s: task configurations are published again in %g s: %s", self.name, backoff, error)
            if not self._jobs.empty():
                return  # whatever comes next publishes anew, or makes it pointless
            self._stopping.wait(backoff)
            backoff = min(2 * backoff, _LAST_BACKOFF)

    def _task_configs(self) -> list[dict[str, str]] | None:
        resolved = self._host.resolve(self._config)
        configs = self._runner.task_configs(COMMON_DEF.parse(resolved))
        if configs is None:
            return None
        cls = self._runner.task_class()
        extra = {"task.class": task_class_name(self._class, cls)}
        extra |= {t: self._config[t] for t in ("topics", "topics.regex") if self._config.get(t)}
        return [unresolve(c, self._config, resolved) | extra for c in configs]

    def _state_changed(self, state: str, trace: str | None) -> None:
        if not self._stopping.is_set():
            self._host.report_connector(self.name, state, trace)
