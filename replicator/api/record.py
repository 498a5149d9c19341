"""Records as connectors and transforms see them.

Slots classes, created once per change: construction cost matters, so they are not frozen. They
are treated as immutable and changed only through `evolve`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, Self

from replicator.api.schema import Schema


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Header(NamedTuple):
    """One header; names may repeat."""

    key: str
    schema: Schema | None
    value: Any


class LazyOffset(Protocol):
    """A source offset that becomes a map only when it is stored."""

    def to_map(self) -> dict[str, Any]:
        """The offset as stored: string keys, primitive values."""
        ...


class ConnectRecord:
    """What source and sink records share.

    Attributes:
        topic: topic name.
        partition: Kafka partition, or None to let the partitioner decide.
        key_schema, key, value_schema, value: data; a null value is a tombstone.
        timestamp: milliseconds since the epoch, or None.
        headers: list of Header, or None when there are none.
    """

    __slots__ = ("headers", "key", "key_schema", "partition", "timestamp", "topic", "value", "value_schema")

    def __init__(
        self,
        topic: str,
        partition: int | None,
        key_schema: Schema | None,
        key: Any,
        value_schema: Schema | None,
        value: Any,
        timestamp: int | None = None,
        headers: list[Header] | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.key_schema = key_schema
        self.key = key
        self.value_schema = value_schema
        self.value = value
        self.timestamp = timestamp
        self.headers = headers

    def evolve(self, **changes: Any) -> Self:
        """A copy with some attributes replaced (the position in the source or topic stays)."""
        cls = type(self)
        new: Self = (_COPIERS.get(cls) or _copier_of(cls))(self)
        for slot, value in changes.items():
            try:
                setattr(new, slot, value)
            except AttributeError:
                raise TypeError(f"{cls.__name__} has no attribute {slot}") from None
        return new

    def header(self, key: str) -> Header | None:
        """The last header of that name, or None."""
        headers: list[Header] = self.headers or []
        return next((h for h in reversed(headers) if h.key == key), None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.topic}, key={self.key!r}, value={self.value!r})"


class SourceRecord(ConnectRecord):
    """A record on its way from a source to a topic.

    `source_offset` is a map, or a `LazyOffset`. A record whose `topic` is empty carries no data:
    only its offset is stored (C5), in order with the records around it.
    """

    __slots__ = ("source_offset", "source_partition")

    def __init__(
        self,
        source_partition: Mapping[str, Any] | None,
        source_offset: Mapping[str, Any] | LazyOffset | None,
        topic: str,
        partition: int | None,
        key_schema: Schema | None,
        key: Any,
        value_schema: Schema | None,
        value: Any,
        timestamp: int | None = None,
        headers: list[Header] | None = None,
    ) -> None:
        self.source_partition = source_partition
        self.source_offset = source_offset
        self.topic = topic
        self.partition = partition
        self.key_schema = key_schema
        self.key = key
        self.value_schema = value_schema
        self.value = value
        self.timestamp = timestamp
        self.headers = headers


def offset_only(partition: Mapping[str, Any], offset: Mapping[str, Any] | LazyOffset) -> SourceRecord:
    """A record without data that moves the source offset."""
    return SourceRecord(partition, offset, "", None, None, None, None, None)


class SinkRecord(ConnectRecord):
    """A record on its way from a topic to a sink."""

    __slots__ = (
        "kafka_offset",
        "original_kafka_offset",
        "original_kafka_partition",
        "original_topic",
        "timestamp_type",
    )

    def __init__(
        self,
        topic: str,
        partition: int,
        key_schema: Schema | None,
        key: Any,
        value_schema: Schema | None,
        value: Any,
        kafka_offset: int,
        timestamp: int | None = None,
        headers: list[Header] | None = None,
        timestamp_type: str = "CreateTime",
    ) -> None:
        self.topic = self.original_topic = topic
        self.partition = self.original_kafka_partition = partition
        self.key_schema = key_schema
        self.key = key
        self.value_schema = value_schema
        self.value = value
        self.kafka_offset = self.original_kafka_offset = kafka_offset
        self.timestamp = timestamp
        self.headers = headers
        self.timestamp_type = timestamp_type


_COPIERS: dict[type, Callable[[Any], Any]] = {}


def _copier_of(cls: type) -> Callable[[Any], Any]:
    """A function that copies the slots of one class, written out so that a copy costs no loop."""
    slots = [s for c in cls.__mro__ for s in getattr(c, "__slots__", ())]
    lines = ["def copy(old):", "    new = create(cls)"]
    lines += [f"    new.{slot} = old.{slot}" for slot in slots] + ["    return new"]
    scope: dict[str, Any] = {"cls": cls, "create": object.__new__}
    exec("\n".join(lines), scope)
    copier: Callable[[Any], Any] = scope["copy"]
    _COPIERS[cls] = copier
    return copier
