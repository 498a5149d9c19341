"""The topic log delivers everything once, in order, and says when it has reached the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from replicator.api import ConnectError, IllegalStateError, RetriableError
from replicator.broker import topic_log
from replicator.broker.admin import NewTopic, TopicDescription
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import Message, NewMessage
from replicator.broker.topic_log import TopicLog

TOPIC = NewTopic("log", 3, config={"cleanup.policy": "compact"})


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(":memory:", maintenance=False) as opened:
        yield opened


def opened(broker: Any, on_record: Callable[[Message], None], follow: bool = True) -> TopicLog:
    log = TopicLog(broker, TOPIC, on_record, client_id="test", follow=follow)
    log.start()
    return log


@pytest.mark.parametrize("follow", [True, False])
def test_start_reads_what_is_there(broker: EmbeddedBroker, follow: bool) -> None:
    broker.admin().create_topics([TOPIC])
    broker.producer("p").append([NewMessage("log", b"%d" % n, b"v") for n in range(50)])
    seen: list[Message] = []
    log = opened(broker, seen.append, follow)
    assert sorted(int(m.key or b"") for m in seen) == list(range(50))
    log.stop()


@pytest.mark.parametrize("follow", [True, False])
def test_what_was_appended_is_seen_after_waiting(broker: EmbeddedBroker, follow: bool) -> None:
    seen: dict[bytes | None, bytes | None] = {}
    log = opened(broker, lambda m: seen.__setitem__(m.key, m.value), follow)
    log.append([(b"a", b"1")])
    log.read_to_end()
    assert seen == {b"a": b"1"}
    log.append([(b"b", b"2"), (b"a", None)])
    log.read_to_end()
    assert seen == {b"a": None, b"b": b"2"}
    log.stop()


def test_others_are_followed(broker: EmbeddedBroker) -> None:
    seen: list[bytes | None] = []
    log = opened(broker, lambda m: seen.append(m.value))
    broker.producer("p").append([NewMessage("log", b"k", b"x")])
    deadline = time.monotonic() + 5
    while not seen:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert seen == [b"x"]
    log.stop()


def test_reading_to_the_end_of_an_idle_log_is_quick(broker: EmbeddedBroker) -> None:
    log = opened(broker, lambda _: None)
    started = time.monotonic()
    for _ in range(20):
        log.read_to_end()
    assert time.monotonic() - started < 1
    log.stop()


def test_a_slow_reader_is_told(broker: EmbeddedBroker) -> None:
    log = opened(broker, lambda _: time.sleep(0.3))
    log.append([(b"k", b"v")])
    with pytest.raises(RetriableError, match="to its end"):
        log.read_to_end(0.05)
    log.stop()


def test_a_failing_callback_is_not_silent(broker: EmbeddedBroker) -> None:
    def fail(_: Message) -> None:
        raise ValueError("bad record")

    log = opened(broker, fail)
    with pytest.raises(ConnectError, match="bad record"):
        log.append([(b"k", b"v")])
        log.read_to_end(5)
    log.stop()


class LateAdmin:
    """Somebody else has just created the topic: creating it says so, but the broker asked does not list it yet."""

    def __init__(self, admin: Any, misses: int) -> None:
        self._admin = admin
        self.misses = misses

    def topics(self) -> dict[str, TopicDescription]:
        self.misses -= 1
        return {} if self.misses >= 0 else self._admin.topics()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._admin, name)


class LateBroker:
    def __init__(self, broker: EmbeddedBroker, misses: int) -> None:
        self._broker = broker
        self._late = LateAdmin(broker.admin(), misses)

    def admin(self) -> LateAdmin:
        return self._late

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def test_a_topic_that_another_worker_has_just_made_is_waited_for(broker: EmbeddedBroker) -> None:
    """Else the log would have no partitions, and never see anything."""
    seen: list[bytes | None] = []
    log = opened(LateBroker(broker, 2), lambda m: seen.append(m.value))
    log.append([(b"k", b"x")])
    log.read_to_end()
    assert seen == [b"x"]
    log.stop()


def test_a_start_that_failed_can_be_made_again(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_log, "_VISIBLE_SECONDS", 0.0)
    seen: list[bytes | None] = []
    log = TopicLog(LateBroker(broker, 1), TOPIC, lambda m: seen.append(m.value), client_id="test")
    with pytest.raises(RetriableError, match="look up the partitions of log"):
        log.start()
    with pytest.raises(IllegalStateError, match="not open"):
        log.append([(b"k", b"x")])
    log.start()
    log.append([(b"k", b"x")])
    log.read_to_end()
    assert seen == [b"x"]
    log.stop()


class FirstConsumerStops:
    """A broker whose first consumer reads nothing any more once `stopped` is set."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.consumers: list[Any] = []
        self.stopped = False
        self._broker = broker

    def consumer(self, *args: Any, **options: Any) -> Any:
        made = self._broker.consumer(*args, **options)
        if not self.consumers:
            poll = made.poll
            made.poll = lambda *limits: [] if self.stopped else poll(*limits)  # type: ignore[method-assign]
        self.consumers.append(made)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def test_a_consumer_that_does_not_come_on_is_replaced(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_log, "_STUCK_SECONDS", 0.1)
    seen: dict[bytes | None, bytes | None] = {}
    watched = FirstConsumerStops(broker)
    log = opened(watched, lambda m: seen.__setitem__(m.key, m.value), follow=False)
    watched.stopped = True
    log.append([(b"a", b"1")])
    log.read_to_end()
    assert seen == {b"a": b"1"}
    log.append([(b"b", b"2")])
    log.read_to_end()
    assert seen == {b"a": b"1", b"b": b"2"}
    assert len(watched.consumers) == 2, "the second one went on"
    log.stop()


class OpenTransaction:
    """A broker with a transaction that nobody ends: there is more than a reader of committed data gets to see."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker

    def admin(self) -> Any:
        return self

    def end_offsets(self, partitions: Any) -> Any:
        return {tp: end + 2 for tp, end in self.next_committed(partitions).items()}

    def next_committed(self, partitions: Any) -> Any:
        return self._broker.admin().end_offsets(partitions)

    def __getattr__(self, name: str) -> Any:
        owner = self._broker if hasattr(self._broker, name) else self._broker.admin()
        return getattr(owner, name)


@pytest.mark.timeout(20)
def test_a_start_waits_for_no_open_transaction(broker: EmbeddedBroker) -> None:
    broker.admin().create_topics([TOPIC])
    broker.producer("p").append([NewMessage("log", b"k", b"v")])
    seen: list[bytes | None] = []
    log = opened(OpenTransaction(broker), lambda m: seen.append(m.value), follow=False)
    assert seen == [b"v"]
    with pytest.raises(RetriableError, match="to its end"):
        log.read_to_end(timeout=0.2)
    log.stop()
