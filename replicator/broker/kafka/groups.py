"""Consumer groups and transactional producers, as an administrator sees them. Any thread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.kafka import group_requests
from replicator.broker.kafka.group_requests import Member


class GroupAdmin:
    """The part of the admin client about groups."""

    def __init__(self, fence: Callable[[str], None], java: Mapping[str, str]) -> None:
        """See KafkaAdmin."""
        self._fence = fence
        self._java = java

    def group_offsets(self, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
        """Committed positions; empty when the group is unknown."""
        return group_requests.group_offsets(self._java, group)

    def group_members(self, group: str) -> int:
        """Number of live members."""
        return len(self._members(group))

    def assigned_partitions(self, group: str) -> set[TopicPartition] | None:
        """Partitions that the members of a settled group read; None while it is rebalancing, or has none."""
        found = group_requests.describe_group(self._java, group)
        if found is None or found.state.lower() != "stable":
            return None
        return {tp for member in found.members for tp in member.partitions}

    def _members(self, group: str) -> list[Member]:
        found = group_requests.describe_group(self._java, group)
        return [] if found is None else found.members

    def release_static_members(self, group: str, instance_ids: Collection[str] | None = None) -> None:
        """Remove static members of a group (all, or these), whose clients have ended without leaving it."""
        ids = [m.instance_id for m in self._members(group) if m.instance_id]
        if instance_ids is not None:
            ids = [found for found in ids if found in instance_ids]
        if ids:
            group_requests.remove_static_members(self._java, group, ids)

    def alter_group_offsets(
        self, group: str, offsets: Mapping[TopicPartition, OffsetAndMetadata | None]
    ) -> None:
        """Set or remove committed positions.

        Raises:
            IllegalStateError: the group has members that use them.
        """
        changed = {tp: at for tp, at in offsets.items() if at is not None}
        removed = [tp for tp, at in offsets.items() if at is None]
        if changed:
            group_requests.set_group_offsets(self._java, group, changed)
        if removed:
            group_requests.delete_group_offsets(self._java, group, removed)

    def delete_group(self, group: str) -> None:
        """Forget a group; missing is fine.

        Raises:
            IllegalStateError: it has live members.
        """
        group_requests.delete_group(self._java, group)

    def fence_producers(self, transactional_ids: Sequence[str]) -> None:
        """Take each id over and end at once, which aborts what its producer had not committed."""
        for transactional_id in transactional_ids:
            self._fence(transactional_id)
