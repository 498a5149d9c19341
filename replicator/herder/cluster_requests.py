"""What the workers of a group ask of each other: task configurations, fencing, departures (KIP-507). Any thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from replicator.herder.base import Signature
from replicator.herder.cluster_part import ClusterPart
from replicator.herder.sessions import verify
from replicator.herder.views import TaskId
from replicator.herder.zombies import SourceGuard, fence
from replicator.storage.states import TargetState


class ClusterRequests(ClusterPart):
    """Requests between workers: those that come, and those that this worker sends."""

    def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]], signature: Signature) -> None:
        """Store what the owner of a connector generated."""
        self._verify(signature)
        self._store_tasks(name, configs)

    def fence_zombies(self, name: str, signature: Signature) -> None:
        """Fence the producers of former tasks, once per set of task configurations."""
        self._verify(signature)
        self.fence(name)

    def worker_leaves(self, member: str, signature: Signature) -> None:
        """A drained worker leaves: its work is assigned in the next round."""
        self._verify(signature)
        self._standing.lead()
        self._member.announce_leave(member)

    def set_cluster_logger_level(self, namespace: str, level: str) -> None:
        """Every worker sets it."""
        self._standing.started()
        self._configs.put_logger_level(namespace, level)

    def fence(self, name: str) -> None:
        """Fence the producers of former tasks, here or by way of the leader; used by exactly-once source tasks."""
        joined = self._standing.settled()
        if not joined.leads:
            self._peers.fence(joined.assignment.leader_url, name)
            return
        with self._standing.leading():
            self._views.config(name)
            fence(self._parts.broker.admin(), self._configs, self._config, name)

    def _guard(self, task: TaskId, task_config: Mapping[str, str]) -> SourceGuard:
        return SourceGuard(task, task_config, self._configs, self.fence, self._owned)

    def _owned(self, task: TaskId) -> bool:
        return task in self.loop.assigned.tasks

    def _verify(self, signature: Signature) -> None:
        joined = self._standing.settled()
        if joined.sessioned:
            allowed = [str(a) for a in self._config["inter.worker.verification.algorithms"]]
            verify(signature, self._views.state.session_key, allowed)

    def _publish(self, name: str, configs: list[dict[str, str]]) -> None:
        """Task configurations of a local connector, from its own thread; the leader stores them."""
        if not self._changed(name, configs):
            return
        joined = self._standing.settled()
        if joined.leads:
            self._store_tasks(name, configs)
        else:
            self._peers.put_task_configs(joined.assignment.leader_url, name, configs)

    def _store_tasks(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        with self._standing.leading():
            self._views.config(name)
            if self._changed(name, configs):
                self._configs.put_tasks(name, configs)

    def _changed(self, name: str, configs: Sequence[Mapping[str, str]]) -> bool:
        """Whether tasks must start anew: also when only an option of the runtime (a converter) changed."""
        state = self._views.state
        if name not in state.connectors or state.targets.get(name) is TargetState.STOPPED:
            return False
        if name in state.inconsistent or name not in state.applied:
            return True
        return list(configs) != state.tasks.get(name) or state.applied[name] != state.connectors[name]
