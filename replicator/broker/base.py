"""Where topics live: the protocols every broker implements; `message` and `admin` have what they speak of.

`embedded/` (SQLite) and `kafka/` (confluent-kafka) implement them under one contract suite.
Producers and consumers belong to the thread that uses them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import Admin
from replicator.broker.message import Message, NewMessage


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
        superseded: threading.Event | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Producer:
        """A producer; with `transactional_id` it fences its predecessors.

        Args:
            client_id: its name.
            transactional_id: one at a time may use it.
            superseded: set when nobody waits for the producer any more and another one may have its id: it ends then
                without touching what is open.
            options: see the class.

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
