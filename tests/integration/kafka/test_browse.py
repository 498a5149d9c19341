"""The record browser over a real cluster: bounds, marks of transactions, compacted topics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from replicator.broker.admin import NewTopic
from replicator.broker.kafka import KafkaBroker
from replicator.broker.message import NewMessage
from replicator.rest.app import create_app
from replicator.testing.suites.broker_access import append
from tests.support.fix_servers import KafkaServer
from tests.unit.rest.fakes import FakeHerder


@pytest.fixture
def broker(kafka: KafkaServer) -> Iterator[KafkaBroker]:
    with KafkaBroker({"bootstrap.servers": kafka.bootstrap}) as opened:
        yield opened


def test_topics_and_records(broker: KafkaBroker, kafka_prefix: str) -> None:
    topic, secret = f"{kafka_prefix}t", f"{kafka_prefix}configs"
    broker.admin().create_topics([NewTopic(topic, 2), NewTopic(secret, 1)])
    producer = broker.producer("p")
    append(producer, [NewMessage(topic, b"k", b'{"n":%d}' % n, n % 2, 1000 + n) for n in range(10)])
    producer.close()
    client = TestClient(create_app(FakeHerder(), broker=broker, private_topics=[secret]))
    shown = {t["name"]: t for t in client.get("/replicator/topics").json()}
    assert (shown[topic]["records"], shown[topic]["partitions"]) == (10, 2)
    found = client.get(f"/replicator/topics/{topic}/records", params={"limit": 4}).json()
    assert [r["value"]["text"] for r in found["records"]] == [f'{{"n":{n}}}' for n in range(6, 10)]
    found = client.get(
        f"/replicator/topics/{topic}/records", params={"partition": 1, "from": 2, "limit": 2}
    ).json()
    assert [(r["partition"], r["offset"]) for r in found["records"]] == [(1, 2), (1, 3)]
    assert client.get(f"/replicator/topics/{secret}/records").status_code == 403


def test_marks_of_transactions_do_not_keep_waiting(broker: KafkaBroker, kafka_prefix: str) -> None:
    topic = f"{kafka_prefix}t"
    broker.admin().create_topics([NewTopic(topic, 1)])
    producer = broker.producer("p", transactional_id=f"{kafka_prefix}x")
    for text in (b"one", b"two"):
        producer.begin_transaction()
        append(producer, [NewMessage(topic, None, text)])
        producer.commit_transaction()
    producer.close()
    client = TestClient(create_app(FakeHerder(), broker=broker))
    found = client.get(f"/replicator/topics/{topic}/records").json()
    assert [r["value"]["text"] for r in found["records"]] == ["one", "two"]
    assert found["complete"]
