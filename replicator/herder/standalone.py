"""The herder of one process: connectors from files or REST, configurations in memory.

Any thread may call; one lock guards connectors and their tasks. Plugins' `start` and `task_configs`
run under it, tasks on their own threads. Offsets and topics live in the worker's stores and stay
when a connector is deleted.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from replicator.api.errors import AlreadyExistsError, BadRequestError, IllegalStateError, NotFoundError
from replicator.herder.entry import PAUSED, STARTED, STOPPED, Entry
from replicator.herder.entry_work import EntryWork
from replicator.herder.naming import initial_target, with_name
from replicator.herder.plugin_views import PluginViews
from replicator.herder.restarts import plan
from replicator.herder.standalone_reads import StandaloneReads
from replicator.herder.views import ConnectorInfo, ConnectorStatus, Health
from replicator.runtime.worker import Worker


class StandaloneHerder(StandaloneReads, PluginViews):
    """Implements `herder.base.Herder`."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.parts)
        self._work = EntryWork(worker, self._reconfigure_soon)
        self._parts = worker.parts
        self._worker_id = worker.parts.config.worker_id
        self._entries: dict[str, Entry] = {}
        self._lock = threading.RLock()

    # Views

    def cluster_id(self) -> str:
        """Identity of the log."""
        return self._parts.broker.cluster_id()

    def health(self) -> Health:
        """A herder that answers is healthy."""
        return Health("healthy", "Worker has completed startup and is ready to handle requests.")

    # Configurations

    def put_connector_config(
        self,
        name: str,
        config: Mapping[str, str | None],
        *,
        initial_state: str | None = None,
        allow_replace: bool = True,
    ) -> tuple[bool, ConnectorInfo]:
        """Create or replace a connector."""
        named = with_name(name, config)
        self.validator.check(named)
        stored = {option: str(value) for option, value in named.items()}
        with self._lock:
            old = self._entries.get(name)
            if old is not None and not allow_replace:
                raise AlreadyExistsError(f"Connector {name} already exists")
            target = initial_target(initial_state) or (old.target if old else STARTED)
            entry = self._work.new(name, stored, target)
            if old is not None:
                self._work.halt(old)
                entry.topics = old.topics
            self._entries[name] = entry
            self._work.bring_up(entry)
            return old is None, entry.info()

    def patch_connector_config(self, name: str, patch: Mapping[str, str | None]) -> ConnectorInfo:
        """Change some options."""
        config = self.connector_config(name)
        for option, value in patch.items():
            if value is None:
                config.pop(option, None)
            else:
                config[option] = value
        return self.put_connector_config(name, config)[1]

    def delete_connector(self, name: str) -> None:
        """Stop and forget a connector."""
        with self._lock:
            entry = self._entry(name)
            self._work.halt(entry)
            del self._entries[name]

    # Target states

    def pause_connector(self, name: str) -> None:
        """PAUSED; a stopped connector keeps having no tasks."""
        with self._lock:
            entry = self._known(name)
            entry.target = PAUSED
            entry.runner.pause()
            for handle in entry.tasks.values():
                handle.runner.pause()

    def resume_connector(self, name: str) -> None:
        """STARTED."""
        with self._lock:
            entry = self._known(name)
            was, entry.target = entry.target, STARTED
            if was != STARTED and not entry.task_configs:
                self._work.bring_up(entry)
                return
            entry.runner.resume()
            for handle in entry.tasks.values():
                handle.runner.resume()

    def stop_connector(self, name: str) -> None:
        """STOPPED: no tasks."""
        with self._lock:
            entry = self._known(name)
            entry.target = STOPPED
            self._work.halt(entry)
            entry.task_configs = []
            entry.runner.stop(STOPPED)

    # Restarts

    def restart_connector(
        self, name: str, *, include_tasks: bool = False, only_failed: bool = False
    ) -> ConnectorStatus:
        """Restart the parts the request means."""
        with self._lock:
            entry = self._entry(name, f"Unknown connector: {name}")
            restart = plan(
                entry.status(self._worker_id), include_tasks=include_tasks, only_failed=only_failed
            )
            self._work.stop_tasks(entry, restart.tasks)
            if restart.connector and entry.target != STOPPED:
                entry.runner.stop()
                if self._work.start_instance(entry):
                    self._work.regenerate(entry)
            for task in restart.tasks:
                if task not in entry.tasks and task < len(entry.task_configs):
                    self._work.start_task(entry, task)
            return restart.status

    def restart_task(self, name: str, task: int) -> None:
        """Restart one task."""
        with self._lock:
            entry = self._entry(name, f"Unknown connector: {name}")
            if not 0 <= task < len(entry.task_configs):
                raise NotFoundError(f"Unknown task: {name}-{task}")
            self._work.stop_tasks(entry, (task,))
            self._work.start_task(entry, task)

    # Requests to running tasks

    def signal(self, name: str, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on to the tasks."""
        with self._lock:
            entry = self._known(name)
            handles = list(entry.tasks.values())
            state = entry.runner.state
        if not handles:
            raise IllegalStateError(f"Connector {name} is {state} and has no running task.")
        for handle in handles:
            handle.signal(kind, data)

    # Offsets

    def alter_offsets(self, name: str, offsets: Sequence[Mapping[str, Any]]) -> str:
        """Change offsets of a stopped connector."""
        with self._lock:
            return self._offsets(self._stopped(name)).alter(offsets)

    def reset_offsets(self, name: str) -> str:
        """Remove the offsets of a stopped connector."""
        with self._lock:
            return self._offsets(self._stopped(name)).reset()

    # Life

    def stop(self) -> None:
        """Drain and stop everything; target states stay as they are."""
        with self._lock:
            self._work.stop_all(list(self._entries.values()))

    def _reconfigure_soon(self, name: str) -> None:
        """Connectors ask from threads of their own, which must not wait for the herder's lock."""
        threading.Thread(
            target=self._reconfigure, args=(name,), name=f"reconfigure-{name}", daemon=True
        ).start()

    def _reconfigure(self, name: str) -> None:
        with self._lock:
            entry = self._entries.get(name)
            if entry is None or entry.target == STOPPED:
                return
            self._work.regenerate(entry)

    def _stopped(self, name: str) -> Entry:
        entry = self._entry(name)
        if entry.target != STOPPED or entry.task_configs:
            raise BadRequestError(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for"
                " the specified connector by issuing a 'PUT' request to the"
                f" '/connectors/{name}/stop' endpoint"
            )
        return entry
