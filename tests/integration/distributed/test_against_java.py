"""The calls of tests/differential/rest/calls.txt against a distributed worker, compared with Java workers' answers.

See tests/unit/rest/test_against_java.py: the same for a standalone worker, and how deviations are stated. A group
changes by and by: each call is made when the worker has carried out what the former ones asked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from replicator.distributed_service import DistributedService
from replicator.herder.work import configured
from replicator.storage.base import ConfigState
from replicator.storage.states import State, TargetState
from tests.differential.rest import golden, play
from tests.support.fix_servers import KafkaServer
from tests.support.worker_group import until
from tests.unit.rest.test_against_java import deviations

TOPICS = ("rest-a", "rest-b", "rest-t")


@pytest.fixture
def worker(kafka: KafkaServer, kafka_prefix: str) -> Iterator[DistributedService]:
    service = DistributedService(
        {
            "bootstrap.servers": kafka.bootstrap,
            "group.id": "restlab",
            **{f"{s}.storage.topic": f"{kafka_prefix}{s}" for s in ("config", "offset", "status")},
            **{f"{s}.storage.replication.factor": "1" for s in ("config", "offset", "status")},
            "offset.storage.partitions": "1",
            "status.storage.partitions": "1",
            "scheduled.rebalance.max.delay.ms": "0",
            "offset.flush.interval.ms": "500",
            "listeners": "http://127.0.0.1:0",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        }
    )
    service.start()
    try:
        yield service
    finally:
        service.stop()


@pytest.fixture
def clean(kafka: KafkaServer) -> Iterator[None]:
    """The calls name their topics and group: others may have left some."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    _forget(admin)
    for made in admin.create_topics([NewTopic(topic, 1, 1) for topic in TOPICS]).values():
        made.result(30)
    yield
    _forget(admin)
    for gone in admin.delete_topics(list(TOPICS)).values():
        gone.result(30)


def _forget(admin: AdminClient) -> None:
    for group in ("connect-snk", "connect-osk"):
        for gone in admin.delete_consumer_groups([group]).values():
            with suppress(KafkaException):  # there is none
                gone.result(30)


class Settled:
    """Waits until a worker that is alone in its group has nothing left to do."""

    def __init__(self, worker: DistributedService) -> None:
        self._herder = worker.herder
        self._configs, self._statuses = worker._configs, worker._statuses

    def wait(self) -> None:
        until(self._has_settled, 60, "the worker has carried out what was asked for", pause=0.005)

    def _has_settled(self) -> bool:
        herder, before = self._herder, self._configs.state()
        # One turn may be under way that began before the last change came; a whole one must have followed it.
        if not all(self._turned() for _ in range(2)) or herder.loop.wait_settled(0.0) is None:
            return False
        if not herder._reports.flush(1.0) or self._statuses.connectors() - before.connectors.keys():
            return False
        names = before.connectors
        runs = configured({name: len(before.tasks.get(name, ())) for name in names})
        return (
            herder.running == runs
            and all(self._is_final(before, name) for name in names)
            and self._configs.state() is before
        )

    def _turned(self) -> bool:
        loop, now = self._herder.loop, time.monotonic()
        loop.wake()
        while loop._turned < now:
            if time.monotonic() > now + 20 or loop.failure is not None:
                return False
            time.sleep(0.001)
        return True

    def _is_final(self, state: ConfigState, name: str) -> bool:
        """Whether a connector and its tasks are in the state that is wanted, with the present configuration."""
        target, found = state.targets[name], self._statuses.connector(name)
        wanted = {"RUNNING" if target is TargetState.STARTED else target.value, "FAILED"}
        if found is None or found.state.value not in wanted:
            return False
        if found.state is State.RUNNING and state.applied.get(name) != state.connectors[name]:
            return False  # its tasks will be made anew
        tasks = self._statuses.tasks(name)
        return len(tasks) == len(state.tasks.get(name, ())) and all(t.state.value in wanted for t in tasks)


@pytest.mark.slow
@pytest.mark.usefixtures("clean")
def test_every_answer(worker: DistributedService, tmp_path: Path) -> None:
    play.await_health(worker.url)
    settled = Settled(worker)
    ours = deviations()
    wrong = []
    java = golden.read(golden.FOLDER / "distributed.jsonl")
    for (call, answer), (text, expected) in zip(play.play(worker.url), java, strict=True):
        assert text == str(call)
        found = golden.normal(answer)
        if not golden.same(found, expected) and not any(
            golden.fits(found, d, expected) for d in ours.get(text, ())
        ):
            wrong.append((text, found, [expected]))
        if call.method != "GET" and answer.status < 300:
            settled.wait()
    if wrong:
        (tmp_path / "differ.jsonl").write_text("".join(json.dumps(w) + "\n" for w in wrong), encoding="utf-8")
    assert not wrong, f"{len(wrong)} answers differ: " + "; ".join(call for call, _, _ in wrong)
