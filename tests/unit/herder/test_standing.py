"""Who may write configurations: the leader of a settled round, one at a time; nobody waits with the lock in hand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from replicator.api.errors import RetriableError
from replicator.herder import standing
from replicator.herder.base import NotLeaderError, RefusedError
from replicator.herder.distributed import DistributedHerder
from replicator.herder.stages import Stages
from replicator.herder.standing import Standing


@dataclass
class Assigned:
    leader_url: str = "http://leader:1/"


@dataclass
class Round:
    leads: bool = True
    assignment: Assigned = field(default_factory=Assigned)


class Loop:
    def __init__(self) -> None:
        self.failure = None
        self.started = threading.Event()
        self.started.set()
        self.stages = Stages()
        self.round: Round | None = Round()
        self.changed = threading.Condition()

    def wait_settled(self, timeout: float) -> Round | None:
        with self.changed:
            self.changed.wait_for(lambda: self.round is not None, timeout)
            return self.round

    def settle(self, found: Round | None) -> None:
        with self.changed:
            self.round = found
            self.changed.notify_all()

    def wake(self) -> None:
        pass


@dataclass
class Duties:
    may_write: bool = True


def made(loop: Loop) -> Standing:
    fakes: Any = (loop, None, Duties())
    return Standing(*fakes)


def test_a_follower_does_not_write() -> None:
    loop = Loop()
    loop.settle(Round(leads=False))
    with pytest.raises(NotLeaderError) as refused, made(loop).leading():
        pass
    assert refused.value.forward_url == "http://leader:1/"


def test_a_starting_worker_does_not_write() -> None:
    loop = Loop()
    loop.started.clear()
    with pytest.raises(RefusedError) as refused, made(loop).leading():
        pass
    assert refused.value.status == 503


def test_a_round_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_SETTLE_SECONDS", 0.01)
    loop = Loop()
    loop.settle(None)
    with pytest.raises(RetriableError, match="Request timed out"), made(loop).leading():
        pass


def test_one_writes_at_a_time_and_the_next_looks_again() -> None:
    """A round that began, and ended with another leader, while others wrote: the next one does not write."""
    loop = Loop()
    place = made(loop)
    inside, refused = threading.Event(), threading.Event()

    def second() -> None:
        inside.wait(10)
        try:
            with place.leading():
                pass
        except NotLeaderError:
            refused.set()

    other = threading.Thread(target=second, daemon=True)
    other.start()
    with place.leading():
        inside.set()
        # Whether the other thread waits for the lock already, or comes later: it is not the leader then.
        loop.settle(Round(leads=False))
    other.join(10)
    assert refused.is_set()


def test_nobody_waits_for_a_round_with_the_lock_in_hand() -> None:
    loop = Loop()
    place = made(loop)
    loop.settle(None)
    wrote = threading.Event()

    def waiting() -> None:
        with place.leading():
            wrote.set()

    first = threading.Thread(target=waiting, daemon=True)
    first.start()
    assert place._writing.acquire(timeout=10)
    place._writing.release()
    assert not wrote.is_set()
    loop.settle(Round())
    first.join(10)
    assert wrote.is_set()


def test_a_start_that_found_no_broker_goes_on_with_the_next_try() -> None:
    """What can be started once only is started when all else has succeeded."""

    class Member:
        tries = 0

        def start(self, _: float) -> None:
            self.tries += 1
            if self.tries == 1:
                raise RetriableError("no broker answers")

    reports = threading.Thread(target=lambda: None)
    herder: Any = object.__new__(DistributedHerder)
    herder._open_stores, herder._member, herder._reports = (lambda: None), Member(), reports
    with pytest.raises(RetriableError):
        herder._startup()
    herder._startup()
    reports.join(10)
    assert reports.ident is not None
