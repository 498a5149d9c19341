"""What a worker must start and stop so that it runs what it was assigned and what is configured. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from replicator.herder.views import TaskId
from replicator.herder.work import NOTHING, Work, configured


@dataclass(frozen=True, slots=True)
class Steps:
    """Stop first, then start."""

    stop: Work = NOTHING
    start: Work = NOTHING


def steps(running: Work, assigned: Work, task_counts: Mapping[str, int]) -> Steps:
    """Difference between what runs and what is to run here.

    Args:
        running: connectors and tasks that run.
        assigned: what the leader gave this worker.
        task_counts: configured connectors and the numbers of their tasks, as far as their sets are complete.
    """
    wanted = assigned & configured(task_counts)
    return Steps(running - wanted, wanted - running)


def reconfigured(running: Work, connectors: Collection[str]) -> frozenset[TaskId]:
    """Running tasks of connectors whose task configurations changed; they stop, and start with the next assignment."""
    return frozenset(task for task in running.tasks if task.connector in connectors)


def accumulate(held: Work, assigned: Work, revoked: Work, *, incremental: bool) -> Work:
    """A worker's work after a round: incremental protocols give and take, the eager one replaces."""
    return (held - revoked) | assigned if incremental else assigned
