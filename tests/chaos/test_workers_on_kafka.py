"""Postgres -> Kafka -> MySQL on three workers under load: they are restarted one by one, and killed several at once.

`REPLICATOR_OUTAGES=5 pytest tests/chaos/test_workers_on_kafka.py -s` goes through it so many times.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from tests.support.group_pipeline import PATIENCE, Pipeline
from tests.support.load import Load, wait_transactions
from tests.support.stopwatch import Stopwatch
from tests.support.worker_group import Worker, until

LONG_SESSION = 30.0
SESSION = 4.0
TIMES = int(os.environ.get("REPLICATOR_OUTAGES", "1"))
pytestmark = pytest.mark.timeout(200 + 100 * TIMES)


def test_rolling_restarts_and_several_workers_at_once(make_pipeline: Callable[[float], Pipeline]) -> None:
    pipeline, began = make_pipeline(LONG_SESSION), time.monotonic()
    with Load(pipeline.source, 1, rate=60) as load, Load(pipeline.source, 2, rate=60):
        pipeline.create(pipeline.group.add(3, scheduled_rebalance_max_delay_ms="300000")[0])
        pipeline.beat()
        pipeline.wait_running()
        rolled(pipeline)
        for _ in range(TIMES):
            several_killed(pipeline)
            print(f"\n{pipeline.report()}", flush=True)
        wait_transactions(load, 50, 60)
    noted = pipeline.settled()
    print(f"  {noted} updates of counters, each once; {time.monotonic() - began:.0f} s in all")


def rolled(pipeline: Pipeline) -> None:
    """Each worker in turn: stopped and started, and in the last round replaced by one with other options.

    Whoever waited for a session or for the delay of lost workers would be seen: both are longer than any row may take.
    """
    group = pipeline.group
    with Stopwatch(pipeline) as watch:
        for _ in range(TIMES):
            for worker in list(group.living):
                worker.stop()
                worker.start()
                ready(pipeline, worker)
        for worker in list(group.living):
            worker.stop()
            session = {"session_timeout_ms": str(int(SESSION * 1000))}
            ready(pipeline, *group.add(1, **session))
    print(f"\n  rolling restarts: the slowest row took {watch.longest:.1f} s")
    assert watch.longest < LONG_SESSION / 2


def ready(pipeline: Pipeline, worker: Worker) -> None:
    """As the runbook says: the next one when this one has joined and everything runs."""
    worker.wait_healthy(PATIENCE)
    pipeline.wait_running()


def several_killed(pipeline: Pipeline) -> None:
    """Two of three, all of them while rows flow, and all of them while work moves."""
    group = pipeline.group
    leader, source = group.leader(), pipeline.owner("shop")
    other = next(one for one in group.living if one not in (leader, source))
    pair = [leader, source if source is not leader else other]
    pipeline.timed("the leader and another worker are killed", lambda: [one.kill() for one in pair])
    pipeline.wait_running()
    for one in pair:
        one.start()
    for one in pair:
        one.wait_healthy(PATIENCE)
    pipeline.wait_running()
    everybody = list(group.living)
    pipeline.timed("all workers are killed and started", lambda: killed(everybody))
    pipeline.wait_running()

    def moving() -> None:
        """One hands its work over, and in the middle of that all of them die."""
        first, *others = everybody
        rounds = [one.rounds() for one in others]
        first.terminate()
        until(lambda: [one.rounds() for one in others] != rounds, PATIENCE, "work moves", pause=0.01)
        killed(everybody)

    pipeline.timed("all workers are killed while one hands over", moving)
    pipeline.wait_running()


def killed(workers: list[Worker]) -> None:
    """kill -9 for all of them before any starts again."""
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.start()
