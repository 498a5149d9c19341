"""What every broker must do for consumer groups: members share partitions, and hand them over."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic
from replicator.broker.base import Broker, Consumer
from replicator.broker.message import NewMessage
from replicator.testing.suites.broker_access import (
    PATIENCE,
    BrokerTests,
    Recorder,
    append,
    read,
)


class GroupsContract(BrokerTests):
    """Membership and listeners."""

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
