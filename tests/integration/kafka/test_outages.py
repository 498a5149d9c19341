"""Kafka goes away under load and comes back: nothing is lost, nothing is repeated."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from scripts.service import until
from tests.support.fix_servers import KafkaServer
from tests.support.kafka_pipeline import Standalone, messages


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
    kafka.kill()
    standalone.stop()  # without Kafka, too
