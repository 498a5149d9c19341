"""Batches on their way to the broker, in order, with the source offsets they carry.

`done` may come from the producer's thread; everything else from the task's. Only the offsets of the
acknowledged beginning of the queue may be stored (INV-1).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

PartitionOffset = tuple[dict[str, Any], dict[str, Any]]


class Batch:
    """One appended batch; `acknowledged` is passed to the producer as its callback."""

    __slots__ = ("_owner", "acked", "offsets")

    def __init__(self, owner: Inflight, offsets: Sequence[PartitionOffset]) -> None:
        self._owner = owner
        self.offsets = offsets
        self.acked = False

    def acknowledged(self, error: Exception | None) -> None:
        """The broker has the whole batch, or refused it."""
        self._owner.done(self, error)


class Inflight:
    """Queue of batches not yet acknowledged.

    Attributes:
        error: first refusal by the broker, or None.
    """

    def __init__(self) -> None:
        self._queue: deque[Batch] = deque()
        self._changed = threading.Condition()
        self._ready: list[PartitionOffset] = []
        self.error: Exception | None = None

    def add(self, offsets: Sequence[PartitionOffset]) -> Batch:
        """Register a batch before it is appended."""
        batch = Batch(self, offsets)
        with self._changed:
            self._queue.append(batch)
        return batch

    def remove(self, batch: Batch) -> None:
        """Forget a batch that was not appended after all."""
        with self._changed:
            self._queue.remove(batch)

    def done(self, batch: Batch, error: Exception | None) -> None:
        """Mark a batch; called from any thread."""
        with self._changed:
            if error is not None:
                self.error = self.error or error
            else:
                batch.acked = True
                while self._queue and self._queue[0].acked:
                    self._ready.extend(self._queue.popleft().offsets)
            self._changed.notify_all()

    def take(self) -> list[PartitionOffset]:
        """Offsets that became storable since the last call, oldest first."""
        with self._changed:
            ready, self._ready = self._ready, []
            return ready

    def wait_empty(self, timeout: float) -> bool:
        """Wait until nothing is outstanding or the broker refused something."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue or self.error is not None, timeout)
