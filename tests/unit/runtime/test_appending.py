"""Messages on their way into a log whose disk is full, or that refuses some of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from replicator.api.errors import DataError, DiskFullError, RetriableError
from replicator.broker.message import NewMessage
from replicator.runtime import appending
from replicator.runtime.appending import Appender
from replicator.runtime.clock import SystemClock
from replicator.runtime.contexts import SourceContext
from replicator.runtime.inflight import PartitionOffset
from replicator.runtime.stats import TaskStats

OFFSETS: list[PartitionOffset] = [({"p": 1}, {"n": 9})]


class SmallLog:
    """A log with room for some messages, emptied by `consume`."""

    def __init__(self, capacity: int, *, consume: bool = True) -> None:
        self.capacity, self.consume = capacity, consume
        self.held = 0
        self.room = threading.Event()
        self.appends: list[list[Any]] = []
        self.offsets: list[tuple[int, Sequence[PartitionOffset]]] = []
        self.refusals = 0

    def append(self, messages: list[NewMessage], offsets: Sequence[PartitionOffset]) -> None:
        if self.held + len(messages) > self.capacity:
            self.refusals += 1
            if self.consume:
                self.held = 0
                self.room.set()
            raise DiskFullError("no space", room=self.room)
        self.held += len(messages)
        self.appends.append([m.body for m in messages])
        if offsets:
            self.offsets.append((len(self.taken), offsets))

    @property
    def taken(self) -> list[Any]:
        return [body for append in self.appends for body in append]


class Progress:
    connector = "src"

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.warnings: list[list[str]] = []

    def progress(self, *, warnings: list[str]) -> None:
        self.warnings.append(warnings)


def appender(commits: Any, context: Any = None, refused: Any = None) -> Appender:
    clock = SystemClock()
    held: SourceContext = context or Progress()
    return Appender(
        commits, held, TaskStats(clock), clock, refused or (lambda *_: None), leave_out=refused is not None
    )


def some(count: int) -> list[NewMessage]:
    return [NewMessage("t", None, str(n).encode()) for n in range(count)]


def test_everything_is_one_append_with_its_offsets() -> None:
    log = SmallLog(100)
    appender(log).append(some(100), OFFSETS)
    assert [len(a) for a in log.appends] == [100]
    assert log.offsets == [(100, OFFSETS)]


def test_offsets_without_messages_are_appended_and_nothing_is_not() -> None:
    log = SmallLog(0)
    appender(log).append([], OFFSETS)
    appender(log).append([], [])
    assert (log.appends, log.offsets) == ([[]], [(0, OFFSETS)])


def test_what_does_not_fit_goes_in_pieces_in_order_and_the_offsets_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(appending, "_DISK_FULL_RETRY", 60.0)  # it is the event that ends each wait
    log, context = SmallLog(10), Progress()
    messages = some(100)
    appender(log, context).append(messages, OFFSETS)
    assert log.taken == [m.body for m in messages]
    assert log.offsets == [(100, OFFSETS)]
    assert len(log.appends) < 40  # pieces grow again
    assert context.warnings == []  # nobody needs to know of moments


def test_a_wait_is_told_and_ends_with_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "_DISK_FULL_RETRY", 60.0)
    monkeypatch.setattr(appending, "_WORTH_TELLING", 0.0)
    log, context = SmallLog(5, consume=False), Progress()
    log.held = 5
    thread = threading.Thread(target=appender(log, context).append, args=(some(5), OFFSETS))
    thread.start()
    while not context.warnings:
        thread.join(0.01)
    assert (context.warnings, log.refusals) == ([["no space"]], 1)
    log.held = 0
    log.room.set()
    thread.join(30)
    assert len(log.taken) == 5
    assert context.warnings == [["no space"], []]


def test_one_message_larger_than_the_room_is_not_tried_without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "_DISK_FULL_RETRY", 60.0)
    log, context = SmallLog(0), Progress()
    own = appender(log, context)

    def run() -> None:
        with pytest.raises(DiskFullError):
            own.append(some(1), OFFSETS)

    thread = threading.Thread(target=run)
    thread.start()
    while not context.warnings:
        thread.join(0.01)
    thread.join(0.2)
    assert log.refusals == 2
    context.stopping.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_refused_message_is_left_out_of_a_full_log_too() -> None:
    log = SmallLog(7)
    refused: list[Any] = []
    append = log.append

    def with_a_refusal(messages: list[NewMessage], offsets: Sequence[PartitionOffset]) -> None:
        if any(m.body == b"13" for m in messages):
            raise DataError("too large")
        append(messages, offsets)

    log.append = with_a_refusal  # type: ignore[method-assign]
    appender(log, refused=lambda error, message: refused.append(message.body)).append(some(30), OFFSETS)
    assert refused == [b"13"]
    assert log.taken == [str(n).encode() for n in range(30) if n != 13]
    assert log.offsets == [(29, OFFSETS)]


def test_an_append_to_repeat_ends_with_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Progress()

    class Busy:
        def append(self, messages: Any, offsets: Any) -> None:
            context.stopping.set()
            raise RetriableError("busy")

    with pytest.raises(RetriableError):
        appender(Busy(), context).append(some(1), OFFSETS)
