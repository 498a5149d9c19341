"""The batch that is with a sink's task: handed to `put` and not taken yet (task thread).

There is one at most. While it is there nothing newer is read, so records are put in the order of the log; what
belongs to a partition that went away leaves it and is not put again, as its new owner gets it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from replicator.api.record import SinkRecord, TopicPartition
from replicator.broker.message import Message


class SinkBatch:
    """Records on their way, and where each partition continues after them.

    Attributes:
        records: what `put` gets, possibly nothing; None while no batch is under way.
        next_offsets: offset after the last message of each partition, also where all its records were filtered.
        commit_times: when the first and last of the records were committed at the source.
    """

    def __init__(self) -> None:
        self.records: list[SinkRecord] | None = None
        self.next_offsets: dict[TopicPartition, int] = {}
        self.commit_times: Sequence[int] = ()

    def begin(
        self, records: list[SinkRecord], next_offsets: dict[TopicPartition, int], commit_times: Sequence[int]
    ) -> None:
        """A new batch is under way."""
        self.records, self.next_offsets, self.commit_times = records, next_offsets, commit_times

    def end(self) -> None:
        """Nothing is under way: the task took it, or it is read again."""
        self.records, self.next_offsets, self.commit_times = None, {}, ()

    def drop(self, gone: Collection[TopicPartition]) -> None:
        """Forget what belongs to partitions that are somebody else's now."""
        if self.records is None:
            return
        self.records = [
            r for r in self.records
            if TopicPartition(r.original_topic, r.original_kafka_partition) not in gone
        ]  # fmt: skip
        self.next_offsets = {p: o for p, o in self.next_offsets.items() if p not in gone}


def first_offsets(messages: Sequence[Message]) -> dict[TopicPartition, int]:
    """Offset of the first message of each partition."""
    first: dict[TopicPartition, int] = {}
    for message in messages:
        first.setdefault(TopicPartition(message.topic, message.partition), message.offset)
    return first


def next_offsets(messages: Sequence[Message]) -> dict[TopicPartition, int]:
    """Offset after the last message of each partition."""
    last: dict[tuple[str, int], int] = {}
    for message in messages:
        last[message.topic, message.partition] = message.offset
    return {TopicPartition(*partition): offset + 1 for partition, offset in last.items()}
