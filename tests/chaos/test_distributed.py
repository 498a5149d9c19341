"""Workers of a group are killed, frozen and stopped while lines flow from a file through Kafka into a file."""

from __future__ import annotations

import itertools
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import Group, Worker, records, until

SESSION = 3.0
LONG_DELAY = pytest.mark.parametrize("group", [300_000], indirect=True)
_numbers = itertools.count(1)


class Flow:
    """Appends numbered lines to a source's file and watches them arrive in a sink's."""

    def __init__(self, group: Group, topic: str) -> None:
        self.source, self.target = group.folder / "in.txt", group.folder / "out.txt"
        self.topic = topic
        # A name of its own for each test: a killed worker's sink tasks stay members of their group for a session.
        self.lines, self.out = f"lines-{group.prefix}", f"out-{group.prefix}"
        self.written = 0
        self._stop = threading.Event()
        self.source.touch()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _write(self) -> None:
        with self.source.open("a") as file:
            while not self._stop.wait(0.05):
                file.write(f"{self.written} {time.time():.3f}\n")
                file.flush()
                self.written += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def arrived(self) -> list[int]:
        text = self.target.read_text() if self.target.exists() else ""
        return [int(line.split()[0]) for line in text.splitlines() if line]

    def wait_for_newer(self, than: int, timeout: float, what: str) -> None:
        until(lambda: any(number > than for number in self.arrived()[-200:]), timeout, what, pause=0.05)


@pytest.fixture
def group(kafka: KafkaServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Group]:
    """Nobody waits for a lost worker, or as many milliseconds as the test's parameter says."""
    delay = {"scheduled_rebalance_max_delay_ms": str(getattr(request, "param", 0))}
    session = {"session_timeout_ms": str(int(SESSION * 1000))}
    made = Group(tmp_path, kafka.bootstrap, f"chaos{next(_numbers)}-{time.time_ns()}-", **session, **delay)
    yield made
    print(made.dump())  # shown when the test failed
    made.close()


@pytest.fixture
def flow(group: Group, kafka: KafkaServer) -> Iterator[Flow]:
    """A source and a sink with two tasks on two workers."""
    flow = begin(group, kafka)
    yield flow
    flow.stop()


def begin(group: Group, kafka: KafkaServer) -> Flow:
    """Start two workers and let lines flow."""
    topic = f"{group.prefix}lines"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_topics([NewTopic(topic, 2, 1)]).values():
        made.result(10)
    flow = Flow(group, topic)
    first = group.add(2)[0]
    source = {
        "connector.class": "FileStreamSource",
        "tasks.max": "1",
        "file": str(flow.source),
        "topic": topic,
    }
    sink = {"connector.class": "FileStreamSink", "tasks.max": "2", "file": str(flow.target), "topics": topic}
    first.put_connector(flow.lines, source)
    first.put_connector(flow.out, sink)
    until(
        lambda: len(first.owners(flow.lines)) == 1 and len(first.owners(flow.out)) == 2, 60, "all tasks run"
    )
    flow.start()
    flow.wait_for_newer(5, 60, "lines flow")
    until(lambda: shared(group, flow), 60, "work is shared")
    return flow


def settled(group: Group, flow: Flow) -> dict[str, dict[int, str]]:
    """Owners, once all three tasks run on living workers and every worker says so."""
    living = {worker.id for worker in group.living}

    def check() -> dict[str, dict[int, str]]:
        found = [{name: worker.owners(name) for name in (flow.lines, flow.out)} for worker in group.living]
        first = found[0]
        complete = len(first[flow.lines]) == 1 and len(first[flow.out]) == 2
        owners = {owner for tasks in first.values() for owner in tasks.values()}
        return first if complete and owners <= living and all(f == first for f in found) else {}

    return until(check, 30, "every task runs on a living worker")


def shared(group: Group, flow: Flow) -> bool:
    """Whether every living worker has a task."""
    owners = {owner for tasks in settled(group, flow).values() for owner in tasks.values()}
    return owners == {worker.id for worker in group.living}


def has_all(worker: Worker, flow: Flow) -> bool:
    """Whether all three tasks run on this worker."""
    owners = [*worker.owners(flow.lines).values(), *worker.owners(flow.out).values()]
    return owners == [worker.id] * 3


def nothing_lost(flow: Flow) -> None:
    flow.stop()
    until(lambda: set(range(flow.written)) <= set(flow.arrived()), 30, "every line arrives")


def victim(group: Group, flow: Flow, which: str) -> tuple[Worker, Worker]:
    """The leader or the other worker, and who stays."""
    leader = group.leader()
    other = next(worker for worker in group.living if worker is not leader)
    return (leader, other) if which == "leader" else (other, leader)


@pytest.mark.parametrize("which", ["leader", "follower"])
def test_killed_worker(group: Group, flow: Flow, which: str):
    """Its tasks run elsewhere, and lines flow, within the session timeout and three seconds."""
    lost, kept = victim(group, flow, which)
    began = time.monotonic()
    mark = flow.written
    lost.kill()
    until(
        lambda: has_all(kept, flow),
        SESSION + 3,
        "the survivor has all tasks",
    )
    # Lines of both partitions: each has about every other one.
    until(
        lambda: len({n for n in flow.arrived()[-400:] if n > mark + 20}) > 10,
        max(0.1, SESSION + 3 - (time.monotonic() - began)),
        "lines flow",
    )
    print(
        f"\n{which} killed: lines flow again after {time.monotonic() - began:.1f} s of a session of {SESSION:g} s"
    )
    nothing_lost(flow)


@LONG_DELAY
@pytest.mark.parametrize("which", ["leader", "follower"])
def test_planned_stop_hands_over_at_once(group: Group, flow: Flow, which: str):
    """Nobody waits for a timeout, also not for the delay that a lost worker gets."""
    lost, kept = victim(group, flow, which)
    began = time.monotonic()
    lost.stop()
    stopped = time.monotonic()
    until(
        lambda: has_all(kept, flow),
        3,
        "the other worker has all tasks",
        pause=0.02,
    )
    flow.wait_for_newer(flow.written, 3, "lines flow")
    print(
        f"\n{which} stopped in {stopped - began:.1f} s;"
        f" its work ran elsewhere {time.monotonic() - stopped:.1f} s after that"
    )
    nothing_lost(flow)


def test_frozen_worker(group: Group, flow: Flow):
    """A worker that wakes up after others took over gives its work up, and shares again."""
    lost, kept = victim(group, flow, "leader")
    lost.signal(signal.SIGSTOP)
    try:
        until(
            lambda: has_all(kept, flow),
            SESSION + 5,
            "the survivor has all tasks",
        )
        flow.wait_for_newer(flow.written, 5, "lines flow")
    finally:
        lost.signal(signal.SIGCONT)
    owners = settled(group, flow)
    until(lambda: shared(group, flow), 60, "work is shared")
    assert owners
    nothing_lost(flow)


def test_a_short_freeze_changes_nothing(group: Group, flow: Flow):
    lost, _ = victim(group, flow, "follower")
    owners = settled(group, flow)
    lost.signal(signal.SIGSTOP)
    time.sleep(SESSION / 3)
    lost.signal(signal.SIGCONT)
    flow.wait_for_newer(flow.written, 10, "lines flow")
    assert settled(group, flow) == owners
    nothing_lost(flow)


def starts(group: Group) -> dict[tuple[str, int], int]:
    """How often each task reported that it runs."""
    found = records(group.options["bootstrap.servers"], group.options["status.storage.topic"], 2)
    counted: dict[tuple[str, int], int] = {}
    for key, value in found:
        if key.startswith("status-task-") and value and json.loads(value)["state"] == "RUNNING":
            connector, _, task = key.removeprefix("status-task-").rpartition("-")
            counted[connector, int(task)] = counted.get((connector, int(task)), 0) + 1
    return counted


def test_a_round_does_not_stop_tasks_that_stay(group: Group, flow: Flow):
    before, begun = settled(group, flow), starts(group)
    group.add(1)
    until(lambda: shared(group, flow), 60, "work is shared")
    after, again = settled(group, flow), starts(group)
    tasks = [(name, task) for name, owners in before.items() for task in owners]
    stayed = [(name, task) for name, task in tasks if after[name][task] == before[name][task]]
    assert len(stayed) == 2
    assert {task: again[task] - begun[task] for task in stayed} == dict.fromkeys(stayed, 0)
    nothing_lost(flow)


@LONG_DELAY
def test_a_worker_that_comes_back_gets_its_work_back(group: Group, flow: Flow):
    """Long before the delay ends, when it is the same address that comes back."""
    owners = settled(group, flow)
    lost, _ = victim(group, flow, "follower")
    lost.kill()
    time.sleep(SESSION + 2)
    lost.start()
    lost.wait_healthy()
    assert settled(group, flow) == owners
    nothing_lost(flow)
