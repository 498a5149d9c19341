"""Source offsets in Connect's offsets topic (25 compacted partitions). Any thread.

A source task over a broker with atomic appends puts `messages` into the same append as its records and calls
`observe` afterwards (INV-1); otherwise it calls `write` once the records are acknowledged.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from replicator.broker.base import Broker
from replicator.broker.message import Message, NewMessage
from replicator.broker.topic_log import TopicLog
from replicator.storage.base import Offset, OffsetPartition
from replicator.storage.formats import (
    decode_offset_key,
    encode_offset,
    encode_offset_key,
    loads_object,
    partition_identity,
)
from replicator.storage.internal_topics import check_compacted, compacted


class TopicOffsetStore:
    """See the module."""

    def __init__(
        self,
        broker: Broker,
        topic: str,
        *,
        partitions: int = 25,
        replication_factor: int = 3,
        settings: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> None:
        self._offsets = OffsetMap()
        new = compacted(topic, partitions, replication_factor, settings)
        self._log = TopicLog(broker, new, self._record, client_id="offsets", follow=False, writable=writable)
        self._topic = topic

    def start(self) -> None:
        """Open the topic and read it.

        Raises:
            ConfigError: the topic is not compacted.
        """
        self._log.start(
            lambda admin: check_compacted(
                admin, self._topic, "offset.storage.topic", "source connector offsets"
            )
        )

    def stop(self) -> None:
        """Release the clients."""
        self._log.stop()

    def read(self, connector: str, partition: OffsetPartition) -> dict[str, Any] | None:
        """The stored offset of one source partition."""
        self._log.read_to_end()
        return self._offsets.get(connector, partition)

    def offsets(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All (partition, offset) of a connector."""
        self._log.read_to_end()
        return self._offsets.of(connector)

    def write(self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]) -> None:
        """Append offsets and wait until they are stored."""
        self._log.append([(m.key or b"", m.value) for m in self.messages(connector, offsets)])
        self.observe(connector, offsets)

    def messages(
        self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]
    ) -> list[NewMessage]:
        """Offset records to append together with the data."""
        found: list[NewMessage] = []
        for partition, offset in offsets:
            known = self._offsets.stored_keys(connector, partition)
            key = known[0] if known else encode_offset_key(connector, partition)
            found.append(NewMessage(self._topic, key, encode_offset(offset)))
            # The same partition written with its keys in another order would come back after a restart.
            found += [NewMessage(self._topic, other, None) for other in known[1:]]
        return found

    def observe(self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]) -> None:
        """Nothing to do: every read goes to the end of the topic first."""

    def _record(self, message: Message) -> None:
        decoded = decode_offset_key(message.key)
        if decoded is not None and message.key is not None:
            connector, partition = decoded
            self._offsets.put(
                connector, partition, loads_object(message.value), message.key, message.timestamp
            )


class _Stored(NamedTuple):
    timestamp: int
    offset: dict[str, Any]


class OffsetMap:
    """Offsets by connector and meaning of the partition, with the key bytes under which they are stored."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, dict[bytes, dict[bytes, _Stored]]] = {}

    def get(self, connector: str, partition: OffsetPartition) -> dict[str, Any] | None:
        """The offset of a partition."""
        with self._lock:
            variants = self._held.get(connector, {}).get(partition_identity(dict(partition)))
            return dict(_newest(variants).offset) if variants else None

    def stored_keys(self, connector: str, partition: OffsetPartition) -> list[bytes]:
        """Key bytes in use for the partition, that of the newest record first."""
        with self._lock:
            variants = self._held.get(connector, {}).get(partition_identity(dict(partition)), {})
            return sorted(variants, key=lambda key: variants[key].timestamp, reverse=True)

    def of(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All (partition, offset) of a connector."""
        with self._lock:
            held = self._held.get(connector, {}).items()
            return [(orjson.loads(identity) or {}, dict(_newest(found).offset)) for identity, found in held]

    def put(
        self,
        connector: str,
        partition: Mapping[str, Any] | None,
        offset: Offset | None,
        key: bytes,
        timestamp: int,
    ) -> None:
        """Set, or with None remove, what is stored under these key bytes."""
        identity = partition_identity(None if partition is None else dict(partition))
        with self._lock:
            held = self._held.setdefault(connector, {})
            variants = held.setdefault(identity, {})
            if offset is None:
                variants.pop(key, None)
            else:
                variants[key] = _Stored(timestamp, dict(offset))
            if not variants:
                del held[identity]


def _newest(variants: Mapping[bytes, _Stored]) -> _Stored:
    return max(variants.values(), key=lambda stored: stored.timestamp)
