"""Postgres -> Kafka -> MySQL on two workers under load while workers and servers are killed, frozen and restarted.

One scenario always runs; `REPLICATOR_SOAK_SECONDS=600 pytest tests/chaos/test_pipeline_on_kafka.py -s` goes on with
disturbances by lot (`REPLICATOR_SOAK_SEED`).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from replicator.testing.failpoints import environment
from tests.support.group_pipeline import PATIENCE, Pipeline
from tests.support.load import Load, wait_transactions
from tests.support.running_servers import Running
from tests.support.worker_group import Worker, until

SESSION = 4.0
SOAK = float(os.environ.get("REPLICATOR_SOAK_SECONDS", "0"))
COPIED = 20_000
pytestmark = pytest.mark.timeout(300 + 2 * SOAK)


def test_rows_arrive_once_through_crashes(make_pipeline: Callable[[float], Pipeline]) -> None:
    pipeline, began = make_pipeline(SESSION), time.monotonic()
    group = pipeline.group
    rows = f"SELECT i, 'copied', 0, NULL FROM generate_series(100001, {100_000 + COPIED}) i"
    pipeline.source.execute(f"INSERT INTO items {rows}")
    with Load(pipeline.source, 1, rate=60) as load, Load(pipeline.source, 2, rate=60):
        killed_while_it_copies(pipeline)
        pipeline.wait_running()
        kill(pipeline, group.leader(), "the leader is killed")
        kill(pipeline, pipeline.owner("keyed"), "a sink's worker is killed")
        freeze(pipeline, pipeline.owner("keyed", 1))
        pipeline.timed("MySQL is killed and started", lambda: restarted(pipeline.target.server))
        pipeline.timed("Postgres is killed and started", lambda: restarted(pipeline.source.server))
        if SOAK:
            soak(pipeline)
        wait_transactions(load, 50, 60)
    noted = pipeline.settled()
    print(
        f"\n{pipeline.report()}\n  {noted} updates of counters, each once; {time.monotonic() - began:.0f} s in all"
    )


def killed_while_it_copies(pipeline: Pipeline) -> None:
    """The source's worker dies by itself at a commit in the middle of the snapshot."""
    armed = environment(os.environ, "before_transaction_commit:kill@4")
    first, _ = workers = pipeline.group.add(2, env=armed)
    pipeline.create(first)
    until(lambda: any(not worker.alive for worker in workers), PATIENCE, "a worker dies")
    copied = pipeline.count("items")
    assert copied < COPIED, "the copy was over"
    for worker in workers:
        worker.kill()
        worker.start()
    pipeline.timed(f"both workers are killed after {copied} of {COPIED} rows", lambda: None)


def kill(pipeline: Pipeline, worker: Worker, what: str) -> None:
    """kill -9; it comes back when its work runs elsewhere."""
    pipeline.timed(what, worker.kill)
    pipeline.wait_running()
    worker.start()
    worker.wait_healthy()


def freeze(pipeline: Pipeline, worker: Worker) -> None:
    """A sink's worker sleeps until others have its work, and wakes up again."""
    worker.signal(signal.SIGSTOP)
    try:
        pipeline.timed("a sink's worker is frozen", lambda: None)
    finally:
        worker.signal(signal.SIGCONT)
    worker.wait_healthy()
    pipeline.beat()


def restarted(server: Running) -> None:
    server.kill()
    server.start()


def soak(pipeline: Pipeline) -> None:
    """Disturbances by lot."""
    pick = random.Random(int(os.environ.get("REPLICATOR_SOAK_SEED", "1")))
    deadline = time.monotonic() + SOAK
    choices: list[Callable[[], None]] = [
        lambda: kill(pipeline, pipeline.group.leader(), "the leader is killed"),
        lambda: kill(pipeline, pipeline.owner("shop"), "the source's worker is killed"),
        lambda: kill(pipeline, pipeline.owner("appended", pick.randrange(2)), "a sink's worker is killed"),
        lambda: freeze(pipeline, pipeline.owner(pick.choice(("shop", "keyed", "appended")))),
        lambda: stop(pipeline, pick.choice(pipeline.group.workers)),
        lambda: all_killed(pipeline),
        lambda: pipeline.timed("MySQL is killed and started", lambda: restarted(pipeline.target.server)),
        lambda: pipeline.timed("MySQL restarts", pipeline.target.server.restart),
        lambda: pipeline.timed("Kafka restarts", pipeline.kafka.restart),
        lambda: pipeline.timed("Kafka is killed and started", lambda: restarted(pipeline.kafka)),
        lambda: pipeline.timed("Postgres is killed and started", lambda: restarted(pipeline.source.server)),
        lambda: pipeline.timed("Postgres restarts", pipeline.source.server.restart),
    ]
    while time.monotonic() < deadline:
        pick.choice(choices)()
        print(pipeline.report().splitlines()[-1], flush=True)
        time.sleep(pick.uniform(0, 4))


def stop(pipeline: Pipeline, worker: Worker) -> None:
    """SIGTERM, and back."""
    pipeline.timed("a worker is stopped", worker.stop)
    worker.start()
    worker.wait_healthy()


def all_killed(pipeline: Pipeline) -> None:
    """All at once, and back."""
    for worker in pipeline.group.workers:
        worker.kill()
    for worker in pipeline.group.workers:
        worker.start()
    pipeline.timed("all workers are killed and started", lambda: None)
