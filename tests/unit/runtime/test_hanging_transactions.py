"""Offsets that cannot be read because a transaction never ends: it is ended, once, by one that is aborted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from replicator.api.errors import RetriableError
from replicator.broker.admin import Admin
from replicator.broker.base import Producer
from replicator.broker.message import NewMessage
from replicator.runtime.exactly_once import reading
from replicator.storage.base import OffsetStore

STORED = {"at": 7}


class Stuck:
    """Store and producer in one: reads fail until a transaction was aborted in every partition."""

    def __init__(self, *, ends: bool) -> None:
        self.calls: list[object] = []
        self._ends = ends

    def read(self, connector: str, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        self.calls.append("read")
        if self._ends and "abort" in self.calls:
            return STORED
        raise RetriableError("Could not read the offsets to their end in time.")

    def begin_transaction(self) -> None:
        self.calls.append("begin")

    def append(self, batch: Sequence[NewMessage], on_done: Callable[..., None] | None = None) -> None:
        self.calls.append([(m.topic, m.partition) for m in batch])

    def sync(self, timeout: float) -> bool:
        self.calls.append("sync")
        return True

    def abort_transaction(self) -> None:
        self.calls.append("abort")


def reader(stuck: Stuck) -> Callable[[str, Mapping[str, Any]], dict[str, Any] | None]:
    admin = SimpleNamespace(topics=lambda: {"offsets": SimpleNamespace(partitions=3)})
    return reading(cast(OffsetStore, stuck), cast(Producer, stuck), "offsets", cast(Admin, admin))


def test_what_hangs_is_aborted_in_every_partition() -> None:
    stuck = Stuck(ends=True)
    read = reader(stuck)
    assert read("c", {}) == STORED
    everywhere = [("offsets", 0), ("offsets", 1), ("offsets", 2)]
    assert stuck.calls == ["read", "begin", everywhere, "sync", "abort", "read"]


def test_it_is_tried_once_in_a_run() -> None:
    stuck = Stuck(ends=False)
    read = reader(stuck)
    for _ in range(2):
        with pytest.raises(RetriableError):
            read("c", {})
    assert stuck.calls.count("abort") == 1
