"""What every broker must do with messages: they come back as they were, in order, from where one asks."""

from __future__ import annotations

import threading
import time

import pytest

from replicator.api.errors import IllegalStateError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker
from replicator.broker.message import NewMessage
from replicator.testing.suites.broker_access import (
    PATIENCE,
    BrokerTests,
    append,
    nothing_comes,
    read,
)


class MessagesContract(BrokerTests):
    """Appending, polling, positions."""

    def test_messages_come_back_as_appended(self, broker: Broker, topic: str) -> None:
        """Keys, values, headers, timestamps and nulls survive."""
        producer = broker.producer("p")
        sent = [
            NewMessage(topic, b"k", b"v", 0, 1_700_000_000_000, [("h", b"1"), ("h", None), ("é", b"")]),
            NewMessage(topic, None, None, 0, 1_700_000_000_001, None),
            NewMessage(topic, b"", b"", 0, 1_700_000_000_002, []),
        ]
        append(producer, sent)
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        got = read(consumer, 3)
        assert [(m.topic, m.partition, m.offset) for m in got] == [
            (topic, 0, 0),
            (topic, 0, 1),
            (topic, 0, 2),
        ]
        assert [(m.key, m.value, m.timestamp) for m in got] == [(m.key, m.value, m.timestamp) for m in sent]
        assert [m.headers or [] for m in got] == [m.headers or [] for m in sent]
        consumer.close()
        producer.close()

    def test_a_message_without_a_timestamp_gets_the_present(self, broker: Broker, topic: str) -> None:
        """Milliseconds since the epoch."""
        before = int(time.time() * 1000)
        append(broker.producer("p"), [NewMessage(topic, None, b"v")])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        assert before - 1000 <= read(consumer, 1)[0].timestamp <= int(time.time() * 1000) + 1000
        consumer.close()

    def test_order_within_a_partition_is_the_order_of_appends(self, broker: Broker, topic: str) -> None:
        """INV-4."""
        producer = broker.producer("p")
        for start in range(0, 1000, 100):
            append(producer, [NewMessage(topic, b"k", b"%d" % n) for n in range(start, start + 100)])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        got = read(consumer, 1000)
        assert [m.value for m in got] == [b"%d" % n for n in range(1000)]
        assert [m.offset for m in got] == list(range(1000))
        consumer.close()

    def test_keys_choose_partitions_as_javas_producer_does(self, broker: Broker, topic: str) -> None:
        """murmur2; the expected numbers come from Kafka's own tests and its formula."""
        broker.admin().create_topics([NewTopic(topic, 25, 1)])
        keys = [b"21", b"foobar", b"a-little-bit-long-string", b"a-little-bit-longer-string", b"abc"]
        hashes = [-973932308, -790332482, -985981536, -1486304829, 479470107]
        append(broker.producer("p"), [NewMessage(topic, key, b"v") for key in keys])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, n) for n in range(25)])
        got = {m.key: m.partition for m in read(consumer, len(keys))}
        assert got == {key: (h & 0x7FFFFFFF) % 25 for key, h in zip(keys, hashes, strict=True)}
        consumer.close()

    def test_poll_returns_no_more_than_asked(self, broker: Broker, topic: str) -> None:
        """And the rest next time."""
        append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, 0) for n in range(10)])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        first = read(consumer, 3)
        assert consumer.position(TopicPartition(topic, 0)) == 3
        assert [m.offset for m in first + read(consumer, 7)] == list(range(10))
        consumer.close()

    def test_poll_wakes_when_data_arrives(self, broker: Broker, topic: str) -> None:
        """Well before its timeout."""
        broker.admin().create_topics([NewTopic(topic, 1, 1)])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        assert consumer.poll(10, 0.2) == []
        later = threading.Timer(0.2, lambda: append(broker.producer("p"), [NewMessage(topic, None, b"v")]))
        later.start()
        started = time.monotonic()
        assert len(read(consumer, 1)) == 1
        assert time.monotonic() - started < 5
        later.join()
        consumer.close()

    def test_wakeup_ends_a_waiting_poll(self, broker: Broker, topic: str) -> None:
        """From another thread."""
        broker.admin().create_topics([NewTopic(topic, 1, 1)])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        consumer.poll(1, 0.1)
        waker = threading.Timer(0.2, consumer.wakeup)
        waker.start()
        started = time.monotonic()
        assert consumer.poll(10, 30) == []
        assert time.monotonic() - started < 10
        waker.join()
        consumer.close()

    def test_sync_confirms(self, broker: Broker, topic: str) -> None:
        """Everything appended is durable afterwards."""
        producer = broker.producer("p")
        append(producer, [NewMessage(topic, None, b"v")])
        assert producer.sync(PATIENCE)
        producer.close()

    # -- positions

    def test_seek_and_position(self, broker: Broker, topic: str) -> None:
        """Forward and backward, also over what was fetched already."""
        append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, 0) for n in range(10)])
        tp = TopicPartition(topic, 0)
        consumer = broker.consumer("c")
        consumer.assign([tp])
        read(consumer, 2)
        consumer.seek(tp, 7)
        assert consumer.position(tp) == 7
        assert [m.offset for m in read(consumer, 1)] == [7]
        consumer.seek(tp, 1)
        assert [m.offset for m in read(consumer, 2)] == [1, 2]
        assert consumer.position(tp) == 3
        consumer.close()

    def test_paused_partitions_return_nothing(self, broker: Broker, topic: str) -> None:
        """And continue where they were."""
        a, b = TopicPartition(topic, 0), TopicPartition(topic, 1)
        broker.admin().create_topics([NewTopic(topic, 2, 1)])
        producer = broker.producer("p")
        append(producer, [NewMessage(topic, None, b"x", n % 2) for n in range(6)])
        consumer = broker.consumer("c")
        consumer.assign([a, b])
        consumer.pause([a])
        assert {m.partition for m in read(consumer, 3)} == {1}
        append(producer, [NewMessage(topic, None, b"x", 0), NewMessage(topic, None, b"x", 1)])
        assert [(m.partition, m.offset) for m in read(consumer, 1)] == [(1, 3)]
        nothing_comes(consumer)
        consumer.resume([a])
        assert [(m.partition, m.offset) for m in read(consumer, 4)] == [(0, n) for n in range(4)]
        consumer.close()

    def test_start_latest_sees_only_what_comes_later(self, broker: Broker, topic: str) -> None:
        """Without a committed position."""
        producer = broker.producer("p")
        append(producer, [NewMessage(topic, None, b"old", 0)])
        consumer = broker.consumer("c", start="latest")
        consumer.assign([TopicPartition(topic, 0)])
        assert consumer.position(TopicPartition(topic, 0)) == 1
        nothing_comes(consumer, 0.2)
        append(producer, [NewMessage(topic, None, b"new", 0)])
        assert [m.value for m in read(consumer, 1)] == [b"new"]
        consumer.close()

    def test_a_group_continues_where_it_committed(self, broker: Broker, topic: str, group: str) -> None:
        """With its metadata; another group has its own position."""
        append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, 0) for n in range(5)])
        tp = TopicPartition(topic, 0)
        first = broker.consumer("c1", group)
        first.subscribe([topic])
        read(first, 3)
        assert first.committed(tp) is None
        first.commit({tp: OffsetAndMetadata(2, "stamp é")})
        assert first.committed(tp) == OffsetAndMetadata(2, "stamp é")
        first.close()
        assert broker.admin().group_offsets(group) == {tp: OffsetAndMetadata(2, "stamp é")}
        second = broker.consumer("c2", group)
        second.subscribe([topic])
        assert [m.offset for m in read(second, 3)] == [2, 3, 4]
        second.close()
        third = broker.consumer("c3", group + "-other")
        third.subscribe([topic])
        assert [m.offset for m in read(third, 5)] == list(range(5))
        third.close()

    def test_a_position_outside_the_log_is_reset(self, broker: Broker, topic: str, group: str) -> None:
        """As `start` says."""
        append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, 0) for n in range(3)])
        consumer = broker.consumer("c", group)
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 1000)
        assert [m.offset for m in read(consumer, 3)] == [0, 1, 2]
        consumer.close()

    def test_a_consumer_without_a_group_cannot_subscribe(self, broker: Broker, topic: str) -> None:
        """There is nobody to share with."""
        consumer = broker.consumer("c")
        with pytest.raises(IllegalStateError):
            consumer.subscribe([topic])
        consumer.close()
