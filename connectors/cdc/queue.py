"""Bounded queue of record batches between a log reader's thread and the task's `poll`.

Bounded in records and in bytes of source data. A batch is put and taken whole, so records of one message
never part (C8). The reader passes a callback that runs while it waits for room: that is how it keeps
talking to the server while the queue is full (C5).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from replicator.api import SourceRecord

WAIT_STEP = 0.25
"""Seconds between two calls of the reader's callback while the queue is full."""


class RecordQueue:
    """Batches in order; one reader thread puts, one task thread takes.

    Attributes:
        max_records: number of records it may hold.
        max_bytes: bytes of source data it may hold; 0: any number.
    """

    def __init__(self, max_records: int, max_bytes: int = 0) -> None:
        self.max_records = max_records
        self.max_bytes = max_bytes
        self._batches: deque[tuple[list[SourceRecord], int]] = deque()
        self._records = 0
        self._bytes = 0
        self._error: Exception | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(
        self, batch: list[SourceRecord], size: int, while_waiting: Callable[[], None] | None = None
    ) -> bool:
        """Append a batch, waiting for room; False when the queue was closed meanwhile.

        An empty queue accepts any batch, however large: a single row may exceed the limit.
        """
        with self._changed:
            while not self._closed:
                if self._has_room(len(batch), size):
                    self._batches.append((batch, size))
                    self._records += len(batch)
                    self._bytes += size
                    self._changed.notify_all()
                    return True
                self._changed.wait(WAIT_STEP)
                if while_waiting is not None:
                    self._without_lock(while_waiting)
            return False

    def _without_lock(self, call: Callable[[], None]) -> None:
        self._changed.release()
        try:
            call()
        finally:
            self._changed.acquire()

    def _has_room(self, records: int, size: int) -> bool:
        if not self._batches:
            return True
        if self._records + records > self.max_records:
            return False
        return not self.max_bytes or self._bytes + size <= self.max_bytes

    def take(self, timeout: float, limit: int = 0) -> list[SourceRecord] | None:
        """The oldest batch, with those behind it while there are no more than `limit` records; or None.

        Many small transactions that waited together are cheaper to store together.

        Args:
            timeout: how many seconds to wait for a batch.
            limit: see above.

        Raises:
            Exception: the one given to `fail`, once every batch before it was taken.
        """
        with self._changed:
            if not self._batches and self._error is None and not self._closed:
                self._changed.wait(timeout)
            if self._batches:
                batch = self._pop()
                while self._batches and len(batch) + len(self._batches[0][0]) <= limit:
                    batch += self._pop()
                self._changed.notify_all()
                return batch
            if self._error is not None:
                raise self._error
            return None

    def _pop(self) -> list[SourceRecord]:
        batch, size = self._batches.popleft()
        self._records -= len(batch)
        self._bytes -= size
        return batch

    def fail(self, error: Exception) -> None:
        """Let `take` raise `error` after the batches that are there."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse further batches and wake both sides."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def bytes(self) -> int:
        """Bytes of source data waiting."""
        return self._bytes

    @property
    def records(self) -> int:
        """Number of records waiting."""
        return self._records
