"""Requests about consumer groups, made with kafka-python. Any thread; each is made again while Kafka is busy.

librdkafka ends the process when the connection to a group's coordinator breaks at the wrong moment of such a request
(its issue 4605), and it cannot remove single positions of a group at all (C28).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from replicator.api.errors import IllegalStateError, NotFoundError, RetriableError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.kafka.errors import translate_python
from replicator.broker.kafka.python_client import requesting
from replicator.broker.kafka.retrying import retried


class Member(NamedTuple):
    """A member of a group: its static id, if it has one, and what it reads."""

    instance_id: str | None
    partitions: frozenset[TopicPartition]


class Described(NamedTuple):
    """A group that exists: its state in the broker's words, and its members."""

    state: str
    members: list[Member]


@retried
def describe_group(java: Mapping[str, str], group: str) -> Described | None:
    """A group as its coordinator knows it; None when it does not."""
    doing = f"to describe the group {group}"
    try:
        with requesting(java, doing, f"DESCRIBE on the group {group}") as client:
            found: Any = client.describe_groups([group])[group]
    except NotFoundError:
        return None
    state = str(found["group_state"])
    if state == "Dead":
        return None
    if found["error"]:
        raise RetriableError(f"Kafka: failed {doing}: {found['error']}.")
    return Described(state, [Member(m["group_instance_id"] or None, _assigned(m)) for m in found["members"]])


def _assigned(member: Mapping[str, Any]) -> frozenset[TopicPartition]:
    assignment = member["member_assignment"]
    entries = assignment.get("assigned_partitions", ()) if isinstance(assignment, dict) else ()
    return frozenset(TopicPartition(e["topic"], number) for e in entries for number in e["partitions"])


@retried
def group_offsets(java: Mapping[str, str], group: str) -> dict[TopicPartition, OffsetAndMetadata]:
    """Committed positions; empty when the group is unknown."""
    try:
        with requesting(
            java, f"to read the positions of the group {group}", f"DESCRIBE on the group {group}"
        ) as client:
            found: Any = client.list_group_offsets(group)[group]
    except NotFoundError:
        return {}
    # librdkafka ends empty metadata with C's end of a text when the brokers' own group protocol is used.
    return {
        TopicPartition(p.topic, p.partition): OffsetAndMetadata(at.offset, (at.metadata or "").rstrip("\0"))
        for p, at in found.items()
        if at.offset >= 0
    }


@retried
def set_group_offsets(
    java: Mapping[str, str], group: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]
) -> None:
    """Change committed positions of a group.

    Raises:
        IllegalStateError: the group has members.
    """
    from kafka import TopicPartition as Partition
    from kafka.errors import UnknownMemberIdError
    from kafka.structs import OffsetAndMetadata as Position

    doing = f"to change the positions of the group {group}"
    wanted = {Partition(*tp): Position(at.offset, at.metadata, -1) for tp, at in offsets.items()}
    with requesting(java, doing, f"READ on the group {group}") as client:
        answers: Any = client.alter_group_offsets(group, wanted)
    for outcome in answers.values():
        if issubclass(outcome, UnknownMemberIdError):
            raise _has_members(group)
        if outcome.errno:
            raise translate_python(outcome(), doing)


@retried
def delete_group_offsets(java: Mapping[str, str], group: str, partitions: Sequence[TopicPartition]) -> None:
    """Remove committed positions of a group.

    Raises:
        IllegalStateError: the group has members subscribed to these topics.
    """
    from kafka import TopicPartition as Partition
    from kafka.errors import GroupSubscribedToTopicError

    doing = f"to remove positions of the group {group}"
    try:
        with requesting(java, doing, f"DELETE on the group {group}") as client:
            answers: Any = client.delete_group_offsets(group, [Partition(*tp) for tp in partitions])
    except NotFoundError:
        return
    except IllegalStateError as error:
        raise _has_members(group) from error
    for outcome in (answers or {}).values():
        if issubclass(outcome, GroupSubscribedToTopicError):
            raise _has_members(group)
        if outcome.errno:
            raise translate_python(outcome(), doing)


@retried
def delete_group(java: Mapping[str, str], group: str) -> None:
    """Forget a group; missing is fine.

    Raises:
        IllegalStateError: it has live members.
    """
    from kafka import errors

    doing = f"to delete the group {group}"
    right = f"DELETE on the group {group}"
    with requesting(java, doing, right) as client:
        answer = client.delete_groups([group])[group]
    if answer == "OK":
        return
    error = translate_python(getattr(errors, answer)(), doing, right)
    if isinstance(error, IllegalStateError):
        raise _has_members(group)
    if not isinstance(error, NotFoundError):
        raise error


@retried
def remove_static_members(java: Mapping[str, str], group: str, instance_ids: Sequence[str]) -> None:
    """Let static members leave their group; those that are gone already are fine."""
    from kafka.admin import MemberToRemove

    wanted = [MemberToRemove(group_instance_id=instance_id) for instance_id in instance_ids]
    try:
        with requesting(java, f"to remove members of the group {group}") as client:
            client.remove_group_members(group, wanted)
    except NotFoundError:
        return


def _has_members(group: str) -> IllegalStateError:
    return IllegalStateError(f"The group {group} has members; stop them first.")
