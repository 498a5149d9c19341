"""Reads a few records of a topic, forwards or the last ones, within a time limit. Belongs to the calling thread."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from replicator.api.record import TopicPartition
from replicator.broker.base import Broker
from replicator.broker.message import Message
from replicator.rest.browse_decoding import Decoder
from replicator.rest.browse_registry import RegistryReader

_BATCH: Final = 200
_POLL: Final = 0.7
_SEARCHED: Final = 5000
"""Records of a partition that a search of the newest looks at."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted.

    Attributes:
        begins, ends: bounds of the partitions to read.
        starts: where to read on from; None: the last records.
        before: the last records before these offsets; None: the newest.
        limit: number of records.
        contains: text that key, value or headers must contain, in any case.
        form: see `Decoder`.
        size: bytes of a key or value that are shown.
        seconds: for how long to read at most.
    """

    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    starts: Mapping[TopicPartition, int] | None
    before: Mapping[TopicPartition, int] | None
    limit: int
    contains: str
    form: str
    size: int
    seconds: float


class RecordReader:
    """See the module."""

    def __init__(self, broker: Broker, registry: Mapping[str, Any]) -> None:
        self._broker = broker
        self._options = registry

    def read(self, request: Request) -> dict[str, Any]:
        """Records with the bounds, and where to go on in both directions.

        Raises:
            ConnectError: the broker does not deliver them.
        """
        if request.starts is not None:
            found, first, then, whole, seen = self._forwards(request, dict(request.starts))
        else:
            found, first, then, whole, seen = self._backwards(request)
        with closing(RegistryReader(self._options)) as registry:
            decoder = Decoder(
                request.form, request.size, registry if request.form in ("auto", "json") else None
            )
            records = [decoder.record(message) for message in found]
        return {
            "records": records,
            "begin": _by_number(request.begins),
            "end": _by_number(request.ends),
            "first": _by_number(first),
            "next": _by_number(then),
            "complete": whole,
            "searched": seen,
        }

    def _forwards(
        self, request: Request, starts: dict[TopicPartition, int]
    ) -> tuple[list[Message], dict[TopicPartition, int], dict[TopicPartition, int], bool, int]:
        reading = _Reading(self._broker, starts, request.ends, request.seconds)
        then, found, seen = dict(starts), [], 0
        for message in reading:
            seen += 1
            then[TopicPartition(message.topic, message.partition)] = message.offset + 1
            if _contains(message, request.contains):
                found.append(message)
                if len(found) == request.limit:
                    break
        return found, starts, then, reading.whole or len(found) == request.limit, seen

    def _backwards(
        self, request: Request
    ) -> tuple[list[Message], dict[TopicPartition, int], dict[TopicPartition, int], bool, int]:
        before = dict(request.before if request.before is not None else request.ends)
        depth = _SEARCHED if request.contains else request.limit
        starts = {p: max(request.begins[p], end - depth) for p, end in before.items()}
        reading = _Reading(self._broker, starts, before, request.seconds)
        columns: dict[TopicPartition, list[Message]] = {p: [] for p in before}
        reached, seen = dict(starts), 0
        for message in reading:
            seen += 1
            place = TopicPartition(message.topic, message.partition)
            reached[place] = message.offset + 1
            if _contains(message, request.contains):
                columns[place].append(message)
        first = dict(starts) if request.contains else dict(before)
        found: list[Message] = []
        while len(found) < request.limit and any(columns.values()):
            # The newest of what the partitions end with: what is left out is a beginning of each.
            place = max((p for p in columns if columns[p]), key=lambda p: columns[p][-1].timestamp)
            found.append(columns[place].pop())
            first[place] = found[-1].offset
        for place in columns:
            if not columns[place] and reading.whole:
                first[place] = starts[place]  # nothing is left of what was read
        return found[::-1], first, before if reading.whole else reached, reading.whole, seen


class _Reading:
    """Iterates over messages between offsets until all are read or the time is over; then `whole` tells which."""

    def __init__(
        self,
        broker: Broker,
        starts: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        seconds: float,
    ) -> None:
        self._broker = broker
        self._starts = starts
        self._ends = ends
        self._deadline = time.monotonic() + seconds
        self.whole = False

    def __iter__(self) -> Iterator[Message]:
        left = {p for p, start in self._starts.items() if start < self._ends[p]}
        if not left:
            self.whole = True
            return
        with closing(self._broker.consumer("replicator-record-browser")) as consumer:
            consumer.assign(sorted(left))
            for place in left:
                consumer.seek(place, self._starts[place])
            begun = False
            while left and (wait := self._deadline - time.monotonic()) > 0:
                messages = consumer.poll(_BATCH, min(wait, _POLL))
                if begun and not messages:
                    break  # what is missing are marks of transactions, or compacted away
                begun = begun or bool(messages)
                for message in messages:
                    if message.offset < self._ends[TopicPartition(message.topic, message.partition)]:
                        yield message
                left = {p for p in left if consumer.position(p) < self._ends[p]}
            self.whole = not left or (begun and time.monotonic() < self._deadline)


def _contains(message: Message, wanted: str) -> bool:
    if not wanted:
        return True
    sought = wanted.lower().encode()
    parts = [message.key, message.value, *(value for _, value in message.headers or ())]
    return any(part is not None and sought in part.lower() for part in parts)


def _by_number(places: Mapping[TopicPartition, int]) -> dict[str, int]:
    return {str(p.partition): offset for p, offset in sorted(places.items())}
