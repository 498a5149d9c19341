"""Brokers that fail when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from replicator.broker.base import Broker, Producer
from replicator.broker.message import NewMessage


class FaultyBroker:
    """A broker whose producers ask `on_append` before each append; everything else is the real one's."""

    def __init__(self, broker: Broker, on_append: Callable[[Sequence[NewMessage]], None]) -> None:
        self._broker = broker
        self._on_append = on_append

    def producer(
        self,
        client_id: str,
        *,
        transactional_id: str | None = None,
        superseded: threading.Event | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Producer:
        """A producer that may fail."""
        producer = self._broker.producer(
            client_id, transactional_id=transactional_id, superseded=superseded, options=options
        )
        return FaultyProducer(producer, self._on_append)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


class FaultyProducer:
    """See FaultyBroker."""

    def __init__(self, producer: Producer, on_append: Callable[[Sequence[NewMessage]], None]) -> None:
        self._producer = producer
        self._on_append = on_append

    def append(
        self, batch: Sequence[NewMessage], on_done: Callable[[Exception | None], None] | None = None
    ) -> None:
        """Fail as told, or append."""
        self._on_append(batch)
        self._producer.append(batch, on_done)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)
