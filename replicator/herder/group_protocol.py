"""Bytes of Connect's group protocol: what workers tell each other through Kafka's group coordinator. Pure.

Version 0 is `default` (eager), 1 `compatible` (incremental cooperative), 2 `sessioned` (the same with signed requests
between workers). Layouts and the order of members are Kafka Connect's, so that Java workers may be in the group (D3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from replicator.api.errors import DataError
from replicator.herder.views import TaskId
from replicator.herder.work import NOTHING, Work

PROTOCOL_TYPE: Final = "connect"
EAGER, COMPATIBLE, SESSIONED = "eager", "compatible", "sessioned"
VERSIONS: Final = {"default": 0, "compatible": 1, "sessioned": 2}
"""Version by name of the sub-protocol."""

OFFERED: Final = {
    SESSIONED: ("sessioned", "compatible", "default"),
    COMPATIBLE: ("compatible", "default"),
    EAGER: ("default",),
}
"""Sub-protocols that a worker offers, the preferred one first, by its option `connect.protocol`."""

NO_ERROR: Final = 0
CONFIG_MISMATCH: Final = 1
_CONNECTOR: Final = -1


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the leader gave one worker.

    Attributes:
        version: of the protocol.
        error: CONFIG_MISMATCH when the leader could not assign.
        leader: member id of the leader.
        leader_url: its REST address.
        offset: position in the config topic the assignment was made from.
        assigned: newly assigned work (cooperative), or all of it (eager).
        revoked: work to stop (cooperative only).
        delay: milliseconds after which to rejoin; 0 for none.
    """

    version: int
    error: int
    leader: str
    leader_url: str
    offset: int
    assigned: Work = NOTHING
    revoked: Work = NOTHING
    delay: int = 0

    @property
    def failed(self) -> bool:
        """Whether nothing was assigned because configurations differ."""
        return self.error != NO_ERROR


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a worker says of itself when it joins. `held` is its present assignment (None with eager)."""

    url: str
    offset: int
    held: Assignment | None = None

    @property
    def work(self) -> Work:
        """What it runs."""
        return self.held.assigned if self.held is not None else NOTHING


def encode_state(version: int, state: WorkerState) -> bytes:
    """Metadata of a member."""
    head = struct.pack("!h", version) + _string(state.url) + struct.pack("!q", state.offset)
    if version == 0:
        return head
    if state.held is None:
        return head + struct.pack("!i", -1)
    held = encode_assignment(version, state.held)
    return head + struct.pack("!i", len(held)) + held


def decode_state(data: bytes) -> WorkerState:
    """Metadata of a member.

    Raises:
        DataError: the bytes have another form.
    """
    try:
        reader = _Reader(data)
        version = reader.int16()
        url, offset = reader.string(), reader.int64()
        size = reader.int32() if version >= 1 else -1
        held = decode_assignment(reader.take(size)) if size > 0 else None
    except (struct.error, UnicodeDecodeError) as error:
        raise DataError(f"A member of the group sent metadata that cannot be read: {error}") from error
    return WorkerState(url, offset, held)


def encode_assignment(version: int, given: Assignment) -> bytes:
    """An assignment."""
    data = struct.pack("!hh", version, given.error) + _string(given.leader) + _string(given.leader_url)
    data += struct.pack("!q", given.offset) + _work(given.assigned)
    if version >= 1:
        data += _work(given.revoked) + struct.pack("!i", given.delay)
    return data


def decode_assignment(data: bytes) -> Assignment:
    """An assignment.

    Raises:
        DataError: the bytes have another form.
    """
    try:
        reader = _Reader(data)
        version, error = reader.int16(), reader.int16()
        leader, url, offset = reader.string(), reader.string(), reader.int64()
        assigned = reader.work()
        revoked, delay = (reader.work(), reader.int32()) if version >= 1 else (NOTHING, 0)
    except (struct.error, UnicodeDecodeError) as error_:
        raise DataError(f"The leader sent an assignment that cannot be read: {error_}") from error_
    return Assignment(version, error, leader, url, offset, assigned, revoked, delay)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!h", len(data)) + data


def _work(given: Work) -> bytes:
    numbers: dict[str, list[int]] = {name: [_CONNECTOR] for name in sorted(given.connectors)}
    for name, task in sorted(given.tasks):
        numbers.setdefault(name, []).append(task)
    data = struct.pack("!i", len(numbers))
    return data + b"".join(_string(name) + _numbers(found) for name, found in numbers.items())


def _numbers(numbers: Iterable[int]) -> bytes:
    listed = list(numbers)
    return struct.pack(f"!i{len(listed)}i", len(listed), *listed)


class _Reader:
    """Reads Kafka's primitive types one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Raw bytes."""
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise struct.error(f"{size} bytes expected, {len(found)} found")
        self._at += size
        return found

    def int16(self) -> int:
        return int(struct.unpack("!h", self.take(2))[0])

    def int32(self) -> int:
        return int(struct.unpack("!i", self.take(4))[0])

    def int64(self) -> int:
        return int(struct.unpack("!q", self.take(8))[0])

    def string(self) -> str:
        return self.take(max(0, self.int16())).decode()

    def work(self) -> Work:
        connectors: set[str] = set()
        tasks: set[TaskId] = set()
        for _ in range(max(0, self.int32())):
            name = self.string()
            for _ in range(max(0, self.int32())):
                number = self.int32()
                if number == _CONNECTOR:
                    connectors.add(name)
                else:
                    tasks.add(TaskId(name, number))
        return Work(frozenset(connectors), frozenset(tasks))
