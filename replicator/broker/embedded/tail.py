"""The newest appends, kept in memory for consumers near the end of the log.

Written under the log's lock; `groups`, `sums` and `published` are read without it: a group appears in one step, after
its commit, and is never changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from replicator.broker.embedded.batches import EncodedBatch
from replicator.broker.embedded.following import Follower
from replicator.broker.embedded.partitions import Partition
from replicator.broker.message import NewMessage

_TAIL_BYTES: Final = 20 << 20
_SUMS_KEPT: Final = 4096
# What a message takes in memory beside its bytes, without and with the data it was made from (measured).
_MESSAGE_BYTES: Final = 200
_OBJECT_BYTES: Final = 3000


class Placed(NamedTuple):
    """Messages of one append that go to one partition.

    Attributes:
        first: index of the first message within the append.
        positions: indices of all of them, or None when they follow each other.
    """

    partition: Partition
    first: int
    positions: Sequence[int] | None
    messages: list[NewMessage]
    encoded: EncodedBatch

    @property
    def size(self) -> int:
        """What its messages take in memory, about."""
        objects = _OBJECT_BYTES if self.messages[0].data is not None else _MESSAGE_BYTES
        return self.encoded.raw + objects * self.encoded.messages


class TailBatch(NamedTuple):
    """A batch of a recent append, as appended."""

    partition: Partition
    base: int
    first: int
    positions: Sequence[int] | None
    messages: list[NewMessage]

    def settle(self, now: int) -> None:
        """Tell the messages their places: from now on they are what consumers read."""
        number = self.partition.tp.partition
        for offset, message in enumerate(self.messages, self.base):
            message.offset = offset
            message.partition = number
            if message.timestamp is None:
                message.timestamp = now


class TailGroup(NamedTuple):
    """A recent append: the rows up to `last_seq`; `upto` sums `raw` over all appends so far."""

    last_seq: int
    batches: list[TailBatch]
    raw: int
    upto: int


class Tail:
    """See the module.

    Attributes:
        groups: appends by their first sequence number.
        sums: `upto` of recent appends, also of those no longer kept, by their last sequence number.
        published: sum of `raw` over all appends so far.
        followers: the consumers.
    """

    def __init__(self) -> None:
        self.groups: dict[int, TailGroup] = {}
        self.sums: dict[int, int] = {}
        self.published = 0
        self.followers: frozenset[Follower] = frozenset()
        self._order: deque[int] = deque()
        self._raw = 0

    def publish(self, first: int, appended: Iterable[tuple[int, list[TailBatch], int]], now: int) -> None:
        """Keep committed appends, of which the first begins at this sequence number: (last_seq, batches, raw) each."""
        for last, batches, raw in appended:
            for batch in batches:
                batch.settle(now)
            self.published += raw
            self.groups[first] = TailGroup(last, batches, raw, self.published)
            self.sums[last] = self.published
            self._order.append(first)
            self._raw += raw
            first = last + 1
        while len(self.sums) > _SUMS_KEPT:
            del self.sums[next(iter(self.sums))]
        # What every consumer near the end has read is better freed while it is still in the processor's cache.
        read = min((f.seen for f in self.followers if f.keeps_up), default=0)
        while self._order and (self._raw > _TAIL_BYTES or self.groups[self._order[0]].upto <= read):
            self._raw -= self.groups.pop(self._order.popleft()).raw

    def forget(self) -> None:
        """Drop what is kept."""
        self.groups.clear()
        self._order.clear()
        self._raw = 0
