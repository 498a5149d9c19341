"""Live numbers of one task. Written by the task thread once per batch, read by anybody."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from replicator.runtime.clock import Clock
from replicator.runtime.tolerance import ErrorCounts

_WINDOW_SECONDS = 1.0
_SMOOTHING = 0.4


class TaskStats:
    """Counts and smoothed rates; rates fall to zero when nothing happens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.records_in = 0
        self.records_out = 0
        self.batches = 0
        self.last_in_ms: int | None = None
        self.last_out_ms: int | None = None
        self.last_batch = 0
        self.commits = 0
        self.commit_failures = 0
        self.retries = 0
        self.errors = ErrorCounts()
        self.lag_ms: int | None = None
        self._window_start = clock.now()
        self._window_in = 0
        self._window_out = 0
        self._rate_in = 0.0
        self._rate_out = 0.0

    def received(self, count: int) -> None:
        """A batch came in (poll of a source, consumption of a sink)."""
        self.records_in += count
        self.last_batch = count
        self.batches += 1
        self.last_in_ms = self._clock.wall_ms()
        self._window_in += count
        self._roll()

    def sent(self, count: int) -> None:
        """A batch went out (append of a source, put of a sink)."""
        self.records_out += count
        self.last_out_ms = self._clock.wall_ms()
        self._window_out += count

    def reached(self, timestamp_ms: int | None) -> None:
        """The last record that went out was made then; None: nothing waits."""
        if timestamp_ms is None:
            self.lag_ms = 0
        elif timestamp_ms >= 0:
            self.lag_ms = max(0, self._clock.wall_ms() - timestamp_ms)

    def fresh_errors(self) -> ErrorCounts:
        """Counts for a new run of the task: Connect's start from zero, too."""
        self.errors = ErrorCounts()
        return self.errors

    def snapshot(self) -> dict[str, Any]:
        """Plain values for REST, the page and metrics."""
        self._roll()
        return {
            "records_in": self.records_in,
            "records_out": self.records_out,
            "records_in_per_second": round(self._rate_in, 1),
            "records_out_per_second": round(self._rate_out, 1),
            "batches": self.batches,
            "last_batch": self.last_batch,
            "last_poll_ms": self.last_in_ms,
            "last_put_ms": self.last_out_ms,
            "commits": self.commits,
            "commit_failures": self.commit_failures,
            "retries": self.retries,
            "errors": asdict(self.errors),
            "lag_ms": self.lag_ms,
        }

    def _roll(self) -> None:
        elapsed = self._clock.now() - self._window_start
        if elapsed < _WINDOW_SECONDS:
            return
        # A window without traffic for many seconds must not keep half of an old rate.
        keep = (1.0 - _SMOOTHING) ** elapsed if elapsed > 2 * _WINDOW_SECONDS else 1.0 - _SMOOTHING
        self._rate_in = keep * self._rate_in + (1.0 - keep) * self._window_in / elapsed
        self._rate_out = keep * self._rate_out + (1.0 - keep) * self._window_out / elapsed
        self._window_start += elapsed
        self._window_in = self._window_out = 0
