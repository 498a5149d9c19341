"""Sorts the messages of an append into partitions and encodes them. Runs on the producer's thread, without locks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from replicator.api.errors import BrokerError
from replicator.broker.embedded.batches import encode_batch
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.partitions import Partition
from replicator.broker.embedded.tail import Placed
from replicator.broker.message import NewMessage
from replicator.broker.partitioner import partition_for_key

# A group is read whole, so it is kept small; an append of more is several groups in one transaction.
_GROUP_MESSAGES: Final = 4096
_GROUP_BYTES: Final = 8 << 20

_topic_of = attrgetter("topic")
_ONLY_PARTITION: Final = {None, 0}


class Placement:
    """Places messages for one producer; remembers where its messages without a key go."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._sticky: dict[str, int] = {}

    def place(self, batch: Sequence[NewMessage], now: int) -> list[list[Placed]]:
        """Groups of encoded batches, in the order of the append."""
        groups: list[list[Placed]] = []
        for start in range(0, len(batch), _GROUP_MESSAGES):
            self._group(batch[start : start + _GROUP_MESSAGES], now, groups)
        return groups

    def _group(self, batch: Sequence[NewMessage], now: int, groups: list[list[Placed]]) -> None:
        placed = [
            Placed(partition, where[0], None if _follows(where) else where, held, encode_batch(held, now))
            for partition, (where, held) in self._sort(batch).items()
        ]
        if sum(p.encoded.raw for p in placed) > _GROUP_BYTES and len(batch) > 1:
            middle = len(batch) // 2
            self._group(batch[:middle], now, groups)
            self._group(batch[middle:], now, groups)
        else:
            groups.append(placed)

    def _sort(self, batch: Sequence[NewMessage]) -> dict[Partition, tuple[list[int], list[NewMessage]]]:
        found: dict[Partition, tuple[list[int], list[NewMessage]]] = {}
        at = 0
        for name, run in itertools.groupby(batch, _topic_of):
            partitions = self._log.topic(name).partitions
            held = list(run)
            if len(partitions) == 1 and {m.partition for m in held} <= _ONLY_PARTITION:
                where, into = found.setdefault(partitions[0], ([], []))
                where += range(at, at + len(held))
                into += held
            else:
                self._spread(name, partitions, held, at, found)
            at += len(held)
        return found

    def _spread(
        self,
        name: str,
        partitions: Sequence[Partition],
        held: Sequence[NewMessage],
        at: int,
        found: dict[Partition, tuple[list[int], list[NewMessage]]],
    ) -> None:
        count = len(partitions)
        # Messages without a key stay together for one append, then move on.
        sticky = self._sticky[name] = (self._sticky.get(name, -1) + 1) % count
        for index, message in enumerate(held, at):
            number = message.partition
            if number is None:
                number = sticky if message.key is None else partition_for_key(message.key, count)
            elif not 0 <= number < count:
                raise BrokerError(f"Topic {name} has {count} partitions, so there is no partition {number}.")
            where, into = found.setdefault(partitions[number], ([], []))
            where.append(index)
            into.append(message)


def _follows(where: Sequence[int]) -> bool:
    return where[-1] - where[0] == len(where) - 1
