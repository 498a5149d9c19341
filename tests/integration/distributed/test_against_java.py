"""The calls of tests/differential/rest/calls.txt against a distributed worker, compared with Java workers' answers.

See tests/unit/rest/test_against_java.py: the same for a standalone worker, and how deviations are stated.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from replicator.distributed_service import DistributedService
from tests.differential.rest import golden, play
from tests.support.fix_servers import KafkaServer
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
    for gone in admin.delete_consumer_groups(["connect-snk"]).values():
        with suppress(KafkaException):  # there is none
            gone.result(30)


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("REPLICATOR_TEST_JAVA") != "1",
    reason="REPLICATOR_TEST_JAVA is not set: depends on how soon a group settles",
)
@pytest.mark.usefixtures("clean")
def test_every_answer(worker: DistributedService, tmp_path: Path) -> None:
    play.await_health(worker.url)
    java = golden.read(golden.FOLDER / "distributed.jsonl")
    ours = deviations()
    wrong = []
    for (call, answer), (text, expected) in zip(play.play(worker.url, 0.25), java, strict=True):
        assert text == str(call)
        found = golden.normal(answer)
        for _ in range(20):  # what was changed is seen by and by
            fits = [golden.fits(found, d, expected) for d in ours.get(text, ())]
            if call.method != "GET" or golden.same(found, expected) or any(fits):
                break
            time.sleep(0.25)
            found = golden.normal(play.request(worker.url, call))
        if not golden.same(found, expected) and not any(
            golden.fits(found, d, expected) for d in ours.get(text, ())
        ):
            wrong.append((text, found, [expected]))
    if wrong:
        (tmp_path / "differ.jsonl").write_text("".join(json.dumps(w) + "\n" for w in wrong), encoding="utf-8")
    assert not wrong, f"{len(wrong)} answers differ: " + "; ".join(call for call, _, _ in wrong)
