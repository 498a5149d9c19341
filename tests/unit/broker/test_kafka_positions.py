"""Positions of a Kafka consumer, when messages and ends of partitions come in one batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError

from replicator.api.record import TopicPartition
from replicator.broker.kafka.consumer import KafkaConsumer

ZERO, ONE = TopicPartition("t", 0), TopicPartition("t", 1)


class Raw:
    """A message of librdkafka's, or the end of a partition."""

    def __init__(self, partition: int, offset: int, *, end: bool = False) -> None:
        self._partition, self._offset = partition, offset
        self._error = KafkaError(KafkaError._PARTITION_EOF) if end else None

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, 1

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"v"

    def headers(self) -> None:
        return None


@pytest.fixture
def consumer() -> Iterator[KafkaConsumer]:
    watch: Any = None
    made = KafkaConsumer({"bootstrap.servers": "127.0.0.1:1"}, None, "earliest", lambda tps, _: {}, watch)
    made._assigned = {ZERO: 0, ONE: 0}
    yield made
    made.close()


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ([Raw(0, 3), Raw(0, 5, end=True)], {ZERO: 5, ONE: 0}),
        ([Raw(0, 3), Raw(0, 5, end=True), Raw(1, 7)], {ZERO: 5, ONE: 8}),
        ([Raw(0, 3), Raw(1, 9, end=True), Raw(0, 4)], {ZERO: 5, ONE: 9}),
        ([Raw(0, 3), Raw(0, 5, end=True), Raw(0, 6)], {ZERO: 7, ONE: 0}),
        ([Raw(1, 2), Raw(0, 3), Raw(1, 5, end=True), Raw(0, 4, end=True)], {ZERO: 4, ONE: 5}),
    ],
)
def test_an_end_is_not_forgotten_for_the_messages_before_it(
    consumer: KafkaConsumer, batch: list[Raw], expected: dict[TopicPartition, int]
) -> None:
    found = consumer._received(batch)
    assert len(found) == sum(raw.error() is None for raw in batch)
    assert {tp: consumer.position(tp) for tp in (ZERO, ONE)} == expected
