"""Lets the work of a worker follow the config topic: what a change stops, starts, or puts before the group.

Tick thread of the worker only: between two rounds, one change after the other.
"""

from __future__ import annotations

from collections.abc import Callable

from replicator.herder.assigned_work import AssignedWork
from replicator.herder.config_changes import Changes, ConfigChanges
from replicator.herder.group_member import GroupMember
from replicator.herder.local_work import LocalWork
from replicator.herder.reconcile import reconfigured
from replicator.herder.stages import Stages
from replicator.herder.work import Work
from replicator.storage.base import ConfigState, RestartRequest
from replicator.storage.config_store import TopicConfigStore


class ConfigFollower:
    """See the module."""

    def __init__(
        self,
        changes: ConfigChanges,
        configs: TopicConfigStore,
        member: GroupMember,
        local: LocalWork,
        work: AssignedWork,
        stages: Stages,
        restart: Callable[[RestartRequest], None],
    ) -> None:
        self.changes = changes
        self._configs = configs
        self._member = member
        self._local = local
        self._work = work
        self._stages = stages
        self._restart = restart

    def apply(self) -> None:
        """Do what the config topic said since the last turn, and ask for a round where one is needed."""
        changes = self.changes.take()
        if changes == Changes():
            return
        state = self._configs.state()
        self.changes.known = frozenset(state.connectors)
        running = self._local.running
        stale = reconfigured(running, changes.tasks)
        if stale:
            with self._stages.of(f"stopping {len(stale)} reconfigured tasks"):
                self._local.stop(Work(tasks=stale))
        self.reconcile()
        for name in changes.connectors & running.connectors & state.connectors.keys():
            with self._stages.of(f"stopping restarted connector {name}"):
                self._local.restart_connector(name)
        for name in changes.targets:
            self._local.apply_target(name)
        for name in sorted(changes.restarts.keys() & state.connectors.keys()):
            self._restart(changes.restarts[name])
        if changes.assign or self._task_sets_changed(changes.tasks, state):
            self._member.request_rejoin()

    def _task_sets_changed(self, names: set[str], state: ConfigState) -> bool:
        """Whether a round is needed for new or vanished tasks; only the leader sees what all workers have."""
        leadership = self._member.leadership
        if leadership is None:
            return False
        for name in names:
            assigned = {t.task for has in leadership.work.values() for t in has.tasks if t.connector == name}
            if assigned != set(range(len(state.tasks.get(name, ())))):
                return True
        return False

    def reconcile(self) -> None:
        """Run what is assigned and configured, and nothing else."""
        self.changes.known = frozenset(self._configs.state().connectors)
        self._work.reconcile()
