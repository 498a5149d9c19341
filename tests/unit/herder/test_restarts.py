"""Restart plans: the four combinations of flags."""

from __future__ import annotations

import pytest

from replicator.herder.restarts import plan
from replicator.herder.views import ConnectorState, ConnectorStatus, TaskState


def status(connector: str, *tasks: str) -> ConnectorStatus:
    states = [
        TaskState(n, state, "w", "trace" if state == "FAILED" else None) for n, state in enumerate(tasks)
    ]
    return ConnectorStatus("c", ConnectorState(connector, "w"), states, "sink")


@pytest.mark.parametrize(
    ("include_tasks", "only_failed", "connector", "tasks"),
    [
        (False, False, True, ()),
        (True, False, True, (0, 1)),
        (False, True, False, ()),
        (True, True, False, (1,)),
    ],
)
def test_running_connector_with_a_failed_task(
    include_tasks: bool, only_failed: bool, connector: bool, tasks: tuple[int, ...]
) -> None:
    made = plan(status("RUNNING", "RUNNING", "FAILED"), include_tasks=include_tasks, only_failed=only_failed)
    assert (made.connector, made.tasks) == (connector, tasks)
    shown = made.status.to_json()
    assert shown["connector"]["state"] == ("RESTARTING" if connector else "RUNNING")
    assert [t["state"] == "RESTARTING" for t in shown["tasks"]] == [n in tasks for n in (0, 1)]


def test_failed_connector() -> None:
    assert plan(status("FAILED", "RUNNING"), include_tasks=False, only_failed=True).connector
