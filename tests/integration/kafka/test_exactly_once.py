"""Exactly once from Postgres through Kafka to MySQL, through kill -9 at the worst moments (INV-8)."""

from __future__ import annotations

import json
import os
import time

from replicator.api.record import TopicPartition
from replicator.broker.kafka import KafkaBroker
from replicator.storage.offset_store import TopicOffsetStore
from replicator.testing.failpoints import environment
from scripts.service import until
from tests.support.kafka_pipeline import Standalone, messages


def _inserted(standalone: Standalone, topic: str) -> list[int]:
    """Ids of the rows that the topic's readers see inserted or copied, in order."""
    found = []
    for message in messages(standalone.kafka, f"{standalone.prefix}shop.public.{topic}"):
        payload = json.loads(message.value or b"{}").get("payload")
        if payload is not None and payload["op"] in "rc":
            found.append(payload["after"]["id"])
    return found


def _died(standalone: Standalone, seconds: float = 30) -> None:
    """Wait until the armed failpoint has killed the worker."""
    assert standalone.child is not None
    assert standalone.child.wait(seconds) == -9, standalone.output[-3000:]


def test_keyless_rows_arrive_once_through_kills(standalone: Standalone) -> None:
    standalone.exactly_once()
    own = f"{standalone.prefix}own-offsets"
    standalone.source_options["offsets.storage.topic"] = own
    standalone.sink_options |= {
        "insert.mode": "insert",
        "primary.key.mode": "none",
        "delete.enabled": "false",
    }
    standalone.source.execute(
        "CREATE TABLE events (id int, note text)",
        "INSERT INTO events SELECT n, 'copied' FROM generate_series(1, 50) n",
    )
    standalone.start()
    until(lambda: standalone.has_rows("events", 50), 40)
    last = 50
    standalone.kill()
    for point in ("before_transaction_commit:kill@3", "after_transaction_commit:kill@2"):
        standalone.start(env=environment(os.environ, point))
        for _ in range(8):
            standalone.source.execute(
                f"INSERT INTO events SELECT n, 'new' FROM generate_series({last + 1}, {last + 30}) n"
            )
            last += 30
            time.sleep(0.15)
        _died(standalone)
    standalone.start()
    until(lambda: standalone.has_rows("events", last), 40)
    assert _inserted(standalone, "events") == list(range(1, last + 1))
    assert standalone.rows("SELECT count(DISTINCT id) FROM events") == [(last,)]
    standalone.stop()
    partition = {"server": f"{standalone.prefix}shop"}
    with KafkaBroker({"bootstrap.servers": standalone.kafka.bootstrap}) as broker:
        worker = TopicOffsetStore(broker, standalone.worker["offset.storage.topic"], writable=False)
        worker.start()
        assert worker.read(standalone.source_options["name"], partition) is not None  # copied, best effort
        worker.stop()
    names = {json.loads(m.key or b"")[0] for m in messages(standalone.kafka, own)}
    assert names == {standalone.source_options["name"]}


def test_a_second_worker_fences_the_first(standalone: Standalone) -> None:
    standalone.exactly_once()
    standalone.source.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    standalone.start()
    until(lambda: standalone.has_rows("t", 1), 40)
    with KafkaBroker({"bootstrap.servers": standalone.kafka.bootstrap}) as broker:
        broker.admin().fence_producers([f"connect-standalone-{standalone.source_options['name']}-0"])
        standalone.source.execute("INSERT INTO t VALUES (2)")
        until(lambda: "FencedError" in standalone.output, 20)
        topic = f"{standalone.prefix}shop.public.t"
        assert [m.key for m in messages(standalone.kafka, topic)] != []
        assert _inserted(standalone, "t") == [1]
        assert broker.admin().end_offsets([TopicPartition(topic, 0)])
