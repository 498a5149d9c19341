"""What every broker must do. Subclass `BrokerContract` and define a `broker` fixture; pytest finds the tests.

Nothing here depends on the embedded broker's own promises (order across topics, atomic appends).
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Sequence

import pytest

from replicator.api.errors import ConnectError, FencedError, IllegalStateError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker, Consumer, Producer
from replicator.broker.message import Message, NewMessage

PATIENCE = 20.0


def append(producer: Producer, messages: Sequence[NewMessage]) -> None:
    """Append and wait for the acknowledgement."""
    done = threading.Event()
    failed: list[Exception] = []

    def on_done(error: Exception | None) -> None:
        if error is not None:
            failed.append(error)
        done.set()

    producer.append(messages, on_done)
    assert done.wait(PATIENCE), "the append was never acknowledged"
    if failed:
        raise failed[0]


def read(consumer: Consumer, count: int, patience: float = PATIENCE) -> list[Message]:
    """Poll until `count` messages came."""
    found: list[Message] = []
    deadline = time.monotonic() + patience
    while len(found) < count and time.monotonic() < deadline:
        found += consumer.poll(count - len(found), 0.2)
    assert len(found) == count, f"{len(found)} of {count} messages came"
    return found


def nothing_comes(consumer: Consumer, seconds: float = 0.4) -> None:
    """Fail when a message comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert [m.value for m in consumer.poll(10, 0.1)] == []


class Recorder:
    """A rebalance listener that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, set[TopicPartition]]] = []
        self.threads: set[int] = set()

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions were added."""
        self._note("assigned", partitions)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions are about to go."""
        self._note("revoked", partitions)

    def _note(self, what: str, partitions: Sequence[TopicPartition]) -> None:
        self.events.append((what, set(partitions)))
        self.threads.add(threading.get_ident())


class BrokerContract:
    """See the module."""

    @pytest.fixture
    def topic(self) -> str:
        """A fresh topic name."""
        return f"t-{uuid.uuid4().hex[:8]}"

    @pytest.fixture
    def group(self) -> str:
        """A fresh group name."""
        return f"g-{uuid.uuid4().hex[:8]}"

    # -- messages

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

    # -- groups

    def test_members_share_partitions(self, broker: Broker, topic: str, group: str) -> None:
        """Each message reaches one member; who leaves hands over."""
        broker.admin().create_topics([NewTopic(topic, 4, 1)])
        heard = Recorder(), Recorder()
        first, second = broker.consumer("c1", group), broker.consumer("c2", group)
        first.subscribe([topic], heard[0])
        second.subscribe([topic], heard[1])
        self._settle([first, second], 4)
        assert len(first.assignment()) == len(second.assignment()) == 2
        assert not first.assignment() & second.assignment()
        assert broker.admin().group_members(group) == 2
        append(broker.producer("p"), [NewMessage(topic, None, b"x", n) for n in range(4)])
        assert len(read(first, 2)) == len(read(second, 2)) == 2
        second.close()
        assert heard[1].events[-1][0] == "revoked"
        self._settle([first], 4)
        assert first.assignment() == {TopicPartition(topic, n) for n in range(4)}
        first.close()
        assert heard[0].threads == {threading.get_ident()}

    def test_a_pattern_picks_up_new_topics(self, broker: Broker, topic: str, group: str) -> None:
        """Within five seconds; only whole names match."""
        append(
            broker.producer("p"),
            [NewMessage(f"{topic}.a", None, b"1"), NewMessage(f"x{topic}.a", None, b"no")],
        )
        heard = Recorder()
        consumer = broker.consumer("c", group)
        consumer.subscribe(re.compile(re.escape(topic) + r"\..*"), heard)
        assert [m.value for m in read(consumer, 1)] == [b"1"]
        append(broker.producer("p"), [NewMessage(f"{topic}.b", None, b"2")])
        assert [m.value for m in read(consumer, 1)] == [b"2"]
        assert consumer.assignment() == {TopicPartition(f"{topic}.a", 0), TopicPartition(f"{topic}.b", 0)}
        assert heard.events[0] == ("assigned", {TopicPartition(f"{topic}.a", 0)})
        consumer.close()

    def test_a_listener_may_seek(self, broker: Broker, topic: str, group: str) -> None:
        """A sink with a ledger continues where its target stands."""
        append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, 0) for n in range(5)])
        consumer = broker.consumer("c", group)

        class Seeker(Recorder):
            def assigned(self, partitions: Sequence[TopicPartition]) -> None:
                for tp in partitions:
                    consumer.seek(tp, 3)

        consumer.subscribe([topic], Seeker())
        assert [m.offset for m in read(consumer, 2)] == [3, 4]
        consumer.close()

    def test_a_listener_may_commit_what_it_loses(self, broker: Broker, topic: str, group: str) -> None:
        """Before the next owner reads on."""
        append(broker.producer("p"), [NewMessage(topic, None, b"%d" % n, 0) for n in range(5)])
        consumer = broker.consumer("c", group)

        class Committer(Recorder):
            def revoked(self, partitions: Sequence[TopicPartition]) -> None:
                consumer.commit({tp: OffsetAndMetadata(consumer.position(tp)) for tp in partitions})

        consumer.subscribe([topic], Committer())
        read(consumer, 3)
        consumer.close()
        assert broker.admin().group_offsets(group) == {TopicPartition(topic, 0): OffsetAndMetadata(3)}

    def _settle(self, consumers: Sequence[Consumer], partitions: int) -> None:
        """Poll until everything is assigned evenly; nothing must have been appended yet."""
        deadline = time.monotonic() + PATIENCE
        share = partitions // len(consumers)
        while any(len(c.assignment()) != share for c in consumers):
            assert time.monotonic() < deadline, "the group did not settle"
            for consumer in consumers:
                consumer.poll(1, 0.05)

    # -- transactions

    def test_a_transaction_becomes_visible_as_a_whole(self, broker: Broker, topic: str) -> None:
        """Across topics; an aborted one never does."""
        producer = broker.producer("p", transactional_id=f"x-{topic}")
        consumer = broker.consumer("c")
        other = f"{topic}-2"
        broker.admin().create_topics([NewTopic(topic, 1, 1), NewTopic(other, 1, 1)])
        consumer.assign([TopicPartition(topic, 0), TopicPartition(other, 0)])
        producer.begin_transaction()
        producer.append([NewMessage(topic, None, b"dropped")])
        producer.abort_transaction()
        producer.begin_transaction()
        producer.append([NewMessage(topic, None, b"1")])
        producer.append([NewMessage(other, None, b"2"), NewMessage(topic, None, b"3")])
        nothing_comes(consumer)
        producer.commit_transaction()
        assert sorted(m.value or b"" for m in read(consumer, 3)) == [b"1", b"2", b"3"]
        nothing_comes(consumer, 0.2)
        consumer.close()
        producer.close()

    def test_an_open_transaction_does_not_block_other_producers(self, broker: Broker, topic: str) -> None:
        """They go to another topic here, as Kafka holds back what follows in the same partition."""
        producer = broker.producer("p", transactional_id=f"x-{topic}")
        producer.begin_transaction()
        producer.append([NewMessage(topic, None, b"pending")])
        append(broker.producer("q"), [NewMessage(f"{topic}-2", None, b"free")])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(f"{topic}-2", 0)])
        assert [m.value for m in read(consumer, 1)] == [b"free"]
        producer.abort_transaction()
        consumer.close()
        producer.close()

    def test_a_second_producer_fences_the_first(self, broker: Broker, topic: str) -> None:
        """INV-10: what the first had not committed never becomes visible."""
        first = broker.producer("p1", transactional_id=f"x-{topic}")
        first.begin_transaction()
        first.append([NewMessage(topic, None, b"late")])
        second = broker.producer("p2", transactional_id=f"x-{topic}")
        with pytest.raises(FencedError):
            first.commit_transaction()
        second.begin_transaction()
        second.append([NewMessage(topic, None, b"good")])
        second.commit_transaction()
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        assert [m.value for m in read(consumer, 1)] == [b"good"]
        consumer.close()
        second.close()

    def test_fencing_drops_what_was_not_committed(self, broker: Broker, topic: str) -> None:
        """Of every producer of the ids, known or not (INV-10)."""
        zombie = broker.producer("p", transactional_id=f"x-{topic}")
        zombie.begin_transaction()
        zombie.append([NewMessage(topic, None, b"late")])
        broker.admin().fence_producers([f"x-{topic}", f"y-{topic}"])
        with pytest.raises(FencedError):
            zombie.commit_transaction()
        append(broker.producer("q"), [NewMessage(topic, None, b"good")])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        assert [m.value for m in read(consumer, 1)] == [b"good"]
        consumer.close()

    def test_a_plain_producer_has_no_transactions(self, broker: Broker) -> None:
        """It says so."""
        with pytest.raises(IllegalStateError):
            broker.producer("p").begin_transaction()

    # -- admin

    def test_topics_are_created_once(self, broker: Broker, topic: str) -> None:
        """The second call changes nothing."""
        admin = broker.admin()
        admin.create_topics([NewTopic(topic, 3, 1, {"cleanup.policy": "compact"})])
        admin.create_topics([NewTopic(topic, 5, 1)])
        described = admin.topics()[topic]
        assert (described.name, described.partitions) == (topic, 3)
        assert described.config["cleanup.policy"] == "compact"

    def test_offsets_of_a_topic(self, broker: Broker, topic: str) -> None:
        """Begin and end."""
        admin = broker.admin()
        admin.create_topics([NewTopic(topic, 2, 1)])
        append(broker.producer("p"), [NewMessage(topic, None, b"x", 1) for _ in range(3)])
        both = [TopicPartition(topic, 0), TopicPartition(topic, 1)]
        assert admin.end_offsets(both) == {both[0]: 0, both[1]: 3}
        assert admin.begin_offsets(both) == {both[0]: 0, both[1]: 0}

    def test_a_deleted_topic_is_gone(self, broker: Broker, topic: str) -> None:
        """And may be deleted again; made anew, it is another log (C9)."""
        admin = broker.admin()
        append(broker.producer("p"), [NewMessage(topic, None, b"old")])
        before = admin.log_identity(topic)
        admin.delete_topic(topic)
        admin.delete_topic(topic)
        deadline = time.monotonic() + PATIENCE
        while topic in admin.topics():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        admin.create_topics([NewTopic(topic, 1, 1)])
        append(broker.producer("p"), [NewMessage(topic, None, b"new")])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition(topic, 0)])
        assert [(m.offset, m.value) for m in read(consumer, 1)] == [(0, b"new")]
        assert admin.log_identity(topic) != before
        consumer.close()

    def test_group_offsets_can_be_changed(self, broker: Broker, topic: str, group: str) -> None:
        """Set, removed, and forgotten with the group."""
        admin = broker.admin()
        admin.create_topics([NewTopic(topic, 2, 1)])
        a, b = TopicPartition(topic, 0), TopicPartition(topic, 1)
        admin.alter_group_offsets(group, {a: OffsetAndMetadata(1), b: OffsetAndMetadata(2)})
        assert admin.group_offsets(group) == {a: OffsetAndMetadata(1), b: OffsetAndMetadata(2)}
        admin.alter_group_offsets(group, {a: None})
        assert admin.group_offsets(group) == {b: OffsetAndMetadata(2)}
        admin.delete_group(group)
        admin.delete_group(group)
        assert admin.group_offsets(group) == {}
        assert admin.group_members(group) == 0

    def test_missing_partitions_are_errors(self, broker: Broker, topic: str) -> None:
        """Not zeros."""
        with pytest.raises(ConnectError):
            broker.admin().end_offsets([TopicPartition(topic, 0)])

    def test_the_cluster_has_an_identity(self, broker: Broker, topic: str) -> None:
        """It stays the same."""
        assert broker.cluster_id()
        assert broker.cluster_id() == broker.cluster_id()
        assert broker.admin().log_identity(topic) == broker.admin().log_identity(topic)
