"""Transaction boundaries of exactly-once sources, on the embedded broker's transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from replicator.api.errors import BrokerError, DiskFullError, RetriableError
from replicator.api.record import SourceRecord, TopicPartition
from replicator.broker.embedded import EmbeddedBroker
from replicator.broker.message import NewMessage
from replicator.runtime.source_records import newest_offsets
from replicator.runtime.transactions import (
    CONNECTOR,
    INTERVAL,
    POLL,
    TransactionalCommit,
    TransactionLetters,
    TransactionRequests,
)
from replicator.storage.offset_store import TopicOffsetStore
from replicator.testing.clock import ManualClock

DATA = TopicPartition("data", 0)
PARTITION = {"p": 1}


class Rig:
    """A strategy, and what readers see."""

    def __init__(self, broker: EmbeddedBroker, boundary: str = POLL, interval: float = 10.0) -> None:
        self.broker = broker
        self.clock = ManualClock()
        self.store = TopicOffsetStore(broker, "offsets", partitions=1)
        self.store.start()
        self.requests = TransactionRequests() if boundary == CONNECTOR else None
        self.producer = broker.producer("p", transactional_id="x")
        self.commits = TransactionalCommit(
            "c",
            self.producer,
            self.store,
            self.clock,
            boundary=boundary,
            interval=interval,
            requests=self.requests,
        )
        self.consumer = broker.consumer("reader")
        self.consumer.assign([DATA])
        self.seen: list[int] = []

    def records(self, *numbers: int) -> list[SourceRecord]:
        return [SourceRecord(PARTITION, {"at": n}, "data", None, None, None, None, n) for n in numbers]

    def deliver(self, records: Sequence[SourceRecord]) -> None:
        for part in self.commits.parts(records):
            messages = [NewMessage("data", None, str(r.value).encode()) for r in part]
            self.commits.append(messages, newest_offsets(part))

    def visible(self) -> list[int]:
        while found := self.consumer.poll(100, 0):
            self.seen += [int(m.value or b"") for m in found]
        return self.seen

    def stored(self) -> int | None:
        found = self.store.read("c", PARTITION)
        return None if found is None else found["at"]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(":memory:") as opened:
        yield opened


def test_each_batch_is_a_transaction(broker: EmbeddedBroker) -> None:
    rig = Rig(broker)
    rig.deliver(rig.records(1, 2))
    assert (rig.visible(), rig.stored()) == ([1, 2], 2)


def test_the_source_hears_of_offsets_when_a_later_transaction_was_committed(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A broker that is killed after its answer may never write the marks of the transaction.
    rig = Rig(broker)
    rig.deliver(rig.records(1))
    assert rig.commits.take_durable() == []
    rig.deliver(rig.records(2))
    assert rig.commits.take_durable() == [(PARTITION, {"at": 1})]
    assert rig.commits.take_durable() == []
    rig.clock.advance(1)  # nothing more comes: the same offsets are committed again
    assert rig.commits.take_durable() == [(PARTITION, {"at": 2})]
    rig.clock.advance(1000)
    assert rig.commits.take_durable() == []
    rig.deliver(rig.records(3))

    def refuse() -> None:
        raise BrokerError("refused")

    monkeypatch.setattr(rig.producer, "commit_transaction", refuse)
    rig.clock.advance(1)
    with pytest.raises(BrokerError):
        rig.commits.take_durable()
    assert rig.commits.take_durable() == []
    assert rig.commits.close(1) == []


def test_an_interval_ends_with_time_or_pause_or_the_task(broker: EmbeddedBroker) -> None:
    rig = Rig(broker, INTERVAL)
    rig.deliver(rig.records(1))
    rig.clock.advance(9)
    rig.deliver(rig.records(2))
    assert (rig.visible(), rig.stored()) == ([], None)
    rig.clock.advance(2)
    assert rig.commits.take_durable() == []
    assert (rig.visible(), rig.stored()) == ([1, 2], 2)
    rig.deliver(rig.records(3))
    rig.commits.pause()
    assert (rig.visible(), rig.stored()) == ([1, 2, 3], 3)
    rig.deliver(rig.records(4))
    assert rig.visible() == [1, 2, 3]
    assert rig.commits.close(1) == [(PARTITION, {"at": 4})]
    assert (rig.visible(), rig.stored()) == ([1, 2, 3, 4], 4)


def test_a_connector_commits_by_batch_and_by_record(broker: EmbeddedBroker) -> None:
    rig = Rig(broker, CONNECTOR)
    assert rig.requests is not None
    rig.deliver(rig.records(1))
    rig.clock.advance(1000)
    rig.commits.pause()
    assert (rig.visible(), rig.commits.take_durable()) == ([], [])
    batch = rig.records(2, 3, 4)
    rig.requests.commit_transaction(batch[1])
    rig.deliver(batch)
    assert (rig.visible(), rig.stored()) == ([1, 2, 3], 3)
    rig.requests.commit_transaction()
    rig.deliver(rig.records(5))
    assert (rig.visible(), rig.stored()) == ([1, 2, 3, 4, 5], 5)


def test_what_a_connector_aborts_is_skipped(broker: EmbeddedBroker) -> None:
    rig = Rig(broker, CONNECTOR)
    assert rig.requests is not None
    batch = rig.records(1, 2, 3)
    rig.requests.abort_transaction(batch[1])
    rig.deliver(batch)
    assert (rig.visible(), rig.stored()) == ([], None)
    rig.requests.abort_transaction()
    rig.deliver(rig.records(4))
    assert (rig.visible(), rig.stored()) == ([], None)
    rig.requests.commit_transaction()
    rig.deliver([])
    assert (rig.visible(), rig.stored()) == ([], 4)
    rig.requests.abort_transaction()
    rig.deliver([])
    assert (rig.visible(), rig.stored()) == ([], 4)


def test_an_unfinished_transaction_of_a_connector_is_dropped_at_the_end(broker: EmbeddedBroker) -> None:
    rig = Rig(broker, CONNECTOR)
    rig.deliver(rig.records(1))
    assert rig.commits.close(1) == []
    rig.producer.close()
    assert (rig.visible(), rig.stored()) == ([], None)


def test_nothing_is_committed_after_a_failure(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(broker, INTERVAL)
    rig.deliver(rig.records(1))

    def refuse(*_: object) -> None:
        raise BrokerError("refused")

    with monkeypatch.context() as patched:
        patched.setattr(rig.producer, "append", refuse)
        with pytest.raises(BrokerError):
            rig.deliver(rig.records(2))
    rig.clock.advance(1000)
    assert rig.commits.take_durable() == []
    assert rig.commits.close(1) == []
    rig.producer.close()
    assert (rig.visible(), rig.stored()) == ([], None)


@pytest.mark.parametrize("error", [RetriableError("later"), DiskFullError("no space")])
def test_an_append_that_can_be_made_again_fails_nothing(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    rig = Rig(broker)

    def later(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(rig.producer, "append", later)
        with pytest.raises(type(error)):
            rig.deliver(rig.records(1))
    rig.deliver(rig.records(1))
    assert (rig.visible(), rig.stored()) == ([1], 1)


def test_letters_are_part_of_the_transaction(broker: EmbeddedBroker) -> None:
    rig = Rig(broker)
    letters = TransactionLetters(rig.commits, rig.producer)
    letters.append([NewMessage("letters", None, b"bad")])
    assert "letters" not in broker.admin().topics() or broker.admin().end_offsets(
        [TopicPartition("letters", 0)]
    ) == {TopicPartition("letters", 0): 0}
    rig.deliver(rig.records(1))
    assert broker.admin().end_offsets([TopicPartition("letters", 0)]) == {TopicPartition("letters", 0): 1}
    assert rig.visible() == [1]


def test_offsets_without_records_are_stored(broker: EmbeddedBroker) -> None:
    rig = Rig(broker)
    for part in rig.commits.parts(rig.records(7)):
        rig.commits.append([], newest_offsets(part))
    assert (rig.visible(), rig.stored()) == ([], 7)
