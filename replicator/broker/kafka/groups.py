"""Consumer groups and transactional producers, as an administrator sees them. Any thread.

Removing single positions of a group is asked of kafka-python's admin client, as confluent-kafka lacks it (C28).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from replicator.api.errors import ConfigError, IllegalStateError, NotFoundError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.kafka.errors import translate, translated
from replicator.broker.kafka.python_client import (
    Described,
    Member,
    delete_group_offsets,
    describe_group,
    remove_static_members,
)
from replicator.broker.kafka.retrying import retried

_SECONDS: Final = 10.0
_TRY_SECONDS: Final = 3.0
_COORDINATED: Final = "__consumer_offsets"


class GroupAdmin:
    """The part of the admin client about groups."""

    def __init__(
        self, client: Callable[[], AdminClient], fence: Callable[[str], None], java: Mapping[str, str]
    ) -> None:
        """See KafkaAdmin."""
        self._client = client
        self._fence = fence
        self._java = java

    def _reached(self) -> AdminClient:
        """The client, when the cluster answers it.

        librdkafka ends the process when the connection to a group's coordinator breaks while a request waits for it
        (its issue 4605): no such request may wait while Kafka is away. Other requests just fail then.
        """
        client = self._client()
        with translated("to reach the cluster"):
            client.list_topics(_COORDINATED, timeout=_TRY_SECONDS)
        return client

    @retried
    def group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """Committed positions; empty when the group is unknown."""
        asked = [ConsumerGroupTopicPartitions(group)]
        try:
            with translated(f"to read the positions of the group {group}"):
                answer = self._reached().list_consumer_group_offsets(asked, request_timeout=_SECONDS)[group]
                found = answer.result(_SECONDS + 5).topic_partitions
        except NotFoundError:
            return {}
        return {
            TopicPartition(p.topic, p.partition): OffsetAndMetadata(p.offset, p.metadata or "")
            for p in found
            if p.offset >= 0
        }

    def group_members(self, group: str) -> int:
        """Number of live members."""
        return len(self._members(group))

    def assigned_partitions(self, group: str) -> set[TopicPartition] | None:
        """Partitions that the members of a settled group read; None while it is rebalancing, or has none."""
        found = self._described(group)
        if found is None or found.state.lower() != "stable":
            return None
        return {tp for member in found.members for tp in member.partitions}

    def _members(self, group: str) -> list[Member]:
        found = self._described(group)
        return [] if found is None else found.members

    def _described(self, group: str) -> Described | None:
        try:
            return describe_group(self._java, group)
        except ConfigError:
            return self._described_otherwise(group)

    @retried
    def _described_otherwise(self, group: str) -> Described | None:
        """With librdkafka, where kafka-python cannot log in."""
        try:
            with translated(f"to describe the group {group}"):
                answer = self._reached().describe_consumer_groups([group], request_timeout=_SECONDS)[group]
                found = answer.result(_SECONDS + 5)
        except NotFoundError:
            return None
        if found.state == ConsumerGroupState.DEAD:
            return None
        return Described(
            found.state.name,
            [
                Member(
                    m.group_instance_id,
                    frozenset(TopicPartition(p.topic, p.partition) for p in m.assignment.topic_partitions),
                )
                for m in found.members
            ],
        )

    def release_static_members(self, group: str, instance_ids: Collection[str] | None = None) -> None:
        """Remove static members of a group (all, or these), whose clients have ended without leaving it."""
        ids = [m.instance_id for m in self._members(group) if m.instance_id]
        if instance_ids is not None:
            ids = [found for found in ids if found in instance_ids]
        if ids:
            remove_static_members(self._java, group, ids)

    def alter_group_offsets(
        self, group: str, offsets: Mapping[TopicPartition, OffsetAndMetadata | None]
    ) -> None:
        """Set or remove committed positions.

        Raises:
            IllegalStateError: the group has members that use them.
        """
        changed = [
            KafkaPartition(tp.topic, tp.partition, at.offset, at.metadata)
            for tp, at in offsets.items()
            if at is not None
        ]
        removed = [tp for tp, at in offsets.items() if at is None]
        if changed:
            self._set(group, changed)
        if removed:
            delete_group_offsets(self._java, group, removed)

    @retried
    def _set(self, group: str, changed: list[KafkaPartition]) -> None:
        doing = f"to change the positions of the group {group}"
        asked = [ConsumerGroupTopicPartitions(group, changed)]
        with translated(doing):
            answer = self._reached().alter_consumer_group_offsets(asked, request_timeout=_SECONDS)[group]
            found = answer.result(_SECONDS + 5).topic_partitions
        for entry in found:
            if entry.error is not None:
                if self.group_members(group):
                    raise IllegalStateError(f"The group {group} has members; stop them first.")
                raise translate(entry.error, doing)

    @retried
    def delete_group(self, group: str) -> None:
        """Forget a group; missing is fine.

        Raises:
            IllegalStateError: it has live members.
        """
        try:
            with translated(f"to delete the group {group}"):
                answer = self._reached().delete_consumer_groups([group], request_timeout=_SECONDS)[group]
                answer.result(_SECONDS + 5)
        except NotFoundError:
            return

    def fence_producers(self, transactional_ids: Sequence[str]) -> None:
        """Take each id over and end at once, which aborts what its producer had not committed."""
        for transactional_id in transactional_ids:
            self._fence(transactional_id)
