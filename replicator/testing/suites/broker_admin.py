"""What every broker must tell and do about topics and groups."""

from __future__ import annotations

import time

import pytest

from replicator.api.errors import ConnectError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker
from replicator.broker.message import NewMessage
from replicator.testing.suites.broker_access import (
    PATIENCE,
    BrokerTests,
    append,
    read,
)


class AdminContract(BrokerTests):
    """The administration."""

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
