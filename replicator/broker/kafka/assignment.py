"""The partitions a consumer reads: positions, pauses, commits, and where a partition begins.

Positions are kept here and not in librdkafka: they also move at the end of a partition, past what is never returned
(transaction markers, compacted records). Belongs to the thread that polls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from replicator.api.errors import ConfigError, IllegalStateError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.kafka.errors import translate, translated

_CALL_SECONDS: Final = 30.0
_INVALID: Final = -1001

Offsets = Callable[[Sequence[TopicPartition], str], dict[TopicPartition, int]]


class Assignment:
    """The part of a consumer that does not depend on how it got its partitions."""

    def __init__(self, client: Any, group: str | None, start: str, offsets: Offsets) -> None:
        """Nothing is assigned yet.

        Args:
            client: librdkafka's consumer.
            group: consumer group, or None.
            start: where a partition without a position begins: earliest, latest, or error.
            offsets: the first (`earliest`) or next (`latest`) offsets of partitions.
        """
        self._client = client
        self._group = group
        self._start = start
        self._offsets = offsets
        self._subscribed = False
        self._assigned: dict[TopicPartition, int | None] = {}
        self._unstarted: set[TopicPartition] = set()
        self._paused: set[TopicPartition] = set()
        self._known_commits: dict[TopicPartition, OffsetAndMetadata | None] = {}

    def assignment(self) -> set[TopicPartition]:
        """Partitions read at present."""
        return set(self._assigned)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue there."""
        self._check_assigned(partition)
        self._assigned[partition] = offset
        if partition not in self._unstarted:
            self._seek_started(partition, offset)

    def _seek_started(self, partition: TopicPartition, offset: int) -> None:
        try:
            self._client.seek(KafkaPartition(partition.topic, partition.partition, offset))
        except KafkaException:
            # Not being fetched just now (its leader is not known yet, for one): it is assigned anew at the next poll.
            self._unstarted.add(partition)

    def position(self, partition: TopicPartition) -> int:
        """Offset of the next message `poll` would return."""
        self._check_assigned(partition)
        if self._assigned[partition] is None:
            self._find_starts([tp for tp, at in self._assigned.items() if at is None])
        found = self._assigned[partition]
        return 0 if found is None else found

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Return nothing from these until resumed."""
        new = [tp for tp in partitions if tp not in self._paused]
        self._paused.update(new)
        self._switch(self._client.pause, new)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Return messages again."""
        gone = [tp for tp in partitions if tp in self._paused]
        self._paused.difference_update(gone)
        self._switch(self._client.resume, gone)

    def _switch(self, call: Callable[[list[KafkaPartition]], None], partitions: list[TopicPartition]) -> None:
        started = [
            KafkaPartition(*tp) for tp in partitions if tp in self._assigned and tp not in self._unstarted
        ]
        if started:
            with translated("to pause or resume partitions"):
                call(started)

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._assigned:
            raise IllegalStateError(f"Partition {partition.topic}-{partition.partition} is not assigned.")

    def committed(self, partition: TopicPartition) -> OffsetAndMetadata | None:
        """The group's committed position; while we own the partition nobody else can change it."""
        if self._group is None:
            return None
        if partition not in self._known_commits or not self._subscribed:
            self._fetch_commits([partition])
        return self._known_commits[partition]

    def _fetch_commits(self, partitions: Sequence[TopicPartition]) -> None:
        wanted = [KafkaPartition(*tp) for tp in partitions]
        doing, right = f"to read the positions of the group {self._group}", f"READ on the group {self._group}"
        with translated(doing, right):
            found = self._client.committed(wanted, timeout=_CALL_SECONDS)
        for entry in found:
            if entry.error is not None:
                raise translate(entry.error, doing, right)
            known = OffsetAndMetadata(entry.offset, entry.metadata or "") if entry.offset >= 0 else None
            self._known_commits[TopicPartition(entry.topic, entry.partition)] = known

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit for the group and wait for it."""
        if self._group is None:
            raise IllegalStateError("A consumer without a group cannot commit.")
        if not offsets:
            return
        wanted = [
            KafkaPartition(tp.topic, tp.partition, at.offset, at.metadata) for tp, at in offsets.items()
        ]
        doing, right = f"to commit positions of the group {self._group}", f"READ on the group {self._group}"
        with translated(doing, right):
            answers = self._client.commit(offsets=wanted, asynchronous=False)
        for answer in answers or ():
            if answer.error is not None:
                raise translate(answer.error, doing, right)
        self._known_commits.update(offsets)

    def _find_starts(self, partitions: Sequence[TopicPartition]) -> None:
        """Give partitions without a position the group's, or the one `start` says."""
        wanted = [tp for tp in partitions if self._assigned.get(tp) is None]
        if not wanted:
            return
        if self._group is not None:
            self._fetch_commits(wanted)
        fresh = []
        for tp in wanted:
            known = self._known_commits.get(tp)
            if known is not None:
                self._assigned[tp] = known.offset
            else:
                fresh.append(tp)
        if fresh and self._start == "error":
            raise ConfigError(
                f"The group {self._group} has no position in {fresh[0].topic}-{fresh[0].partition}.",
                option="auto.offset.reset",
            )
        if fresh:
            self._assigned.update(self._offsets(fresh, self._start))

    def _begin(self, partitions: Sequence[TopicPartition], *, incremental: bool = False) -> None:
        """Let librdkafka fetch partitions from their positions."""
        started = []
        for tp in partitions:
            at = self._assigned.get(tp)
            started.append(KafkaPartition(tp.topic, tp.partition, _INVALID if at is None else at))
        self._unstarted.difference_update(partitions)
        with translated("to assign partitions"):
            if incremental:
                try:
                    self._client.incremental_assign(started)
                except KafkaException:
                    self._client.assign(started)  # an eager assignor was chosen
            else:
                self._client.assign(started)
        paused = [KafkaPartition(*tp) for tp in partitions if tp in self._paused]
        if paused:
            with translated("to pause partitions"):
                self._client.pause(paused)

    def _begin_unstarted(self) -> None:
        if self._subscribed:
            for tp in list(self._unstarted):
                at = self._assigned.get(tp)
                self._unstarted.discard(tp)
                if at is not None:
                    self._seek_started(tp, at)
        else:
            self._find_starts([tp for tp in self._unstarted if self._assigned.get(tp) is None])
            self._begin(list(self._assigned))
