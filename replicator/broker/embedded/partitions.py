"""Topics and partitions as the running process knows them; changed under the log's lock only."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from replicator.api.record import TopicPartition


class Partition:
    """A partition as the running process knows it; `waiters` are set when it gets messages."""

    __slots__ = ("begin", "deleted", "end", "id", "topic", "tp", "waiters")

    def __init__(self, id_: int, topic: Topic, number: int, begin: int, end: int) -> None:
        self.id = id_
        self.topic = topic
        self.tp = TopicPartition(topic.name, number)
        self.begin = begin
        self.end = end
        self.deleted = False
        self.waiters: frozenset[threading.Event] = frozenset()


class Topic:
    """A topic as the running process knows it. `incarnation` counts deleted topics of the same name."""

    __slots__ = ("config", "id", "incarnation", "name", "partitions")

    def __init__(self, id_: int, name: str, config: Mapping[str, str], incarnation: int) -> None:
        self.id = id_
        self.name = name
        self.config = dict(config)
        self.incarnation = incarnation
        self.partitions: list[Partition] = []

    @property
    def compacted(self) -> bool:
        """Whether the newest message of each key is kept for ever."""
        return "compact" in self.config.get("cleanup.policy", "delete")


def wake(partitions: Iterable[Partition]) -> None:
    """Wake everyone who waits for one of the partitions."""
    for partition in partitions:
        for waiter in partition.waiters:
            if not waiter.is_set():
                waiter.set()
