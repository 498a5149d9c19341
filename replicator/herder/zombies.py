"""Fencing the transactional producers of a connector's former tasks (KIP-618), by the leader, before new ones start."""

from __future__ import annotations

from replicator.api.errors import RetriableError
from replicator.broker.base import Admin
from replicator.storage.config_store import TopicConfigStore


def transactional_id(group: str, connector: str, task: int) -> str:
    """Transactional id of a source task's producer."""
    return f"{group}-{connector}-{task}"


def fence(admin: Admin, configs: TopicConfigStore, group: str, connector: str) -> None:
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
        admin.fence_producers([transactional_id(group, connector, number) for number in range(former)])
    if configs.state().task_counts.get(connector) != count:
        raise RetriableError(f"The tasks of {connector} changed while its former ones were fenced.")
    configs.put_fencing(connector, count)
