"""What the Kafka clients promise beyond the broker contract."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from replicator.api.errors import ConfigError, DataError, IllegalStateError, RetriableError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic
from replicator.broker.kafka import KafkaBroker
from replicator.broker.kafka.consumer import KafkaConsumer
from replicator.broker.message import NewMessage
from replicator.storage.offset_store import TopicOffsetStore
from replicator.testing.suites.broker_access import Recorder, append, read
from scripts.devservers import Kafka
from scripts.service import until
from tests.support.fix_servers import KafkaServer


@pytest.fixture
def broker(kafka: KafkaServer) -> Iterator[KafkaBroker]:
    with KafkaBroker({"bootstrap.servers": kafka.bootstrap}) as opened:
        yield opened


@pytest.fixture
def topic(kafka_prefix: str) -> str:
    return f"{kafka_prefix}t"


def _settle(consumers: list[KafkaConsumer], share: int) -> None:
    deadline = time.monotonic() + 30
    while any(len(c.assignment()) != share for c in consumers):
        assert time.monotonic() < deadline, [c.assignment() for c in consumers]
        for consumer in consumers:
            consumer.poll(1, 0.05)


def test_an_append_waits_for_room_in_the_clients_queue(broker: KafkaBroker, topic: str) -> None:
    producer = broker.producer("p", options={"queue.buffering.max.messages": 50})
    append(producer, [NewMessage(topic, b"k", b"%d" % n) for n in range(2000)])
    assert broker.admin().end_offsets([TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): 2000}
    producer.close()


def test_a_message_that_is_too_large_is_refused_before_anything_is_sent(
    broker: KafkaBroker, topic: str
) -> None:
    producer = broker.producer("p", options={"max.request.size": 100_000})
    with pytest.raises(DataError, match=r"larger than 100000, .* max\.request\.size"):
        append(producer, [NewMessage(topic, b"k", b"small"), NewMessage(topic, b"k", b"x" * 100_000)])
    append(producer, [NewMessage(topic, b"k", b"x" * 90_000)])
    assert broker.admin().end_offsets([TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): 1}
    producer.close()


@pytest.mark.parametrize("codec", ["lz4", "snappy", "gzip", "none"])
def test_a_request_stays_below_what_brokers_take(broker: KafkaBroker, topic: str, codec: str) -> None:
    # A topic takes 250 KB at a time: schemas that repeat are worth little of it, what does not repeat its whole size.
    broker.admin().create_topics([NewTopic(topic, 1, 1, {"max.message.bytes": "250000"})])
    options = {"max.request.size": 250_000, "compression.type": codec, "linger.ms": 20}
    producer = broker.producer("p", options=options)
    noise = random.Random(5)
    schemas = [noise.randbytes(size) for size in (4000, 4000, 20_000)]
    batch = [NewMessage(topic, b"k", noise.randbytes(300), prefix=schemas[0]) for _ in range(1500)]
    batch += [NewMessage(topic, b"k", noise.randbytes(900), prefix=schemas[n % 3]) for n in range(200)]
    batch += [NewMessage(topic, b"k", noise.randbytes(5000)) for _ in range(200)]
    append(producer, batch)
    consumer = broker.consumer("c")
    consumer.assign([TopicPartition(topic, 0)])
    assert [m.value for m in read(consumer, 1900)] == [m.prefix + (m.rest or b"") for m in batch]
    consumer.close()
    producer.close()


def test_keys_keep_their_partitions_when_a_topic_has_many(broker: KafkaBroker, topic: str) -> None:
    broker.admin().create_topics([NewTopic(topic, 7, 1)])
    producer = broker.producer("p")
    for start in (0, 500):
        append(producer, [NewMessage(topic, b"k%d" % (n % 50), b"%d" % n) for n in range(start, start + 500)])
    consumer = broker.consumer("c")
    consumer.assign([TopicPartition(topic, n) for n in range(7)])
    by_key: dict[bytes | None, list[tuple[int, int]]] = {}
    for message in read(consumer, 1000):
        by_key.setdefault(message.key, []).append((message.partition, int(message.value or b"")))
    assert len({places[0][0] for places in by_key.values()}) > 3
    for places in by_key.values():
        assert len({partition for partition, _ in places}) == 1
        assert [n for _, n in places] == sorted(n for _, n in places)
    consumer.close()
    producer.close()


def test_a_position_passes_what_is_never_returned(broker: KafkaBroker, topic: str) -> None:
    broker.admin().create_topics([NewTopic(topic, 1, 1)])
    producer = broker.producer("p", transactional_id=f"x-{topic}")
    for value, keep in ((b"1", True), (b"dropped", False)):
        producer.begin_transaction()
        producer.append([NewMessage(topic, None, value)])
        assert producer.sync(10)
        (producer.commit_transaction if keep else producer.abort_transaction)()
    tp, end = TopicPartition(topic, 0), 4
    until(lambda: broker.admin().end_offsets([tp]) == {tp: end}, 10)  # markers are written a little later
    consumer = broker.consumer("c")
    consumer.assign([tp])
    assert [m.value for m in read(consumer, 1)] == [b"1"]
    deadline = time.monotonic() + 10
    while consumer.position(tp) < end:
        assert time.monotonic() < deadline
        assert consumer.poll(10, 0.1) == []
    consumer.close()
    producer.close()


def test_a_successor_of_a_static_member_gets_its_partitions(
    broker: KafkaBroker, topic: str, kafka_prefix: str
) -> None:
    group = f"{kafka_prefix}g"
    broker.admin().create_topics([NewTopic(topic, 4, 1)])
    quick = {"session.timeout.ms": 45000, "heartbeat.interval.ms": 500}
    members = [broker.consumer(f"c{n}", group, instance_id=f"task-{n}", options=quick) for n in range(2)]
    heard = Recorder()
    members[0].subscribe([topic], heard)
    members[1].subscribe([topic])
    _settle(members, 2)
    first, mine = members[0].assignment(), members[1].assignment()
    members[1].close()
    assert broker.admin().group_members(group) == 2
    heard.events.clear()
    began = time.monotonic()
    successor = broker.consumer("c1", group, instance_id="task-1", options=quick)
    successor.subscribe([topic])
    while successor.assignment() != mine:
        assert time.monotonic() - began < 10
        successor.poll(1, 0.05)
        members[0].poll(1, 0.05)
    assert members[0].assignment() == first
    assert [what for what, partitions in heard.events if partitions and what == "revoked"] == []
    for member in (members[0], successor):
        member.close()
    with pytest.raises(IllegalStateError):
        broker.admin().alter_group_offsets(group, {TopicPartition(topic, 0): OffsetAndMetadata(0)})
    broker.admin().release_static_members(group)
    assert broker.admin().group_members(group) == 0
    broker.admin().alter_group_offsets(group, {TopicPartition(topic, 0): OffsetAndMetadata(0)})


def test_eager_assignors_take_everything_and_give_everything(
    broker: KafkaBroker, topic: str, kafka_prefix: str
) -> None:
    group = f"{kafka_prefix}g"
    broker.admin().create_topics([NewTopic(topic, 4, 1)])
    options = {"partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor"}
    heard = Recorder()
    first, second = (broker.consumer(f"c{n}", group, options=options) for n in range(2))
    first.subscribe([topic], heard)
    _settle([first], 4)
    append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, n % 4) for n in range(8)])
    assert len(read(first, 8)) == 8
    first.commit({TopicPartition(topic, n): OffsetAndMetadata(2) for n in range(4)})
    second.subscribe([topic])
    _settle([first, second], 2)
    everything = {TopicPartition(topic, n) for n in range(4)}
    assert heard.events[0] == ("assigned", everything)
    assert ("revoked", everything) in heard.events
    assert all(consumer.poll(10, 0.2) == [] for consumer in (first, second))
    second.close()
    _settle([first], 4)
    first.close()


def test_the_brokers_own_group_protocol(broker: KafkaBroker, topic: str, kafka_prefix: str) -> None:
    group = f"{kafka_prefix}g"
    broker.admin().create_topics([NewTopic(topic, 4, 1)])
    options = {"group.protocol": "consumer", "session.timeout.ms": "10000"}
    members = [broker.consumer(f"c{n}", group, options=options) for n in range(2)]
    for member in members:
        member.subscribe([topic])
    _settle(members, 2)
    append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, n) for n in range(4)])
    for member in members:
        assert len(read(member, 2)) == 2
        member.commit({tp: OffsetAndMetadata(1) for tp in member.assignment()})
        member.close()
    assert set(broker.admin().group_offsets(group).values()) == {OffsetAndMetadata(1)}


def test_a_wrong_password_is_told_at_once(private_kafka: Callable[..., KafkaServer]) -> None:
    ports = []

    def configure(instance: Kafka) -> None:
        ports.append(instance.add_listener("SASL", "SASL_PLAINTEXT"))
        instance.settings["listener.name.sasl.sasl.enabled.mechanisms"] = "PLAIN"
        instance.settings["listener.name.sasl.plain.sasl.jaas.config"] = (
            'org.apache.kafka.common.security.plain.PlainLoginModule required user_me="secret";'
        )

    server = private_kafka(configure)

    def options(password: str) -> dict[str, str]:
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        return {
            "bootstrap.servers": f"{server.host}:{ports[0]}",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": f'{module} required username="me" password="{password}";',
        }

    with KafkaBroker(options("secret")) as broker:
        append(broker.producer("p"), [NewMessage("t", None, b"v")])
        tp = TopicPartition("t", 0)
        broker.admin().alter_group_offsets("g", {tp: OffsetAndMetadata(1)})
        broker.admin().alter_group_offsets("g", {tp: None})
        assert broker.admin().group_offsets("g") == {}
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"SASL_AUTHENTICATION|Authentication"):
        KafkaBroker(options("wrong")).cluster_id()
    assert time.monotonic() - began < 10


def test_reading_to_the_end_waits_for_open_transactions(broker: KafkaBroker, topic: str) -> None:
    """Of others in the same partition: what was committed behind them must not be missed."""
    store = TopicOffsetStore(broker, topic, partitions=1, replication_factor=1)
    store.start()
    crashed = broker.producer("p", transactional_id=f"x-{topic}")
    crashed.begin_transaction()
    crashed.append(store.messages("other", [({"p": 1}, {"at": 1})]))
    assert crashed.sync(10)
    mine = broker.producer("q", transactional_id=f"y-{topic}")
    mine.begin_transaction()
    mine.append(store.messages("mine", [({"p": 1}, {"at": 7})]))
    mine.commit_transaction()
    ender = threading.Timer(1.0, broker.admin().fence_producers, ([f"x-{topic}"],))
    ender.start()
    assert store.read("mine", {"p": 1}) == {"at": 7}
    assert store.read("other", {"p": 1}) is None
    ender.join()
    store.stop()
    mine.close()


def test_a_transaction_that_took_too_long_is_made_again(broker: KafkaBroker, topic: str) -> None:
    tp = TopicPartition(topic, 0)
    producer = broker.producer("p", transactional_id=f"x-{topic}", options={"transaction.timeout.ms": 1000})
    producer.begin_transaction()
    producer.append([NewMessage(topic, None, b"late")])
    assert producer.sync(10)
    until(lambda: broker.admin().next_committed([tp]) == {tp: 2}, 15)  # the brokers' abort marker is there
    producer.append([NewMessage(topic, None, b"later")])
    producer.sync(10)
    producer.append([NewMessage(topic, None, b"last")])
    with pytest.raises(RetriableError):
        producer.commit_transaction()
    producer.close()
    successor = broker.producer("p", transactional_id=f"x-{topic}")
    successor.begin_transaction()
    successor.append([NewMessage(topic, None, b"good")])
    successor.commit_transaction()
    successor.close()
    consumer = broker.consumer("c")
    consumer.assign([tp])
    assert [m.value for m in read(consumer, 1)] == [b"good"]
    consumer.close()
