"""Kafka goes away under load and comes back: nothing is lost, nothing is repeated."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic
from replicator.broker.kafka import KafkaBroker
from scripts.service import until
from tests.support.fix_servers import KafkaServer
from tests.support.kafka_pipeline import Standalone, messages


class Asking:
    """Asks about groups, and changes one, all the while: every request has its answer once Kafka is back."""

    def __init__(self, kafka: KafkaServer) -> None:
        self._broker = KafkaBroker({"bootstrap.servers": kafka.bootstrap})
        self._tp = TopicPartition("asking", 0)
        self._broker.admin().create_topics([NewTopic(self._tp.topic, 1)])
        self._failures: list[Exception] = []
        self._over = threading.Event()
        self._rounds = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        admin = self._broker.admin()
        while not self._over.is_set():
            try:
                admin.alter_group_offsets("asked", {self._tp: OffsetAndMetadata(self._rounds)})
                assert admin.group_offsets("asked") == {self._tp: OffsetAndMetadata(self._rounds)}
                assert admin.group_members("asked") == 0
                admin.delete_group("asked")
                self._rounds += 1
            except Exception as error:
                self._failures.append(error)
                return

    def end(self) -> list[Exception]:
        """What went wrong."""
        rounds = self._rounds
        until(lambda: self._failures or self._rounds > rounds + 1, 60)
        self._over.set()
        self._thread.join(60)
        self._broker.close()
        return self._failures


def test_kafka_is_killed_and_started_again(
    private_kafka: Callable[..., KafkaServer],
    make_standalone: Callable[[KafkaServer], Standalone],
) -> None:
    kafka = private_kafka()
    standalone = make_standalone(kafka)
    standalone.exactly_once()
    standalone.source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, n int)",
        "INSERT INTO t SELECT n, 0 FROM generate_series(1, 100) n",
    )
    standalone.start()
    until(lambda: standalone.has_rows("t", 100), 40)
    asking = Asking(kafka)
    last = 100
    for step in range(10):
        standalone.source.execute(
            f"INSERT INTO t SELECT n, 1 FROM generate_series({last + 1}, {last + 50}) n"
        )
        last += 50
        if step == 3:
            kafka.kill()
        if step == 6:
            kafka.start()
        time.sleep(0.2)
    began = time.monotonic()
    until(lambda: standalone.has_rows("t", last), 60)
    print(f"{time.monotonic() - began:.1f} s after the last insert everything had arrived")
    topic = f"{standalone.prefix}shop.public.t"
    payloads = [json.loads(m.value or b"{}").get("payload") for m in messages(kafka, topic)]
    ids = [p["after"]["id"] for p in payloads if p is not None]
    assert ids == list(range(1, last + 1))
    assert asking.end() == []
    kafka.kill()
    standalone.stop()  # without Kafka, too
