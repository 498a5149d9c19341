"""Topics and groups of the embedded log, for any thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import NewTopic, TopicDescription
from replicator.broker.embedded.groups import Groups
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.producer import TransactionalProducer


class EmbeddedAdmin:
    """The shared admin client."""

    def __init__(self, log: Log, groups: Groups, epochs: dict[str, int]) -> None:
        self._log = log
        self._groups = groups
        self._epochs = epochs

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        """Create those that do not exist; the replication factor means nothing here."""
        self._log.create_topics(topics)

    def topics(self) -> dict[str, TopicDescription]:
        """All topics."""
        self._refresh()
        return {
            name: TopicDescription(name, len(topic.partitions), dict(topic.config))
            for name, topic in sorted(self._log.topics.items())
        }

    def delete_topic(self, name: str) -> None:
        """Delete a topic and the positions of groups on it; its space is freed in the background."""
        self._log.delete_topic(name)

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset one past the last message.

        Raises:
            NotFoundError: one of them does not exist.
        """
        self._refresh()
        return {tp: self._log.partition(tp).end for tp in partitions}

    def next_committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The same: what is not committed is not in the log."""
        return self.end_offsets(partitions)

    def begin_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset of the first message still kept.

        Raises:
            NotFoundError: one of them does not exist.
        """
        self._refresh()
        return {tp: self._log.partition(tp).begin for tp in partitions}

    def delete_records(self, before: Mapping[TopicPartition, int]) -> None:
        """Delete messages before these offsets, as far as whole batches lie before them; groups are not asked.

        Raises:
            NotFoundError: a partition does not exist.
        """
        for tp, offset in before.items():
            partition = self._log.partition(tp)
            with self._log.transaction() as connection:
                row = connection.execute(
                    "SELECT max(next) FROM batches WHERE partition_id = ? AND next <= ?",
                    (partition.id, offset),
                ).fetchone()
                if row[0] is None:
                    continue
                connection.execute(
                    "DELETE FROM batches WHERE partition_id = ? AND next <= ?", (partition.id, row[0])
                )
                begin = max(partition.begin, row[0])
                connection.execute(
                    "UPDATE partitions SET begin_offset = ?, end_offset = ? WHERE id = ?",
                    (begin, partition.end, partition.id),
                )
                partition.begin = begin

    def log_identity(self, topic: str) -> str:
        """The log's UUID; a topic that was deleted and made anew has its number appended, as its offsets start over."""
        topic_incarnation = self._log.incarnation(topic)
        return f"{self._log.identity}.{topic_incarnation}" if topic_incarnation else self._log.identity

    def epoch(self) -> int:
        """Grows when the machine was started anew, after which the log may have lost unflushed appends (C9)."""
        return self._log.epoch

    def group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """Committed positions; empty when the group is unknown."""
        self._refresh()
        return self._groups.offsets(group)

    def group_members(self, group: str) -> int:
        """Number of live members in this process."""
        return self._groups.members(group)

    def alter_group_offsets(
        self, group: str, offsets: Mapping[TopicPartition, OffsetAndMetadata | None]
    ) -> None:
        """Set or remove committed positions."""
        self._groups.commit(group, offsets)

    def delete_group(self, group: str) -> None:
        """Forget a group: it no longer keeps messages from being removed."""
        self._groups.delete(group)

    def assigned_partitions(self, group: str) -> set[TopicPartition] | None:
        """Nobody needs to look: every partition is given out as soon as its former owner has let go."""
        return None

    def release_static_members(self, group: str, instance_ids: Collection[str] | None = None) -> None:
        """Nothing to do: members end with their consumers."""

    def fence_producers(self, transactional_ids: Sequence[str]) -> None:
        """Take each id over and end at once, which drops what its producer had pending."""
        for transactional_id in transactional_ids:
            TransactionalProducer(self._log, transactional_id, self._epochs).close()

    def _refresh(self) -> None:
        """A log that another process writes is read again for each question."""
        if self._log.read_only:
            with self._log.lock:
                self._log.load()
            self._groups.load()
