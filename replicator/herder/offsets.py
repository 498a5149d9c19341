"""Reading and changing a connector's offsets, for sources and sinks, with Connect's messages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from replicator.api.errors import BadRequestError, ConnectError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.admin import Admin
from replicator.storage.base import OffsetStore

_TOPIC: Final = "kafka_topic"
_PARTITION: Final = "kafka_partition"
_OFFSET: Final = "kafka_offset"
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,19}")

SourceOffsets = list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]


def show_source(store: OffsetStore, connector: str) -> list[dict[str, Any]]:
    """Stored offsets of a source."""
    return [{"partition": p, "offset": o} for p, o in store.offsets(connector)]


def show_sink(admin: Admin, group: str) -> list[dict[str, Any]]:
    """Committed offsets of a sink's group."""
    return [
        {"partition": {_TOPIC: tp.topic, _PARTITION: tp.partition}, "offset": {_OFFSET: position.offset}}
        for tp, position in sorted(admin.group_offsets(group).items())
    ]


def parse_source(offsets: Sequence[Mapping[str, Any]]) -> SourceOffsets:
    """(partition, offset or None) of a request.

    Raises:
        BadRequestError: nothing was given, or a member has another form.
    """
    _check_given(offsets)
    parsed: SourceOffsets = []
    for entry in offsets:
        partition = entry.get("partition")
        if not isinstance(partition, Mapping):
            raise BadRequestError("The partition for a source connector offset cannot be null or missing")
        parsed.append((partition, entry.get("offset")))
    return parsed


def parse_sink(offsets: Sequence[Mapping[str, Any]]) -> dict[TopicPartition, int | None]:
    """Next offsets of a request; None resets a partition.

    Raises:
        BadRequestError: nothing was given, or a member has another form.
    """
    _check_given(offsets)
    return dict(_sink_entry(entry) for entry in offsets)


def _sink_entry(entry: Mapping[str, Any]) -> tuple[TopicPartition, int | None]:
    partition = entry.get("partition")
    if not isinstance(partition, Mapping):
        raise BadRequestError("The partition for a sink connector offset cannot be null or missing")
    if _TOPIC not in partition or _PARTITION not in partition:
        raise BadRequestError(
            f"The partition for a sink connector offset must contain the keys '{_TOPIC}' and '{_PARTITION}'"
        )
    topic = partition[_TOPIC]
    if not isinstance(topic, str) or not topic:
        raise BadRequestError("Kafka topic names must be valid strings and may not be null")
    if partition[_PARTITION] is None:
        raise BadRequestError("Kafka partitions must be valid numbers and may not be null")
    number = _integer(partition[_PARTITION], "partition", "Partition", 1 << 31)
    offset = entry.get("offset")
    if offset is None:
        return TopicPartition(topic, number), None
    if not isinstance(offset, Mapping) or _OFFSET not in offset:
        raise BadRequestError(
            f"The offset for a sink connector should either be null or contain the key '{_OFFSET}'"
        )
    return TopicPartition(topic, number), _integer(offset[_OFFSET], "offset", "Offset", 1 << 63)


def alter_sink(admin: Admin, group: str, offsets: Mapping[TopicPartition, int | None]) -> None:
    """Change the group's positions.

    Raises:
        ConnectError: the group still has members.
    """
    check_no_members(admin, group)
    wanted = {tp: None if at is None else OffsetAndMetadata(at) for tp, at in offsets.items()}
    admin.alter_group_offsets(group, wanted)


def reset_sink(admin: Admin, group: str) -> None:
    """Forget the group.

    Raises:
        ConnectError: it still has members.
    """
    check_no_members(admin, group)
    admin.delete_group(group)


def check_no_members(admin: Admin, group: str) -> None:
    """Refuse while tasks of an abandoned run still read.

    Raises:
        ConnectError: the group has members.
    """
    admin.release_static_members(group)
    if admin.group_members(group):
        raise ConnectError(
            f"Failed to alter consumer group offsets of {group} either because its tasks haven't stopped completely"
            " yet or the resources they use could not be cleaned up. There may be zombie sink tasks.",
            hint="Try again in a minute, or restart the worker.",
        )


def message(verb: str, *, by_connector: bool) -> str:
    """Connect's answer; `verb` is altered or reset."""
    if by_connector:
        return f"The offsets for this connector have been {verb} successfully"
    return (
        f"The Connect framework-managed offsets for this connector have been {verb} successfully. However, if this"
        f" connector manages offsets externally, they will need to be manually {verb} in the system that the"
        " connector uses."
    )


def _check_given(offsets: Sequence[Mapping[str, Any]]) -> None:
    if not offsets:
        raise BadRequestError("Partitions / offsets need to be provided for an alter offsets request")


def _integer(value: Any, what: str, title: str, limit: int) -> int:
    shown = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    number = int(shown) if _NUMBER.fullmatch(shown) else None
    if number is None or not -limit <= number < limit:
        raise BadRequestError(
            f"Failed to parse the following Kafka {what} value in the provided offsets: '{shown}'."
            f" {title} values for sink connectors need to be integers."
        )
    if number < 0:
        raise BadRequestError(f"The Kafka {what} {number} is negative.")
    return number
