"""Fencing the transactional producers of a connector's former tasks (KIP-618), by the leader, before new ones start."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from replicator.api.errors import RetriableError
from replicator.broker.admin import Admin
from replicator.config.worker import WorkerConfig
from replicator.herder.views import TaskId
from replicator.runtime.clients import transactional_id
from replicator.storage.config_store import TopicConfigStore


def fence(admin: Admin, configs: TopicConfigStore, worker: WorkerConfig, connector: str) -> None:
    """Fence once for each set of task configurations, and record how many tasks the next time has to fence.

    Raises:
        RetriableError: the config topic could not be read or written in time.
    """
    configs.refresh()
    state = configs.state()
    if connector not in state.pending_fencing:
        return
    former, count = state.fencing.get(connector), len(state.tasks.get(connector, ()))
    # One task before and after: its own successor fences it by starting.
    if former is not None and not (former == 1 and count == 1):
        admin.fence_producers([transactional_id(worker, f"{connector}-{number}") for number in range(former)])
    if configs.state().task_counts.get(connector) != count:
        raise RetriableError(f"The tasks of {connector} changed while its former ones were fenced.")
    configs.put_fencing(connector, count)


class SourceGuard:
    """Around the start of an exactly-once source task; see `runtime.assembly.TaskGuard`. On the task's thread."""

    def __init__(
        self,
        task: TaskId,
        task_config: Mapping[str, str],
        configs: TopicConfigStore,
        fence: Callable[[str], None],
        owned: Callable[[TaskId], bool],
    ) -> None:
        self._task = task
        self._task_config = task_config
        self._configs = configs
        self._fence = fence
        self._owned = owned

    def prepare(self) -> None:
        """Fence the producers of former tasks, by way of the leader."""
        self._fence(self._task.connector)

    def confirm(self) -> None:
        """Go on only as the present owner of the present configuration.

        Raises:
            RetriableError: something changed meanwhile; the herder is about to stop this task.
        """
        self._configs.refresh()
        found = self._configs.state().tasks.get(self._task.connector, [])
        same = self._task.task < len(found) and found[self._task.task] == self._task_config
        if not same or not self._owned(self._task):
            raise RetriableError(
                f"Task {self._task.connector}-{self._task.task} changed hands or configuration."
            )
