"""Bulk requests: operations are collected, sent by a few threads, and their answers handed back to the task.

The task thread calls everything but `_send`. Only what the server refused for the moment is sent again. Operations
without a version (merged updates) go one request at a time, and a request holds a document once: their order counts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final, NamedTuple

from connectors.elasticsearch.client import TOO_LARGE, Answer, Client
from connectors.elasticsearch.operations import Operation
from replicator.api import ConnectError, RetriableError

_BUSY: Final = frozenset({429, 502, 503, 504})
_NOT_FOUND: Final = 404
_JSON_LINES: Final = "application/x-ndjson"


class Refusal(NamedTuple):
    """An operation that the server did not carry out."""

    operation: Operation
    status: int
    kind: str
    reason: str


class Bulk:
    """The operations on their way."""

    def __init__(
        self,
        client: Client,
        *,
        batch_size: int,
        batch_bytes: int,
        in_flight: int,
        buffered: int,
        ordered: bool,
        refused: Callable[[Refusal], None],
    ) -> None:
        self._client = client
        self._size = batch_size
        self._bytes = batch_bytes
        self._most = 1 if ordered else in_flight
        self._buffered = buffered
        self._ordered = ordered
        self._refused = refused
        self._batch: list[Operation] = []
        self._batch_bytes = 0
        self._ids: set[tuple[str, str | None]] = set()
        self._since = 0.0
        self._flights: deque[tuple[int, Future[list[Refusal]]]] = deque()
        self._waiting = 0
        self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="bulk")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._batch and not self._flights

    def add(self, operation: Operation) -> None:
        """Collect one; waits while too many are on their way."""
        size = len(operation.body)
        is_full = self._bytes > 0 and self._batch and self._batch_bytes + size > self._bytes
        identity = (operation.target, operation.id)
        if is_full or (self._ordered and identity in self._ids):
            self.send()
        if not self._batch:
            self._since = time.monotonic()
        self._batch.append(operation)
        self._batch_bytes += size
        if self._ordered:
            self._ids.add(identity)
        if len(self._batch) >= self._size:
            self.send()
        while self._flights and self._waiting + len(self._batch) >= self._buffered:
            self._land(None)

    def lingered(self) -> float:
        """Seconds since the first collected operation; 0 when there is none."""
        return time.monotonic() - self._since if self._batch else 0.0

    def send(self) -> None:
        """Send what was collected; waits while too many requests are on their way."""
        if not self._batch:
            return
        while len(self._flights) >= self._most:
            self._land(None)
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        self._ids.clear()
        self._waiting += len(batch)
        self._flights.append((len(batch), self._pool.submit(self._send, batch)))

    def collect(self) -> None:
        """Take the answers that are there.

        Raises:
            ConnectError: a request failed for good.
        """
        while self._flights and self._flights[0][1].done():
            self._land(None)

    def flush(self, timeout: float) -> None:
        """Send everything and wait for the answers.

        Raises:
            ConnectError: a request failed for good, or the time is over.
        """
        deadline = time.monotonic() + timeout
        self.send()
        while self._flights:
            self._land(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Wait for the threads; they end early because the task stops."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _land(self, timeout: float | None) -> None:
        count, flight = self._flights[0]
        try:
            refusals = flight.result(timeout)
        except FutureTimeout:
            raise ConnectError(
                "Flush timeout expired with unflushed records.", hint="Raise flush.timeout.ms."
            ) from None
        self._flights.popleft()
        self._waiting -= count
        for refusal in refusals:
            self._refused(refusal)

    def _send(self, batch: Sequence[Operation]) -> list[Refusal]:
        """All of a batch, again and again those that were refused for the moment; on a thread of the pool."""
        refusals: list[Refusal] = []
        attempt = 0
        while batch:
            try:
                answer = self._post(batch)
            except RetriableError as error:
                self._pause(attempt := attempt + 1, str(error))
                continue
            if answer.status == TOO_LARGE and len(batch) > 1:
                middle = len(batch) // 2
                return [*refusals, *self._send(batch[:middle]), *self._send(batch[middle:])]
            busy: list[Operation] = []
            for operation, refusal in _read(answer, batch):
                if refusal is None:
                    continue
                if refusal.status in _BUSY:
                    busy.append(operation)
                else:
                    refusals.append(refusal)
            batch = busy
            if batch:
                self._pause(attempt := attempt + 1, f"{len(batch)} operations were refused for the moment")
        return refusals

    def _post(self, batch: Sequence[Operation]) -> Answer:
        content = b"".join([operation.body for operation in batch])
        answer = self._client.once("POST", "/_bulk", content, _JSON_LINES)
        if not answer.is_good and answer.status != TOO_LARGE:
            raise ConnectError(f"Bulk request failed: {answer.status} {answer.text}")
        if answer.status == TOO_LARGE and len(batch) == 1:
            raise ConnectError(f"A document is too large for the server: {answer.text}")
        return answer

    def _pause(self, attempt: int, why: str) -> None:
        if attempt > self._client.retries:
            raise ConnectError(f"Bulk request failed after {attempt} attempts: {why}")
        self._client.wait(attempt)


def _read(answer: Answer, batch: Sequence[Operation]) -> Iterable[tuple[Operation, Refusal | None]]:
    """Each operation with its refusal, if it was refused."""
    if answer.body is None or not answer.body.get("errors"):
        return
    for operation, item in zip(batch, answer.body["items"], strict=True):
        action, outcome = next(iter(item.items()))
        status = int(outcome.get("status", 200))
        is_gone = action == "delete" and status == _NOT_FOUND and "error" not in outcome
        if status < 300 or is_gone:
            continue
        yield operation, _refusal(operation, status, outcome.get("error"))


def _refusal(operation: Operation, status: int, error: Any) -> Refusal:
    if not isinstance(error, dict):
        return Refusal(operation, status, "", str(error))
    reason = str(error.get("reason", ""))
    cause = error.get("caused_by")
    if isinstance(cause, dict) and cause.get("reason"):
        reason += f" ({cause['reason']})"
    return Refusal(operation, status, str(error.get("type", "")), reason)
