"""Topics and groups of a broker, as its administration sees them. Any thread: all share the one `Admin` of a broker."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to create; -1 partitions or replicas: the broker's default.

    `config` uses Kafka's names (`cleanup.policy`, `retention.ms` ...).
    """

    name: str
    partitions: int = 1
    replication_factor: int = -1
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as it is."""

    name: str
    partitions: int
    config: Mapping[str, str]


class Admin(Protocol):
    """Topics and groups."""

    def create_topics(self, topics: Sequence[NewTopic]) -> None:
        """Create those that do not exist; existing ones stay as they are."""
        ...

    def topics(self) -> dict[str, TopicDescription]:
        """All topics."""
        ...

    def delete_topic(self, name: str) -> None:
        """Delete a topic and its messages; missing is fine."""
        ...

    def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset one past the last message; Kafka counts messages of undecided transactions, too."""
        ...

    def next_committed(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset from which on a reader of committed data misses nothing that is not visible yet."""
        ...

    def begin_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset of the first message still kept."""
        ...

    def log_identity(self, topic: str) -> str:
        """Identity of the log behind a topic (C9): differs when the log was made anew."""
        ...

    def group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """Committed positions of a group; empty when unknown."""
        ...

    def group_members(self, group: str) -> int:
        """Number of live members."""
        ...

    def alter_group_offsets(
        self, group: str, offsets: Mapping[TopicPartition, OffsetAndMetadata | None]
    ) -> None:
        """Set, or with None remove, committed positions."""
        ...

    def delete_group(self, group: str) -> None:
        """Forget a group; missing is fine.

        Raises:
            IllegalStateError: Kafka says that it has live members.
        """
        ...

    def assigned_partitions(self, group: str) -> set[TopicPartition] | None:
        """Partitions that the members of a settled group read; None while it is rebalancing, or has none."""
        ...

    def release_static_members(self, group: str, instance_ids: Collection[str] | None = None) -> None:
        """Remove static members of a group (all, or these), whose clients have ended without leaving it."""
        ...

    def fence_producers(self, transactional_ids: Sequence[str]) -> None:
        """End the transactional producers of these ids: what they had not committed never becomes visible."""
        ...
