"""The embedded broker keeps the broker contract, on disk and in memory, and its own promises."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from replicator.api import TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message, NewMessage
from replicator.testing.suites.broker import BrokerContract
from replicator.testing.suites.broker_access import read


class Embedded(BrokerContract):
    """What both kinds promise beyond the contract."""

    @staticmethod
    def shown(messages: list[Message]) -> list[tuple[str, bytes | None]]:
        return [(m.topic, m.value) for m in messages]

    def test_a_consumer_sees_all_topics_in_the_order_of_appends(self, broker: EmbeddedBroker) -> None:
        producer = broker.producer("p")
        sent = [("abc"[n * n % 3], b"%d" % n) for n in range(500)]
        for at in range(0, 500, 50):
            producer.append([NewMessage(topic, None, value) for topic, value in sent[at : at + 50]])
        for forget in (False, True):  # from memory, then from the file
            if forget:
                broker.log.forget_tail()
            consumer = broker.consumer("c")
            consumer.assign([TopicPartition(t, 0) for t in "abc"])
            got: list[Message] = []
            while len(got) < 500:
                got += read(consumer, min(7, 500 - len(got)))
            assert self.shown(got) == sent
            consumer.close()

    def test_order_is_kept_for_what_a_consumer_owns(self, broker: EmbeddedBroker) -> None:
        sent = [("abcd"[n * n % 4], b"%d" % n) for n in range(100)]
        broker.producer("p").append([NewMessage(topic, None, value) for topic, value in sent])
        broker.log.forget_tail()
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition("a", 0), TopicPartition("b", 0)])
        owned = [pair for pair in sent if pair[0] in "ab"]
        assert self.shown(read(consumer, len(owned))) == owned
        consumer.close()

    @pytest.mark.parametrize("forget", [False, True])
    def test_partitions_at_different_places(self, broker: EmbeddedBroker, forget: bool) -> None:
        producer = broker.producer("p")
        for n in range(6):
            producer.append([NewMessage("a", None, b"a%d" % n), NewMessage("b", None, b"b%d" % n)])
        if forget:
            broker.log.forget_tail()
        consumer = broker.consumer("c")
        a, b = TopicPartition("a", 0), TopicPartition("b", 0)
        consumer.assign([a, b])
        consumer.seek(a, 4)
        consumer.seek(b, 2)
        expected = [b"b2", b"b3", b"a4", b"b4", b"a5", b"b5"]
        assert [m.value for m in read(consumer, 6)] == expected
        consumer.close()

    def test_data_and_offsets_are_appended_together(self, broker: EmbeddedBroker) -> None:
        producer = broker.producer("p")
        assert producer.atomic
        with pytest.raises(Exception, match="no partition 7"):
            producer.append([NewMessage("data", None, b"x"), NewMessage("offsets", b"k", b"o", 7)])
        assert broker.admin().end_offsets([TopicPartition("data", 0)]) == {TopicPartition("data", 0): 0}

    def test_hand_over_takes_less_than_a_few_milliseconds(self, broker: EmbeddedBroker) -> None:
        import threading

        broker.admin().create_topics([NewTopic("a")])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition("a", 0)])
        producer = broker.producer("p")

        def send() -> None:
            for _ in range(30):
                time.sleep(0.005)
                producer.append([NewMessage("a", None, repr(time.perf_counter()).encode())])

        thread = threading.Thread(target=send)
        thread.start()
        waits = [time.perf_counter() - float(read(consumer, 1)[0].value or b"0") for _ in range(30)]
        thread.join()
        consumer.close()
        assert sorted(waits)[15] < 0.005

    def test_large_appends_are_read_in_pieces(self, broker: EmbeddedBroker) -> None:
        values = [bytes([n]) * (1 << 20) for n in range(40)]
        broker.producer("p").append([NewMessage("ab"[n % 2], None, value) for n, value in enumerate(values)])
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition("a", 0), TopicPartition("b", 0)])
        got: list[Message] = []
        while len(got) < 40:
            piece = consumer.poll(10_000, 1)
            assert 0 < sum(len(m.value or b"") for m in piece) <= 24 << 20
            got += piece
        assert [m.value for m in got] == values
        consumer.close()

    def test_assigning_before_the_topic_exists(self, broker: EmbeddedBroker) -> None:
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition("later", 0)])
        assert consumer.poll(1, 0) == []
        broker.producer("p").append([NewMessage("later", None, b"x")])
        assert [m.value for m in read(consumer, 1)] == [b"x"]
        consumer.close()

    def test_a_topic_made_anew_is_read_from_its_start(self, broker: EmbeddedBroker) -> None:
        producer = broker.producer("p")
        producer.append([NewMessage("a", None, b"old")])
        consumer = broker.consumer("c", "g")
        consumer.subscribe(re.compile("a"))
        read(consumer, 1)
        broker.admin().delete_topic("a")
        producer.append([NewMessage("a", None, b"new")])
        assert [(m.offset, m.value) for m in read(consumer, 1)] == [(0, b"new")]
        consumer.close()

    def test_a_transaction_keeps_its_order(self, broker: EmbeddedBroker) -> None:
        producer = broker.producer("p", transactional_id="x")
        producer.begin_transaction()
        sent = [("ab"[n * n % 3 % 2], b"%d" % n) for n in range(40)]
        for at in range(0, 40, 8):
            producer.append([NewMessage(topic, None, value) for topic, value in sent[at : at + 8]])
        producer.commit_transaction()
        consumer = broker.consumer("c")
        consumer.assign([TopicPartition("a", 0), TopicPartition("b", 0)])
        assert self.shown(read(consumer, 40)) == sent
        consumer.close()


class TestEmbeddedFile(Embedded):
    @pytest.fixture
    def broker(self, tmp_path: Path) -> Iterator[Broker]:
        with EmbeddedBroker(tmp_path / "data") as opened:
            yield opened


class TestEmbeddedMemory(Embedded):
    @pytest.fixture
    def broker(self) -> Iterator[Broker]:
        with EmbeddedBroker(":memory:") as opened:
            yield opened
