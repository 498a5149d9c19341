"""Where topics live: the protocols every broker implements, and the messages they carry.

`embedded/` (SQLite) and `kafka/` (confluent-kafka) implement them under one contract suite.
Producers and consumers belong to the thread that uses them; `Admin` may be shared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from replicator.api.change import ChangeRecord
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata

MessageHeaders = list[tuple[str, bytes | None]]


class Message:
    """A message read from a topic.

    Attributes:
        topic, partition, offset: where it stands.
        timestamp: milliseconds since the epoch.
        key: None for none.
        prefix, body, suffix: the value in three parts: what many messages start and end with, and what is between
            (None for no value). A schema that every value of a topic starts with need not be copied into each of them.
        headers: names and values, or None.
        data: what the producer made it from, if it is of this process and the message still in memory.
    """

    __slots__ = (
        "body",
        "data",
        "headers",
        "key",
        "offset",
        "partition",
        "prefix",
        "suffix",
        "timestamp",
        "topic",
    )

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        timestamp: int,
        key: bytes | None,
        value: bytes | None,
        headers: MessageHeaders | None,
        prefix: bytes = b"",
        suffix: bytes = b"",
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.body = value
        self.headers = headers
        self.prefix = prefix
        self.suffix = suffix
        self.data: ChangeRecord | None = None

    @property
    def rest(self) -> bytes | None:
        """What follows the prefix."""
        body = self.body
        return body + self.suffix if body is not None and self.suffix else body

    @property
    def value(self) -> bytes | None:
        """The whole value."""
        rest = self.rest
        return self.prefix + rest if rest is not None and self.prefix else rest


class NewMessage(Message):
    """A message to append. `partition` None lets the broker choose by key (murmur2, as Java does).

    `timestamp` None is the time of the append. `data` may carry the change the bytes were made from: brokers that
    keep recent messages in memory hand it on, others ignore it. A broker may make it the message that is read.
    """

    __slots__ = ()

    partition: int | None  # type: ignore[assignment]  # until it is placed
    timestamp: int | None  # type: ignore[assignment]

    def __init__(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        timestamp: int | None = None,
        headers: MessageHeaders | None = None,
        prefix: bytes = b"",
        data: ChangeRecord | None = None,
        suffix: bytes = b"",
    ) -> None:
        self.topic = topic
        self.key = key
        self.body = value
        self.partition = partition
        self.timestamp = timestamp
        self.headers = headers
        self.prefix = prefix
        self.suffix = suffix
        self.data = data


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


class RebalanceListener(Protocol):
    """Told about a consumer's partitions, on the thread that polls."""

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions were added."""
        ...

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions are about to go."""
        ...


class Producer(Protocol):
    """Appends messages.

    Attributes:
        atomic: whether all messages of one `append` become visible together, also across topics.
            If so, source offsets ride along in the same append (C8).
    """

    atomic: bool

    def append(
        self, batch: Sequence[NewMessage], on_done: Callable[[Exception | None], None] | None = None
    ) -> None:
        """Append in order. `on_done` is called once, when the whole batch is acknowledged or has failed.

        The embedded broker calls it before returning; Kafka from the producer's thread.

        Raises:
            RetriableError: nothing was appended, try again.
            DiskFullError: no space; nothing was appended.
            DataError: a message can never be appended (too large, for example); nothing was appended.
            FencedError: another producer with the same transactional id took over.
        """
        ...

    def sync(self, timeout: float) -> bool:
        """Wait until everything appended so far survives power loss; False when time ran out."""
        ...

    def begin_transaction(self) -> None:
        """Messages appended from here become visible at `commit_transaction` (transactional producers)."""
        ...

    def commit_transaction(self) -> None:
        """Make the open transaction visible."""
        ...

    def abort_transaction(self) -> None:
        """Drop the open transaction."""
        ...

    def close(self) -> None:
        """Release the producer; acknowledged messages stay."""
        ...


class Consumer(Protocol):
    """Reads messages. Within one consumer the embedded broker keeps the order of appends across topics.

    Attributes:
        commit_wanted: whether positions should be committed soon, because the log waits to remove what was consumed.
    """

    @property
    def commit_wanted(self) -> bool:
        """See the class."""
        ...

    def subscribe(
        self, topics: Sequence[str] | re.Pattern[str], listener: RebalanceListener | None = None
    ) -> None:
        """Join the group for these topics; topics that match later are picked up within 5 seconds."""
        ...

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these partitions, without a group membership."""
        ...

    def assignment(self) -> set[TopicPartition]:
        """Partitions read at present."""
        ...

    def poll(self, max_messages: int, timeout: float) -> list[Message]:
        """Next messages, or an empty list after `timeout` seconds. Wakes at once when data arrives."""
        ...

    def wakeup(self) -> None:
        """Let a waiting `poll` return at once; the only method that other threads may call."""
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue there."""
        ...

    def position(self, partition: TopicPartition) -> int:
        """Offset of the next message `poll` would return."""
        ...

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Return nothing from these partitions until resumed."""
        ...

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Return messages again."""
        ...

    def committed(self, partition: TopicPartition) -> OffsetAndMetadata | None:
        """The group's committed position."""
        ...

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit for the group."""
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


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


class Broker(Protocol):
    """Factory of clients over one cluster or one embedded log.

    `options` of a client are named as Java's clients name them (`linger.ms`, `sasl.jaas.config` ...) and win over
    the broker's own; the embedded broker has no use for them.
    """

    def producer(
        self,
        client_id: str,
        *,
        transactional_id: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Producer:
        """A producer; with `transactional_id` it fences its predecessors.

        Raises:
            ConfigError: an option is wrong or cannot be honoured.
            RetriableError: the cluster cannot be reached (transactional producers only).
        """
        ...

    def consumer(
        self,
        client_id: str,
        group: str | None = None,
        *,
        start: str = "earliest",
        instance_id: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Consumer:
        """A consumer; `start` says where a group without a position begins (earliest, latest).

        With `instance_id` its membership is static: a successor of the same id gets the partitions of a member
        that ended without leaving (C28).
        """
        ...

    def admin(self) -> Admin:
        """The shared admin client."""
        ...

    def cluster_id(self) -> str:
        """Identity of the cluster or embedded log."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...
