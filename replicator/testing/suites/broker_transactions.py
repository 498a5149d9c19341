"""What every broker must do with transactions: visible as a whole or never, and fenced (INV-10)."""

from __future__ import annotations

import pytest

from replicator.api.errors import FencedError, IllegalStateError
from replicator.api.record import TopicPartition
from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker
from replicator.broker.message import NewMessage
from replicator.testing.suites.broker_access import (
    BrokerTests,
    append,
    nothing_comes,
    read,
)


class TransactionsContract(BrokerTests):
    """Transactional producers."""

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
