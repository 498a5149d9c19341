"""Runs of tasks that cannot be put together leave nothing open."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from replicator.api.errors import RetriableError
from replicator.broker.embedded import EmbeddedBroker
from replicator.runtime import sink_assembly, source_assembly, task
from replicator.testing.fakes import record
from replicator.testing.faults import FaultyProducer
from tests.unit.runtime.service_fixture import eventually, running, script, sink, source, task_state


class CountingBroker:
    """Counts the open producers of each client."""

    def __init__(self) -> None:
        self._broker = EmbeddedBroker(":memory:")
        self.open: Counter[str] = Counter()
        self.made: Counter[str] = Counter()

    def producer(self, client_id: str, **options: Any) -> Any:
        self.open[client_id] += 1
        self.made[client_id] += 1
        producer: Any = FaultyProducer(self._broker.producer(client_id, **options), lambda batch: None)

        def close() -> None:
            self.open[client_id] -= 1

        producer.close = close
        return producer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


@pytest.mark.parametrize("kind", ["source", "sink"])
def test_what_was_made_is_released_when_the_rest_cannot_be(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "FIRST_BACKOFF", 0.01)
    failures = 3
    module: Any = source_assembly if kind == "source" else sink_assembly
    last = "TopicCreator" if kind == "source" else "consumer_options"
    real = getattr(module, last)

    def make(*values: Any, **options: Any) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise RetriableError("not yet")
        return real(*values, **options)

    monkeypatch.setattr(module, last, make)
    own, broker = script("one"), CountingBroker()
    client = "connector-producer-one-0" if kind == "source" else "connector-dlq-producer-one-0"
    letters = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq"}
    config = source("one") if kind == "source" else sink("one", **letters)
    own.add([record("a", 1)])
    with running(broker) as service:  # type: ignore[arg-type]
        service.herder.put_connector_config("one", config)
        eventually(lambda: task_state(service, "one") == "RUNNING")
        assert (broker.made[client], broker.open[client]) == (4, 1)
    assert broker.open[client] == 0
