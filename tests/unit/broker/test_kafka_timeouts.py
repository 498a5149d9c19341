"""Futures of Kafka's admin client that nobody answers: try again, do not give up."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from replicator.api.errors import RetriableError
from replicator.broker.admin import NewTopic
from replicator.broker.kafka import admin
from replicator.broker.kafka.errors import translated


class SilentClient:
    def create_topics(self, topics: list[Any], operation_timeout: float) -> dict[str, Future[None]]:
        return {topic.topic: Future() for topic in topics}


def test_a_future_without_an_answer() -> None:
    with pytest.raises(RetriableError, match="no answer in time to look"), translated("to look"):
        Future[None]().result(0.01)


def test_a_topic_that_cannot_be_created_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "_SECONDS", -4.99)
    made = object.__new__(admin.KafkaAdmin)
    monkeypatch.setattr(made, "_connected", SilentClient, raising=False)
    with pytest.raises(RetriableError, match="no answer in time to create the topic offsets"):
        made.create_topics([NewTopic("offsets", 1, 1)])
