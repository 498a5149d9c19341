"""Which parts of a connector a restart request means (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from replicator.herder.views import ConnectorState, ConnectorStatus, TaskState

FAILED = "FAILED"
RESTARTING = "RESTARTING"


@dataclass(frozen=True, slots=True)
class RestartPlan:
    """Parts to restart, and the status to answer with."""

    connector: bool
    tasks: tuple[int, ...]
    status: ConnectorStatus


def plan(status: ConnectorStatus, *, include_tasks: bool, only_failed: bool) -> RestartPlan:
    """The connector is always considered, tasks with `include_tasks`; `only_failed` keeps the failed ones."""
    connector = not only_failed or status.connector.state == FAILED
    tasks = tuple(t.id for t in status.tasks if include_tasks and (not only_failed or t.state == FAILED))
    shown = replace(
        status,
        connector=_restarting(status.connector) if connector else status.connector,
        tasks=[_restarting(t) if t.id in tasks else t for t in status.tasks],
    )
    return RestartPlan(connector, tasks, shown)


_State = TypeVar("_State", ConnectorState, TaskState)


def _restarting(state: _State) -> _State:
    return replace(state, state=RESTARTING)
