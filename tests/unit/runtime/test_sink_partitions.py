"""Partitions that go while their records are with the task: one thread, an embedded log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import pytest

from replicator.api.errors import ConnectError, RetriableError
from replicator.api.record import SinkRecord, TopicPartition
from replicator.api.sink import OffsetAndMetadata, SinkTask
from replicator.broker.admin import NewTopic
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from replicator.runtime.clock import SystemClock
from replicator.runtime.contexts import SinkContext
from replicator.runtime.sink_batch import SinkBatch, next_offsets
from replicator.runtime.sink_delivery import SinkDelivery
from replicator.runtime.sink_partitions import SinkPartitions
from replicator.runtime.sink_positions import SinkPositions
from replicator.runtime.stats import TaskStats

T0, T1 = TopicPartition("t", 0), TopicPartition("t", 1)


class Target(SinkTask):
    """Refuses batches while `locked`."""

    def __init__(self) -> None:
        self.locked = False
        self.puts: list[list[int | None]] = []
        self.on_close: Callable[[], None] = lambda: None
        self.on_open: Callable[[], None] = lambda: None

    def start(self, config: Mapping[str, str]) -> None: ...

    def stop(self) -> None: ...

    def open(self, partitions: Sequence[TopicPartition]) -> None:
        self.on_open()

    def close(self, partitions: Sequence[TopicPartition]) -> None:
        self.on_close()

    def put(self, records: Sequence[SinkRecord]) -> None:
        self.puts.append([record.partition for record in records])
        if self.locked:
            raise RetriableError("locked")


class Sink:
    """The parts of a sink task's run, and two partitions with a record each."""

    def __init__(self) -> None:
        broker, clock, stats = EmbeddedBroker(":memory:"), SystemClock(), TaskStats(SystemClock())
        broker.admin().create_topics([NewTopic("t", 2)])
        broker.producer("p").append([NewMessage("t", None, b"v", partition) for partition in (0, 1)])
        self.target = target = Target()
        self.consumer = consumer = broker.consumer("c", "connect-snk")
        self.context = SinkContext("snk", 0, threading.Event(), dict, consumer, broker.admin(), None)
        self.batch = SinkBatch()
        self.positions = SinkPositions("snk", target, consumer, None, stats, clock)
        self.partitions = SinkPartitions(target, self.context, consumer, self.positions, self.batch)
        self.delivery = SinkDelivery(
            task=target,
            context=self.context,
            partitions=self.partitions,
            positions=self.positions,
            batch=self.batch,
            reporter=None,
            stats=stats,
            clock=clock,
            used=lambda topic: None,
        )
        consumer.subscribe(["t"], self.partitions)

    def deliver(self) -> None:
        """Both records, in one batch."""
        messages = self.partitions.poll(10, 10.0)
        records = [SinkRecord("t", m.partition, None, None, None, None, m.offset) for m in messages]
        self.delivery.deliver(records, next_offsets(messages), ())


def test_records_of_a_partition_that_went_are_not_put_again() -> None:
    sink = Sink()
    sink.target.locked = True
    sink.deliver()
    assert sink.batch.records is not None
    sink.partitions.revoked([T0])
    sink.target.locked = False
    sink.context.timeout(0)
    sink.delivery.redeliver()
    assert sink.target.puts == [[0, 1], [1]]
    assert sink.batch.records is None
    assert sink.consumer.committed(T0) is None
    assert sink.positions.safe({T0, T1}) == {T1: OffsetAndMetadata(1)}


def test_a_partition_that_comes_back_is_not_moved_by_what_was_read_before() -> None:
    sink = Sink()
    sink.target.locked = True
    sink.deliver()
    sink.partitions.revoked([T0])
    sink.consumer.seek(T0, 0)
    sink.partitions.assigned([T0])
    sink.target.locked = False
    sink.context.timeout(0)
    sink.delivery.redeliver()
    assert sink.target.puts == [[0, 1], [1]]
    assert sink.positions.safe({T0, T1}) == {T1: OffsetAndMetadata(1)}


def test_the_final_commit_is_sent_after_the_task_closed_the_partition() -> None:
    sink = Sink()
    seen: list[object] = []
    sink.target.on_close = lambda: seen.append(sink.consumer.committed(T0))
    sink.deliver()
    sink.partitions.revoked([T0])
    assert seen == [None]
    assert sink.consumer.committed(T0) == OffsetAndMetadata(1)
    assert sink.consumer.committed(T1) is None
    assert sink.positions.assigned == {T1}


def test_a_partition_is_committed_also_when_the_task_cannot_close_it() -> None:
    sink = Sink()
    sink.deliver()
    closing = ConnectError("cannot close")

    def fail() -> None:
        raise closing

    sink.target.on_close = fail
    sink.partitions.revoked([T0])
    assert sink.consumer.committed(T0) == OffsetAndMetadata(1)
    assert sink.positions.assigned == {T1}
    with pytest.raises(ConnectError) as raised:
        sink.partitions.poll(1, 0.0)
    assert raised.value is closing


def test_an_abandoned_batch_is_read_again_from_the_last_commit() -> None:
    sink = Sink()
    sink.target.locked = True
    sink.deliver()
    sink.delivery.abandon()
    sink.positions.rewind()
    sink.target.locked = False
    sink.deliver()
    assert sink.target.puts == [[0, 1], [0, 1]]
