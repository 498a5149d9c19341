"""Reads stretches of topics over any broker, outside of groups. One thread."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Final

from replicator.api.errors import ConnectError, NotFoundError
from replicator.api.record import TopicPartition
from replicator.broker.base import Broker
from replicator.broker.message import Message

_BATCH: Final = 500
_PATIENCE: Final = 60.0


class TopicReader:
    """See the module."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def ends(self, topic: str) -> dict[TopicPartition, int]:
        """Offset behind the last message of each partition.

        Raises:
            NotFoundError: there is no such topic.
        """
        return self._broker.admin().end_offsets(self._partitions(topic))

    def begins(self, topic: str) -> dict[TopicPartition, int]:
        """Offset of the first message of each partition.

        Raises:
            NotFoundError: there is no such topic.
        """
        return self._broker.admin().begin_offsets(self._partitions(topic))

    def read(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Iterator[Message]:
        """Messages from `starts` on and before `ends`.

        Raises:
            ConnectError: the broker does not deliver them.
        """
        missing = {place for place, start in starts.items() if start < ends[place]}
        if not missing:
            return
        consumer = self._broker.consumer("replicator-topic-reader")
        try:
            consumer.assign(sorted(missing))
            for place in missing:
                consumer.seek(place, starts[place])
            deadline = time.monotonic() + _PATIENCE
            while missing:
                messages = consumer.poll(_BATCH, 1.0)
                for message in messages:
                    if message.offset < ends[TopicPartition(message.topic, message.partition)]:
                        yield message
                if messages:  # what was done with them may have taken its time
                    deadline = time.monotonic() + _PATIENCE
                missing = {place for place in missing if consumer.position(place) < ends[place]}
                if missing and time.monotonic() > deadline:
                    raise ConnectError(f"Could not read {', '.join(map(str, missing))} to the end.")
        finally:
            consumer.close()

    def _partitions(self, topic: str) -> list[TopicPartition]:
        found = self._broker.admin().topics().get(topic)
        if found is None:
            raise NotFoundError(f"There is no topic {topic}.")
        return [TopicPartition(topic, number) for number in range(found.partitions)]
