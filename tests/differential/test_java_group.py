"""Java's Kafka Connect and our workers in one group, and one after the other on the same internal topics."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.devservers.instance import ServerUnavailable
from tests.support.fix_servers import KafkaServer
from tests.support.java_worker import VERSION, JavaWorker
from tests.support.worker_group import Group, Worker, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(280),
    pytest.mark.skipif(
        os.environ.get("REPLICATOR_TEST_JAVA") != "1",
        reason="REPLICATOR_TEST_JAVA is not set: starts Java's workers",
    ),
]
_numbers = itertools.count(1)


@pytest.fixture
def group(kafka: KafkaServer, tmp_path: Path) -> Iterator[Group]:
    made = Group(tmp_path, kafka.bootstrap, f"java{next(_numbers)}-{time.time_ns()}-")
    # Java's consumers are members of their own: the partitions of a killed worker's wait for their session to end.
    made.options |= {"plugin.discovery": "service_load", "consumer.session.timeout.ms": "6000"}
    yield made
    print(made.dump())
    made.close()


def java(group: Group) -> Worker:
    """Start a Java worker."""
    worker = JavaWorker(group.folder, len(group.workers), group.options)
    group.workers.append(worker)
    try:
        worker.start()
    except ServerUnavailable as missing:
        pytest.skip(str(missing))
    worker.wait_healthy(90)
    return worker


def source(group: Group, topic: str, lines: Path) -> dict[str, str]:
    return {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1", "file": str(lines), "topic": topic,
    }  # fmt: skip


def sink(group: Group, topic: str, out: Path, tasks: int = 1) -> dict[str, str]:
    return {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": str(tasks), "file": str(out), "topics": topic,
    }  # fmt: skip


def runs(worker: Worker, name: str, tasks: int, owner: str | None = None) -> None:
    def check() -> bool:
        owners = worker.owners(name)
        here = owner is None or set(owners.values()) == {owner}
        return worker.state(name) == "RUNNING" and len(owners) == tasks and here

    until(check, 60, f"{name} runs {tasks} tasks{'' if owner is None else f' at {owner}'}")


def own_version(worker: Worker) -> str:
    """Version of the file sink where it is installed."""
    plugins = worker.get("/connector-plugins")
    return str(next(p["version"] for p in plugins if p["class"].endswith("FileStreamSinkConnector")))


def versions(worker: Worker, name: str, known: dict[str, str]) -> list[str]:
    """Version of each task as a worker tells it, or, where `known`, as the task's owner has it."""
    tasks = worker.get(f"/connectors/{name}/status")["tasks"]
    return [known.get(task["worker_id"], task["version"]) for task in tasks]


def test_taking_over_from_java_and_back(group: Group):
    """Connectors, states and offsets that one wrote the other goes on with, both ways."""
    lines, out = group.folder / "in.txt", group.folder / "out.txt"
    topic = f"{group.prefix}lines"
    lines.write_text("1\n2\n")
    first = java(group)
    first.put_connector("in", source(group, topic, lines))
    first.put_connector("out", sink(group, topic, out))
    first.put_connector("idle", source(group, topic, lines))
    first.request("PUT", "/connectors/idle/stop")
    runs(first, "in", 1)
    runs(first, "out", 1)
    until(lambda: out.read_text() == "1\n2\n", 90, "Java copies lines")
    until(lambda: first.get("/connectors/in/offsets")["offsets"], 20, "Java stores offsets")
    before = {path: first.get(path) for path in ("/connectors/in", "/connectors/out", "/connectors/in/tasks")}
    offsets = first.get("/connectors/in/offsets")
    first.stop(60)

    ours = group.add(1)[0]
    runs(ours, "in", 1, ours.id)
    runs(ours, "out", 1, ours.id)
    assert {path: ours.get(path) for path in before} == before
    assert ours.get("/connectors/in/offsets") == offsets
    assert ours.state("idle") == "STOPPED"
    with lines.open("a") as file:
        file.write("3\n4\n")
    until(lambda: out.read_text() == "1\n2\n3\n4\n", 90, "we go on where Java stopped")
    until(lambda: ours.get("/connectors/in/offsets") != offsets, 20, "we store offsets")
    offsets = ours.get("/connectors/in/offsets")
    ours.put_connector("made-here", sink(group, topic, group.folder / "second.txt", 2))
    runs(ours, "made-here", 2)
    ours.request("PUT", "/connectors/out/pause")
    before = {
        path: ours.get(path) for path in ("/connectors/in", "/connectors/made-here", "/connectors/in/tasks")
    }
    ours.stop()

    second = java(group)
    runs(second, "in", 1, second.id)
    runs(second, "made-here", 2, second.id)
    assert {path: second.get(path) for path in before} == before
    assert second.get("/connectors/in/offsets") == offsets
    until(lambda: second.state("out") == "PAUSED", 20, "paused stays paused")
    second.request("PUT", "/connectors/out/resume")
    with lines.open("a") as file:
        file.write("5\n")
    until(lambda: out.read_text() == "1\n2\n3\n4\n5\n", 90, "Java goes on where we stopped")


@pytest.mark.parametrize("leader", ["java", "ours"])
def test_one_group(group: Group, leader: str):
    """They share work, forward requests to each other, and take over from each other."""
    topic, lines = f"{group.prefix}lines", group.folder / "in.txt"
    # Names of this run only: a sink's consumers stay members of their group for a session after the worker's death.
    ins, outs = [[f"{kind}{n}-{group.prefix}" for n in range(2)] for kind in ("in", "out")]
    lines.write_text("1\n")
    if leader == "java":
        theirs = java(group)
        ours = group.add(1)[0]
    else:
        ours = group.add(1)[0]
        theirs = java(group)
    both = (ours, theirs)
    for number, worker in enumerate(both):
        worker.put_connector(ins[number], source(group, topic, lines))
        worker.put_connector(outs[number], sink(group, topic, group.folder / f"out{number}.txt", 3))
    for worker in both:
        for number in range(2):
            runs(worker, ins[number], 1)
            runs(worker, outs[number], 3)

    def shared() -> bool:
        owners = [o for n in range(2) for name in (ins[n], outs[n]) for o in theirs.owners(name).values()]
        return sorted(owners.count(worker.id) for worker in both) == [4, 4]

    until(shared, 90, "each has four of the eight tasks")
    expected = versions(ours, outs[0], {ours.id: own_version(ours), theirs.id: VERSION})
    until(
        lambda: [versions(w, outs[0], {}) for w in both] == [expected] * 2, 20, "both tell which version runs"
    )
    for worker in both:
        assert set(worker.get("/connectors")) == {*ins, *outs}
        # Wherever it runs: the request finds its way to the owner.
        for task in range(3):
            worker.request("POST", f"/connectors/{outs[0]}/tasks/{task}/restart")
        worker.request("POST", f"/connectors/{outs[1]}/restart?includeTasks=true")
        runs(worker, outs[1], 3)
    theirs.request("DELETE", f"/connectors/{ins[1]}")
    until(lambda: ins[1] not in ours.get("/connectors"), 10, "deleted here, too")

    lost, kept = (theirs, ours) if leader == "java" else (ours, theirs)
    lost.kill()
    for name, tasks in ((ins[0], 1), (outs[0], 3), (outs[1], 3)):
        runs(kept, name, tasks, kept.id)
    with lines.open("a") as file:
        file.write("2\n")
    for number in range(2):
        out = group.folder / f"out{number}.txt"
        until(lambda out=out: "2\n" in out.read_text(), 30, f"lines flow into {out.name}")
