"""Messages of topics, as they are appended and as they are read. Plain data: each belongs to the thread that holds it.

A message may keep the change it was made from beside its bytes, so that a sink of the same process need not parse them.
"""

from __future__ import annotations

from replicator.api.change import ChangeRecord

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
