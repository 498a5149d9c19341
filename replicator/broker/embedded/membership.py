"""Who belongs to a consumer group, what it wants, and how partitions are shared. Under the lock of `Groups`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata


class Subscription:
    """Topics a group wants: names, or a pattern that must match the whole name."""

    def __init__(self, topics: Sequence[str] | re.Pattern[str]) -> None:
        self.pattern = topics if isinstance(topics, re.Pattern) else None
        self.names = frozenset(() if isinstance(topics, re.Pattern) else topics)

    def matches(self, topic: str) -> bool:
        """Whether the topic is wanted."""
        return self.pattern.fullmatch(topic) is not None if self.pattern else topic in self.names

    def encode(self) -> str:
        """As stored."""
        stored = {"pattern": self.pattern.pattern} if self.pattern else {"topics": sorted(self.names)}
        return orjson.dumps(stored).decode()

    @classmethod
    def decode(cls, text: str) -> Subscription:
        """Inverse of `encode`."""
        stored = orjson.loads(text)
        return cls(re.compile(stored["pattern"]) if "pattern" in stored else stored["topics"])


class Member:
    """One consumer of a group; `wake` is called when its share changed."""

    __slots__ = ("owned", "subscription", "target", "wake")

    def __init__(self, subscription: Subscription, wake: Callable[[], None]) -> None:
        self.subscription = subscription
        self.wake = wake
        self.owned: set[TopicPartition] = set()
        self.target: set[TopicPartition] = set()


@dataclass(slots=True)
class Group:
    """What is known of a group."""

    offsets: dict[TopicPartition, OffsetAndMetadata] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    readers: int = 0
    subscription: Subscription | None = None
    active_at: float = 0.0

    @property
    def live(self) -> bool:
        """Whether a consumer of this process belongs to it."""
        return bool(self.members) or self.readers > 0


class GroupSnapshot(NamedTuple):
    """A group as retention sees it; `active_at` in seconds since the epoch."""

    name: str
    live: bool
    active_at: float
    subscription: Subscription | None
    positions: dict[TopicPartition, int]


def balance(
    current: Sequence[set[TopicPartition]], wanted: Sequence[set[TopicPartition]]
) -> list[set[TopicPartition]]:
    """Share partitions among members.

    Args:
        current: what each member was to have until now.
        wanted: what each member may have.

    Returns:
        One disjoint set per member; together they cover everything wanted, sizes differ by at most one when all
        members want the same.
    """
    if not wanted:
        return []
    everything = set().union(*wanted)
    most = -(-len(everything) // len(wanted))
    shares: list[set[TopicPartition]] = []
    free = set(everything)
    for held, may in zip(current, wanted, strict=True):
        kept = set(sorted(held & may & free)[:most])
        shares.append(kept)
        free -= kept
    for tp in sorted(free):
        takers = [i for i, may in enumerate(wanted) if tp in may]
        shares[min(takers, key=lambda i: (len(shares[i]), i))].add(tp)
    _level(shares, wanted)
    return shares


def _level(shares: list[set[TopicPartition]], wanted: Sequence[set[TopicPartition]]) -> None:
    for low in range(len(shares)):
        for high in range(len(shares)):
            movable = sorted(shares[high] & wanted[low], reverse=True)
            while movable and len(shares[high]) - len(shares[low]) > 1:
                tp = movable.pop(0)
                shares[high].remove(tp)
                shares[low].add(tp)
