"""How the tests of a broker append and read: each step waits until it is done. The test's own thread."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence

import pytest

from replicator.api.record import TopicPartition
from replicator.broker.base import Consumer, Producer
from replicator.broker.message import Message, NewMessage

PATIENCE = 20.0


def append(producer: Producer, messages: Sequence[NewMessage]) -> None:
    """Append and wait for the acknowledgement."""
    done = threading.Event()
    failed: list[Exception] = []

    def on_done(error: Exception | None) -> None:
        if error is not None:
            failed.append(error)
        done.set()

    producer.append(messages, on_done)
    assert done.wait(PATIENCE), "the append was never acknowledged"
    if failed:
        raise failed[0]


def read(consumer: Consumer, count: int, patience: float = PATIENCE) -> list[Message]:
    """Poll until `count` messages came."""
    found: list[Message] = []
    deadline = time.monotonic() + patience
    while len(found) < count and time.monotonic() < deadline:
        found += consumer.poll(count - len(found), 0.2)
    assert len(found) == count, f"{len(found)} of {count} messages came"
    return found


def nothing_comes(consumer: Consumer, seconds: float = 0.4) -> None:
    """Fail when a message comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert [m.value for m in consumer.poll(10, 0.1)] == []


class Recorder:
    """A rebalance listener that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, set[TopicPartition]]] = []
        self.threads: set[int] = set()

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions were added."""
        self._note("assigned", partitions)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions are about to go."""
        self._note("revoked", partitions)

    def _note(self, what: str, partitions: Sequence[TopicPartition]) -> None:
        self.events.append((what, set(partitions)))
        self.threads.add(threading.get_ident())


class BrokerTests:
    """Fixtures of all parts of the contract; `broker` is the implementation's."""

    @pytest.fixture
    def topic(self) -> str:
        """A fresh topic name."""
        return f"t-{uuid.uuid4().hex[:8]}"

    @pytest.fixture
    def group(self) -> str:
        """A fresh group name."""
        return f"g-{uuid.uuid4().hex[:8]}"
