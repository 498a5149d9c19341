"""How source offsets become stored, and when a source may discard its log.

`AtomicCommit`: the offsets ride in the same append as their records (C8). `PeriodicCommit`: the
broker acknowledges first, a store takes the offsets later. Both run one thread that makes things
durable about once a second; the task thread picks up what survived (`take_durable`) and tells the
source (INV-1, INV-2).
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from replicator.api.errors import ConnectError
from replicator.api.record import SourceRecord
from replicator.broker.base import NewMessage, Producer
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


def partition_key(partition: Mapping[str, Any]) -> str:
    """Equal for equal partitions, whatever the order of their members."""
    if len(partition) == 1:  # nearly all have one name: no need to sort and encode it with every batch
        ((name, value),) = partition.items()
        if type(value) is str:
            return f"{name!r}={value!r}"
    return json.dumps(partition, sort_keys=True, default=str)


class _Newest:
    """Newest offset per source partition."""

    def __init__(self) -> None:
        self.entries: dict[str, PartitionOffset] = {}

    def update(self, offsets: Iterable[PartitionOffset]) -> None:
        for partition, offset in offsets:
            self.entries[partition_key(partition)] = (partition, offset)

    def take(self) -> list[PartitionOffset]:
        taken, self.entries = self.entries, {}
        return list(taken.values())


class DurabilityThread:
    """Flushes at an interval until closed.

    `pending` collects what was stored; a flush moves to `durable` what was pending before it began.
    """

    def __init__(
        self, name: str, interval: float, timeout: float, flush: Callable[[Sequence[PartitionOffset]], bool]
    ) -> None:
        self._interval = interval
        self._timeout = timeout
        self._flush = flush
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._pending = _Newest()
        self._durable = _Newest()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, offsets: Sequence[PartitionOffset]) -> None:
        with self._lock:
            self._pending.update(offsets)

    def take_durable(self) -> list[PartitionOffset]:
        if not self._durable.entries:
            return []
        with self._lock:
            return self._durable.take()

    def flush(self) -> bool:
        """One flush, now, on the calling thread."""
        with self._flushing:
            with self._lock:
                batch = self._pending.take()
            if not batch:
                return True
            done = False
            try:
                done = self._flush(batch)
            finally:
                with self._lock:
                    if done:
                        self._durable.update(batch)
                    else:
                        # Anything stored meanwhile is newer and wins.
                        newer = self._pending.take()
                        self._pending.update(batch)
                        self._pending.update(newer)
        return done

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._timeout)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                if not self.flush():
                    log.warning("%s: the log could not be flushed in time", self._thread.name)
            except Exception:
                # Without this thread the source would keep its log for ever: it must not end.
                log.exception("%s: flushing failed and is tried again", self._thread.name)


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
