"""A transactional producer whose task was abandoned leaves its transaction to its successor."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from replicator.api.errors import ConnectError, FencedError
from replicator.broker.kafka.producer import KafkaProducer
from replicator.broker.kafka.transactions import TransactionalKafkaProducer


class Client:
    """What was asked of librdkafka; a commit answers that the transaction must be aborted."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def init_transactions(self, _: float) -> None:
        self.asked.append("init")

    def begin_transaction(self) -> None:
        self.asked.append("begin")

    def commit_transaction(self, _: float) -> None:
        self.asked.append("commit")
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "late", txn_requires_abort=True))

    def purge(self) -> None:
        self.asked.append("purge")

    def abort_transaction(self, _: float) -> None:
        self.asked.append("abort")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()

    def prepare(self: Any, options: Any) -> None:
        self._client, self._fatal, self._last_error, self._closed = made, None, None, threading.Event()

    monkeypatch.setattr(KafkaProducer, "__init__", prepare)
    monkeypatch.setattr(KafkaProducer, "close", lambda self: self._closed.set())
    return made


def begun(*, abandoned: bool) -> TransactionalKafkaProducer:
    """A producer with an open transaction, whose task may have been abandoned meanwhile."""
    superseded = threading.Event()
    producer = TransactionalKafkaProducer({}, "id", superseded)
    producer.begin_transaction()
    if abandoned:
        superseded.set()
    return producer


@pytest.mark.parametrize("abandoned", [True, False])
def test_who_may_abort(client: Client, abandoned: bool) -> None:
    """librdkafka gets itself a new epoch after an abort; whoever took the id over in the meantime would be fenced."""
    producer = begun(abandoned=abandoned)
    with pytest.raises(FencedError if abandoned else ConnectError):
        producer.commit_transaction()
    producer.close()
    assert client.asked == ["init", "begin", "commit", *([] if abandoned else ["abort"])]


@pytest.mark.parametrize("abandoned", [True, False])
def test_what_is_open_at_the_end(client: Client, abandoned: bool) -> None:
    producer = begun(abandoned=abandoned)
    producer.close()
    assert client.asked == ["init", "begin", *([] if abandoned else ["purge", "abort"])]
