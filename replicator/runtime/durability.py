"""The thread that makes stored offsets durable about once a second (INV-2); the task thread picks up what survived."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from replicator.runtime.inflight import PartitionOffset

log = logging.getLogger(__name__)


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
