"""How source offsets become stored, and when a source may discard its log.

`AtomicCommit`: the offsets ride in the same append as their records (C8). `PeriodicCommit`: the
broker acknowledges first, a store takes the offsets later. Both run one thread that makes things
durable about once a second; the task thread picks up what survived (`take_durable`) and tells the
source (INV-1, INV-2).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from replicator.api.errors import ConnectError
from replicator.api.record import SourceRecord
from replicator.broker.base import Producer
from replicator.broker.message import NewMessage
from replicator.runtime.durability import DurabilityThread
from replicator.runtime.inflight import Inflight, PartitionOffset
from replicator.storage.base import OffsetStore

log = logging.getLogger(__name__)


class Commits(Protocol):
    """Strategy used by the source loop, on the task thread except for the thread it runs itself."""

    def start(self) -> None:
        """Begin the durability thread."""
        ...

    def parts(self, records: Sequence[SourceRecord]) -> Iterable[Sequence[SourceRecord]]:
        """The pieces of a polled batch to append one after the other; what must happen after a piece happens
        when the next one is asked for.
        """
        ...

    def append(self, messages: list[NewMessage], offsets: Sequence[PartitionOffset]) -> None:
        """Append a batch with the newest offset of each of its source partitions."""
        ...

    def pause(self) -> None:
        """No batch will come for a while."""
        ...

    def take_durable(self) -> list[PartitionOffset]:
        """Offsets that became durable since the last call."""
        ...

    def close(self, timeout: float) -> list[PartitionOffset]:
        """Make everything durable a last time; answers with what then is."""
        ...


class AtomicCommit:
    """Offsets in the same append as the records."""

    def __init__(
        self,
        name: str,
        connector: str,
        producer: Producer,
        store: OffsetStore,
        interval: float,
        timeout: float,
    ) -> None:
        self._connector = connector
        self._producer = producer
        self._store = store
        self._timeout = timeout
        self._thread = DurabilityThread(f"{name}-durability", interval, timeout, self._sync)

    def start(self) -> None:
        self._thread.start()

    def parts(self, records: Sequence[SourceRecord]) -> Iterable[Sequence[SourceRecord]]:
        return (records,)

    def pause(self) -> None:
        """Nothing is held open."""

    def append(self, messages: list[NewMessage], offsets: Sequence[PartitionOffset]) -> None:
        if offsets:
            messages = messages + self._store.messages(self._connector, offsets)
        if not messages:
            return
        self._producer.append(messages)
        if offsets:
            self._store.observe(self._connector, offsets)
            self._thread.add(offsets)

    def take_durable(self) -> list[PartitionOffset]:
        return self._thread.take_durable()

    def close(self, timeout: float) -> list[PartitionOffset]:
        self._thread.close()
        self._thread.flush()
        return self._thread.take_durable()

    def _sync(self, batch: Sequence[PartitionOffset]) -> bool:
        return self._producer.sync(self._timeout)


class PeriodicCommit:
    """Offsets stored at an interval, after the broker acknowledged their records."""

    def __init__(
        self,
        name: str,
        connector: str,
        producer: Producer,
        store: OffsetStore,
        interval: float,
        timeout: float,
    ) -> None:
        self._connector = connector
        self._producer = producer
        self._store = store
        self._timeout = timeout
        self._inflight = Inflight()
        self._thread = DurabilityThread(f"{name}-offsets", interval, timeout, self._store_offsets)

    def start(self) -> None:
        self._thread.start()

    def parts(self, records: Sequence[SourceRecord]) -> Iterable[Sequence[SourceRecord]]:
        return (records,)

    def pause(self) -> None:
        """Nothing is held open."""

    def append(self, messages: list[NewMessage], offsets: Sequence[PartitionOffset]) -> None:
        self._raise_refusal()
        batch = self._inflight.add(offsets)
        if messages:
            try:
                self._producer.append(messages, batch.acknowledged)
            except ConnectError:
                self._inflight.remove(batch)
                raise
        else:
            batch.acknowledged(None)
        self._collect()
        self._raise_refusal()

    def take_durable(self) -> list[PartitionOffset]:
        self._collect()
        self._raise_refusal()
        return self._thread.take_durable()

    def close(self, timeout: float) -> list[PartitionOffset]:
        self._thread.close()
        self._inflight.wait_empty(timeout)
        self._collect()
        self._thread.flush()
        return self._thread.take_durable()

    def _collect(self) -> None:
        ready = self._inflight.take()
        if ready:
            self._thread.add(ready)

    def _raise_refusal(self) -> None:
        if self._inflight.error is not None:
            raise ConnectError(
                "Unrecoverable exception from producer send callback"
            ) from self._inflight.error

    def _store_offsets(self, batch: Sequence[PartitionOffset]) -> bool:
        # The records first: an offset on disk must never be newer than the log (INV-1).
        if not self._producer.sync(self._timeout):
            return False
        self._store.write(self._connector, batch)
        return True
