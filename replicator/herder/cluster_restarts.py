"""Restarts of connectors and tasks of a group, and requests to its running tasks, by whoever runs them. Any thread."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from replicator.api.errors import IllegalStateError, NotFoundError
from replicator.herder.cluster_part import ClusterPart
from replicator.herder.restarts import plan
from replicator.herder.views import ConnectorStatus, TaskId
from replicator.storage.base import RestartRequest

log = logging.getLogger(__name__)


class ClusterRestarts(ClusterPart):
    """What reaches the parts of connectors where they run."""

    def restart_connector(
        self, name: str, *, include_tasks: bool = False, only_failed: bool = False
    ) -> ConnectorStatus:
        """The instance in place, by its owner; or a plan that every worker carries out for its parts."""
        joined = self._standing.settled()
        if include_tasks or only_failed:
            self._standing.lead()
            self._views.config(name, f"Unknown connector: {name}")
            restart = plan(self._views.status(name), include_tasks=include_tasks, only_failed=only_failed)
            self._configs.put_restart(RestartRequest(name, only_failed, include_tasks))
            return restart.status
        self._views.config(name, f"Unknown connector: {name}")
        if name not in self.loop.assigned.connectors:
            raise self._standing.elsewhere(joined, name)
        self._local.restart(name, connector=True)
        return self._views.status(name)

    def restart_task(self, name: str, task: int) -> None:
        """Restart one task in place, by its owner."""
        joined = self._standing.settled()
        self._views.config(name, f"Unknown connector: {name}")
        if not 0 <= task < len(self._views.state.tasks.get(name, ())):
            raise NotFoundError(f"Unknown task: {name}-{task}")
        if TaskId(name, task) not in self.loop.assigned.tasks:
            raise self._standing.elsewhere(joined, name, task)
        self._local.restart(name, connector=False, tasks=(task,))

    def _restart_local(self, request: RestartRequest) -> None:
        """Carry out a restart request for what runs here (tick thread)."""
        try:
            status = self._views.status(request.connector)
        except NotFoundError:
            log.info("Skipping the restart of %s: it has no status", request.connector)
            return
        restart = plan(status, include_tasks=request.include_tasks, only_failed=request.only_failed)
        self._local.restart(request.connector, connector=restart.connector, tasks=restart.tasks)

    # Requests to running tasks

    def signal(self, name: str, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on to the tasks; all of them must run on one worker."""
        joined = self._standing.settled()
        self._known(name)
        tasks = self._views.state.tasks.get(name, ())
        if not tasks:
            raise IllegalStateError(f"Connector {name} has no running task.")
        if TaskId(name, 0) not in self.loop.assigned.tasks:
            raise self._standing.elsewhere(joined, name, 0)
        for handle in self._local.handles(name).values():
            handle.signal(kind, data)
