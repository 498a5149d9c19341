"""How workers start: topics that do not fit, several processes under one parent, exactly-once sources."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import Group, RestFailure, Worker, records, until


@pytest.fixture
def fresh(kafka: KafkaServer, tmp_path: Path) -> Iterator[Group]:
    """A group without workers yet."""
    made = Group(tmp_path, kafka.bootstrap, f"start-{time.time_ns()}-")
    yield made
    print(made.dump())
    made.close()


@pytest.mark.parametrize(
    ("topic", "partitions", "config", "message"),
    [
        ("config", 1, {"cleanup.policy": "delete"}, "is required to have 'cleanup.policy=compact'"),
        ("offset", 1, {"cleanup.policy": "delete"}, "and durability of source connector offsets"),
        ("config", 2, {"cleanup.policy": "compact"}, "single partition in order to guarantee consistency"),
        (None, 0, {}, "replication factor"),
    ],
)
def test_unfit_topics_end_the_worker(
    fresh: Group, kafka: KafkaServer, topic: str | None, partitions: int, config: dict[str, str], message: str
):
    if topic is None:
        fresh.options["config.storage.replication.factor"] = "3"
    else:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        new = NewTopic(f"{fresh.prefix}{topic}", partitions, 1, config=config)
        next(iter(admin.create_topics([new]).values())).result(10)
    worker = Worker(fresh.folder, 0, fresh.options)
    fresh.workers.append(worker)
    worker.start()
    assert worker.process is not None
    assert worker.process.wait(30) == 1
    assert message.lower() in worker.log.read_text().lower()


def test_several_workers_under_one_parent(fresh: Group):
    first = Worker(fresh.folder, 0, fresh.options)
    fresh.workers.append(first)
    second = Worker(fresh.folder, 1, fresh.options)
    second.port = first.port + 1
    properties = fresh.folder / "worker-0.properties"
    log = (fresh.folder / "worker-1.log").open("ab")
    command = [sys.executable, "-m", "replicator", "distributed", str(properties), "--workers", "2"]
    parent = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    fresh.workers.append(second)
    try:
        for worker in (first, second):
            worker.wait_healthy()
        out = fresh.folder / "out.txt"
        config = {
            "connector.class": "FileStreamSink",
            "tasks.max": "2",
            "file": str(out),
            "topics": f"{fresh.prefix}t",
        }
        second.put_connector("spread", config)
        until(lambda: len({*first.owners("spread").values()}) == 2, 20, "both have a task")
        children = subprocess.run(
            ["pgrep", "-P", str(parent.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        os.kill(int(children[0]), signal.SIGKILL)
        time.sleep(1)
        for worker in (first, second):
            worker.wait_healthy()
        until(lambda: len({*first.owners("spread").values()}) == 2, 20, "both have a task again")
    finally:
        parent.terminate()
        assert parent.wait(30) == 0


def test_exactly_once_source(fresh: Group, kafka: KafkaServer):
    """Former tasks are fenced by way of the leader, once for each set of task configurations."""
    fresh.options["exactly.once.source.support"] = "enabled"
    first, second = fresh.add(2)
    lines, topic = fresh.folder / "in.txt", f"{fresh.prefix}lines"
    lines.write_text("1\n2\n")
    config = {"connector.class": "FileStreamSource", "tasks.max": "1", "file": str(lines), "topic": topic}
    for number in range(2):
        first.put_connector(f"once-{number}", config)
        until(lambda name=f"once-{number}": len(first.owners(name)) == 1, 30, "it runs")
    until(
        lambda: len({*first.owners("once-0").values(), *first.owners("once-1").values()}) == 2, 30, "spread"
    )
    counts = [v for k, v in records(kafka.bootstrap, f"{fresh.prefix}config") if k == "tasks-fencing-once-0"]
    assert [json.loads(v or b"") for v in counts] == [{"task-count": 1}]
    until(lambda: first.get("/connectors/once-1/offsets")["offsets"], 10, "offsets are stored")
    owner = next(iter(second.owners("once-0").values()))
    # A stranger took the leader's id, as a new leader does: the first write fails, the next claims it back.
    stranger = Producer(
        {"bootstrap.servers": kafka.bootstrap, "transactional.id": f"connect-cluster-{fresh.prefix}group"}
    )
    stranger.init_transactions(10)
    with pytest.raises(RestFailure) as fenced:
        second.put_connector("late", {**config, "tasks.max": "2"})
    assert fenced.value.status == 500
    second.put_connector("late", {**config, "tasks.max": "2"})
    assert "late" in fresh.leader().get("/connectors")
    lost, kept = (first, second) if owner == first.id else (second, first)
    lost.kill()
    until(lambda: kept.owners("once-0") == {0: kept.id}, 20, "the other worker took over")
    with lines.open("a") as file:
        file.write("3\n")
    until(
        lambda: kept.get("/connectors/once-0/offsets")["offsets"][0]["offset"] == {"position": 6},
        20,
        "goes on",
    )


def test_protocols_change_by_rolling_restart(fresh: Group, kafka: KafkaServer):
    """eager, then compatible beside it, then sessioned for both."""
    first, second = fresh.add(2, connect_protocol="eager")
    config = {"connector.class": "FileStreamSink", "tasks.max": "4", "topics": f"{fresh.prefix}t"}
    first.put_connector("rolled", {**config, "file": str(fresh.folder / "out.txt")})
    until(
        lambda: sorted(first.owners("rolled").values()) == sorted([first.id, second.id] * 2),
        20,
        "eager shares",
    )
    second.stop()
    (third,) = fresh.add(1, connect_protocol="sessioned")
    until(
        lambda: sorted(third.owners("rolled").values()) == sorted([first.id, third.id] * 2),
        20,
        "both speak eager",
    )
    first.stop()
    until(lambda: list(third.owners("rolled").values()) == [third.id] * 4, 20, "one is left")
    (fourth,) = fresh.add(1)
    until(
        lambda: sorted(fourth.owners("rolled").values()) == sorted([third.id, fourth.id] * 2),
        20,
        "sessioned shares",
    )
    assert "(sessioned)" in fourth.log.read_text()
    assert "(default)" in first.log.read_text()
