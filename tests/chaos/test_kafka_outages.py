"""Postgres -> Kafka -> MySQL on two workers under load while the Kafka node is stopped, killed and started.

`REPLICATOR_OUTAGES=5 pytest tests/chaos/test_kafka_outages.py -s` goes through the outages so many times.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from tests.support.fix_servers import KafkaServer
from tests.support.group_pipeline import PATIENCE, Pipeline
from tests.support.load import Load, wait_transactions
from tests.support.worker_group import until

SESSION = 4.0
COPIED = 60_000
TIMES = int(os.environ.get("REPLICATOR_OUTAGES", "1"))
pytestmark = pytest.mark.timeout(200 + 100 * TIMES)


def test_rows_arrive_once_through_outages_of_kafka(make_pipeline: Callable[[float], Pipeline]) -> None:
    pipeline, began = make_pipeline(SESSION), time.monotonic()
    rows = f"SELECT i, 'copied', 0, NULL FROM generate_series(100001, {100_000 + COPIED}) i"
    pipeline.source.execute(f"INSERT INTO items {rows}")
    kafka = pipeline.kafka
    with Load(pipeline.source, 1, rate=60) as load, Load(pipeline.source, 2, rate=60):
        killed_while_it_copies(pipeline)
        for _ in range(TIMES):
            pipeline.timed("Kafka restarts", kafka.restart)
            pipeline.wait_running()
            pipeline.timed("Kafka is killed for longer than a session", lambda: killed(kafka, SESSION + 2))
            pipeline.wait_running()
            killed_while_work_moves(pipeline)
            print(f"\n{pipeline.report()}", flush=True)
        wait_transactions(load, 50, 60)
    noted = pipeline.settled()
    print(f"  {noted} updates of counters, each once; {time.monotonic() - began:.0f} s in all")


def killed(kafka: KafkaServer, away: float = 0.0) -> None:
    """kill -9, and back after so many seconds."""
    kafka.kill()
    time.sleep(away)
    kafka.start()


def killed_while_it_copies(pipeline: Pipeline) -> None:
    """In the middle of the snapshot, with what was copied partly in Kafka and partly in the target."""
    first, _ = pipeline.group.add(2)
    pipeline.create(first)
    until(lambda: pipeline.count("items") > 0, PATIENCE, "rows are copied", pause=0.01)
    pipeline.kafka.kill()
    copied = pipeline.count("items")
    assert copied < COPIED, "the copy was over"
    pipeline.timed(f"Kafka is killed after {copied} of {COPIED} rows", pipeline.kafka.start)
    pipeline.wait_running()


def killed_while_work_moves(pipeline: Pipeline) -> None:
    """While the other worker gets the tasks of a lost one, and while they are shared again when it comes back."""
    worker = pipeline.owner("keyed")
    kept = next(one for one in pipeline.group.living if one is not worker)
    rounds = kept.rounds()

    def lost() -> None:
        worker.kill()
        until(lambda: kept.rounds() > rounds, PATIENCE, "the group goes on without the worker", pause=0.01)
        killed(pipeline.kafka)

    pipeline.timed("Kafka is killed while a killed worker's tasks move", lost)
    pipeline.wait_running()
    rounds = kept.rounds()

    def back() -> None:
        worker.start()
        until(lambda: kept.rounds() > rounds, PATIENCE, "a worker joins", pause=0.01)
        killed(pipeline.kafka)

    pipeline.timed("Kafka is killed while tasks move to a worker that came back", back)
    worker.wait_healthy(PATIENCE)
    pipeline.wait_running()
