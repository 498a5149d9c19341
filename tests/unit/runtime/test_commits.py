"""Source offsets: contiguous acknowledgements, durability before commit, failures of the store."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from replicator.api.errors import BrokerError, ConnectError
from replicator.broker.message import NewMessage
from replicator.runtime.commits import AtomicCommit, PeriodicCommit
from replicator.runtime.inflight import Inflight

P, Q = {"p": 1}, {"p": 2}
ONE = [NewMessage("t", None, b"x")]


class Store:
    """Offset store that writes down what happens, in order."""

    def __init__(self, events: list[Any]) -> None:
        self.events = events
        self.fail = False

    def messages(self, connector: str, offsets: Sequence[Any]) -> list[NewMessage]:
        return [NewMessage("connect-offsets", None, repr(o).encode()) for o in offsets]

    def observe(self, connector: str, offsets: Sequence[Any]) -> None:
        self.events.append(("observe", list(offsets)))

    def write(self, connector: str, offsets: Sequence[Any]) -> None:
        if self.fail:
            raise BrokerError("no")
        self.events.append(("write", list(offsets)))


class Producer:
    """Producer whose acknowledgements the test gives."""

    atomic = True

    def __init__(self, events: list[Any]) -> None:
        self.events = events
        self.callbacks: list[Callable[[Exception | None], None]] = []
        self.synced = True
        self.fail = False

    def append(self, batch: Sequence[NewMessage], on_done: Any = None) -> None:
        if self.fail:
            raise BrokerError("refused")
        self.events.append(("append", [m.topic for m in batch]))
        if on_done is not None:
            self.callbacks.append(on_done)

    def sync(self, timeout: float) -> bool:
        self.events.append("sync")
        return self.synced


def atomic() -> tuple[AtomicCommit, Producer, list[Any]]:
    events: list[Any] = []
    producer = Producer(events)
    return AtomicCommit("c-0", "c", producer, Store(events), 3600, 1), producer, events  # type: ignore[arg-type]


def periodic() -> tuple[PeriodicCommit, Producer, Store, list[Any]]:
    events: list[Any] = []
    producer, store = Producer(events), Store(events)
    return PeriodicCommit("c-0", "c", producer, store, 3600, 0.01), producer, store, events  # type: ignore[arg-type]


def test_atomic_appends_once_and_commits_only_after_sync() -> None:
    commits, _, events = atomic()
    commits.append(ONE, [(P, {"n": 1})])
    commits.append(ONE, [(P, {"n": 2}), (Q, {"n": 1})])
    assert commits.take_durable() == []
    assert "sync" not in events
    assert commits._thread.flush()
    assert commits.take_durable() == [(P, {"n": 2}), (Q, {"n": 1})]
    assert commits.take_durable() == []
    assert events[0] == ("append", ["t", "connect-offsets"])


def test_what_is_appended_during_a_sync_waits_for_the_next() -> None:
    commits, producer, _ = atomic()
    commits.append(ONE, [(P, {"n": 1})])

    def sync(timeout: float) -> bool:
        commits.append(ONE, [(P, {"n": 2})])
        return True

    producer.sync = sync  # type: ignore[method-assign]
    commits._thread.flush()
    assert commits.take_durable() == [(P, {"n": 1})]


def test_a_failed_sync_keeps_the_newest() -> None:
    commits, producer, _ = atomic()
    producer.synced = False
    commits.append(ONE, [(P, {"n": 1}), (Q, {"n": 1})])
    assert not commits._thread.flush()
    commits.append(ONE, [(P, {"n": 2})])
    assert commits.take_durable() == []
    producer.synced = True
    assert commits.close(1) == [(P, {"n": 2}), (Q, {"n": 1})]


def test_nothing_new_costs_no_sync() -> None:
    commits, _, events = atomic()
    commits.append([], [])
    assert commits._thread.flush()
    assert events == []


def test_a_refused_append_leaves_no_offset() -> None:
    commits, producer, events = atomic()
    producer.fail = True
    with pytest.raises(BrokerError):
        commits.append(ONE, [(P, {"n": 1})])
    assert commits.close(1) == []
    assert events == []


def test_periodic_syncs_records_before_offsets() -> None:
    commits, producer, _, events = periodic()
    commits.append(ONE, [(P, {"n": 1})])
    assert commits.close(0.01) == []
    assert events == [("append", ["t"])]
    producer.callbacks[0](None)
    assert commits.close(0.01) == [(P, {"n": 1})]
    assert events == [("append", ["t"]), "sync", ("write", [(P, {"n": 1})])]


def test_periodic_offsets_stay_when_the_store_fails() -> None:
    commits, producer, store, _ = periodic()
    store.fail = True
    commits.append(ONE, [(P, {"n": 1})])
    producer.callbacks[0](None)
    with pytest.raises(BrokerError):
        commits.close(0.01)
    store.fail = False
    assert commits.close(0.01) == [(P, {"n": 1})]


def test_periodic_offset_only_batches_wait_for_those_before() -> None:
    commits, producer, _, _ = periodic()
    commits.append(ONE, [(P, {"n": 1})])
    commits.append([], [(P, {"n": 2})])
    assert commits.close(0.01) == []
    producer.callbacks[0](None)
    assert commits.close(0.01) == [(P, {"n": 2})]


def test_a_refusal_by_the_broker_fails_the_next_call() -> None:
    commits, producer, _, _ = periodic()
    commits.append(ONE, [(P, {"n": 1})])
    producer.callbacks[0](BrokerError("too large"))
    with pytest.raises(ConnectError, match="producer send callback"):
        commits.take_durable()
    assert commits.close(0.01) == []


@pytest.mark.parametrize("seed", range(20))
def test_only_the_acknowledged_beginning_may_be_stored(seed: int) -> None:
    chance = random.Random(seed)
    inflight = Inflight()
    batches = [inflight.add([(P, {"n": n})]) for n in range(30)]
    order = list(range(30))
    chance.shuffle(order)
    acked: set[int] = set()
    seen: list[int] = []
    for number in order:
        batches[number].acknowledged(None)
        acked.add(number)
        seen += [offset["n"] for _, offset in inflight.take()]
        prefix = next(n for n in range(31) if n not in acked)
        assert seen == list(range(prefix))
    assert inflight.wait_empty(0)


def test_nothing_behind_a_refused_batch_may_be_stored() -> None:
    inflight = Inflight()
    first, second = inflight.add([(P, {"n": 1})]), inflight.add([(P, {"n": 2})])
    first.acknowledged(BrokerError("no"))
    second.acknowledged(None)
    assert inflight.take() == []
    assert inflight.error is not None
