"""When a producer waits for a consumer of the embedded log, and when it does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from replicator.broker.embedded import following
from replicator.broker.embedded.following import LEAD, REACH, Follower

LONG = 30.0


def in_background(call: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def seconds(call: Callable[[], None]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


@pytest.fixture
def follower(monkeypatch: pytest.MonkeyPatch) -> Follower:
    """One whose producer would wait for long."""
    monkeypatch.setattr(following, "PATIENCE", LONG)
    return Follower()


def test_nobody_waits_for_a_consumer_that_never_read(follower: Follower) -> None:
    assert seconds(lambda: follower.wait(10 * LEAD)) < LONG / 2


def test_a_new_consumer_is_waited_for_until_it_reads(follower: Follower) -> None:
    follower.expect(LEAD)
    assert seconds(lambda: follower.wait(2 * LEAD)) < LONG / 2  # not further behind than others may be
    waiting = in_background(lambda: follower.wait(3 * LEAD))
    waiting.join(0.2)
    assert waiting.is_alive()
    follower.moved(3 * LEAD, 3 * LEAD)
    waiting.join(LONG / 2)
    assert not waiting.is_alive()
    assert follower.keeps_up


def test_a_new_consumer_that_has_old_messages_to_read_is_not_waited_for(follower: Follower) -> None:
    follower.expect(0)
    waiting = in_background(lambda: follower.wait(2 * LEAD))
    follower.fell_behind()
    waiting.join(LONG / 2)
    assert not waiting.is_alive()
    assert seconds(lambda: follower.wait(3 * LEAD)) < LONG / 2


def test_a_new_consumer_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE", 0.01)
    follower = Follower()
    follower.expect(0)
    follower.wait(2 * LEAD)
    monkeypatch.setattr(following, "PATIENCE", LONG)
    assert seconds(lambda: follower.wait(2 * LEAD)) < LONG / 2


def test_a_slow_consumer_is_not_waited_for_until_it_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE", 0.01)
    follower = Follower()
    follower.moved(0, 0)
    follower.wait(2 * LEAD)
    assert not follower.keeps_up
    follower.moved(LEAD, 3 * LEAD)  # moves, and is not near: others that were held up would count
    assert not follower.keeps_up
    follower.moved(3 * LEAD, 3 * LEAD)
    assert follower.keeps_up


def test_a_consumer_that_was_held_up_is_waited_for_when_it_moves(follower: Follower) -> None:
    follower.moved(0, REACH)
    assert follower.keeps_up
    waiting = in_background(lambda: follower.wait(REACH))
    waiting.join(0.2)
    assert waiting.is_alive()
    follower.moved(REACH, REACH)
    waiting.join(LONG / 2)
    assert not waiting.is_alive()
