"""Live numbers of one task. Written by the task thread once per batch, read by anybody.

Nothing here is done per record: batches are counted by their length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from replicator.runtime.clock import Clock
from replicator.runtime.tolerance import ErrorCounts
from replicator.runtime.windows import Histogram, Window

_WINDOW_SECONDS = 1.0
_SMOOTHING = 0.4
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the end-to-end histogram, in seconds."""


class TaskStats:
    """Counts and smoothed rates; rates fall to zero when nothing happens.

    Attributes:
        errors: what became of records with errors, since the present run began.
        partitions: partitions a sink task owns.
        active: records on their way: polled and not handed to the broker, or put and not committed.
        info: classes and versions of the task's plugins.

    What is a `Window` or `Histogram` is read by `measures`.
    """

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
        self.commit_skips = 0
        self.retries = 0
        self.partitions: int | None = None
        self.active = 0
        self.errors = ErrorCounts()
        self.info: Mapping[str, Any] = {}
        self.lag_ms: int | None = None
        self.end_to_end_ms: int | None = None
        self.end_to_end = Window(clock.now)
        self.end_to_end_times = Histogram(BOUNDS)
        self._window_start = clock.now()
        self._window_in = 0
        self._window_out = 0
        self._rate_in = 0.0
        self._rate_out = 0.0
        self.rates_in = Window(clock.now)
        self.rates_out = Window(clock.now)
        self.batch_sizes = Window(clock.now)
        self.batch_times = Window(clock.now)
        self.actives = Window(clock.now)
        self.commit_times = Window(clock.now)
        self.commit_results = Window(clock.now)
        self.skips = Window(clock.now)
        self.transactions = Window(clock.now)
        self._state = "UNASSIGNED"
        self._state_since = self._began = clock.now()
        self._state_seconds: dict[str, float] = {}

    # --- what happens, on the task's thread ---

    def received(self, count: int, seconds: float | None = None) -> None:
        """A batch came in (poll of a source, consumption of a sink); the time is that of a source's poll."""
        self.records_in += count
        self.last_batch = count
        self.batches += 1
        self.last_in_ms = self._clock.wall_ms()
        self._window_in += count
        self.rates_in.record(count)
        self.batch_sizes.record(count)
        if seconds is not None:
            self.batch_times.record(seconds * 1000.0)
            self.active = count
            self.actives.record(count)
        self._roll()

    def sent(self, count: int, seconds: float | None = None) -> None:
        """A batch went out (append of a source, put of a sink); the time is that of a sink's put."""
        self.records_out += count
        self.last_out_ms = self._clock.wall_ms()
        self._window_out += count
        self.rates_out.record(count)
        if seconds is not None:
            self.batch_times.record(seconds * 1000.0)
            self.active += count
            self.actives.record(self.active)
        else:
            self.active = 0

    def committed(self, seconds: float, *, done: bool = True, left: int | None = None) -> None:
        """An offset commit ended; `left` records of a sink are not committed yet."""
        if done:
            self.commits += 1
        else:
            self.commit_failures += 1
        self.commit_times.record(seconds * 1000.0)
        self.commit_results.record(1.0 if done else 0.0)
        if left is not None:
            self.active = left

    def skipped_commit(self) -> None:
        """An offset commit was put off."""
        self.commit_skips += 1
        self.skips.record(1)

    def transaction(self, count: int) -> None:
        """A producer transaction with so many records was committed."""
        self.transactions.record(count)

    def reached(self, timestamp_ms: int | None) -> None:
        """The last record that went out was made then; None: nothing waits."""
        if timestamp_ms is None:
            self.lag_ms = 0
            if self.end_to_end_ms is not None:
                self.end_to_end_ms = 0
        elif timestamp_ms >= 0:
            self.lag_ms = max(0, self._clock.wall_ms() - timestamp_ms)

    def visible(self, commits_ms: Sequence[int]) -> None:
        """Changes that were committed at the source then, oldest first, are visible in the target now."""
        if not commits_ms:
            return
        now = self._clock.wall_ms()
        self.end_to_end_ms = max(0, now - commits_ms[-1])
        worst = max(0, now - commits_ms[0])
        self.end_to_end.record(worst)
        self.end_to_end_times.record(worst / 1000.0)

    def entered(self, state: str) -> None:
        """The task has another state."""
        now = self._clock.now()
        spent = self._state_seconds.get(self._state, 0.0)
        self._state_seconds = {**self._state_seconds, self._state: spent + now - self._state_since}
        self._state, self._state_since = state, now

    def fresh_errors(self) -> ErrorCounts:
        """Counts for a new run of the task: Connect's start from zero, too."""
        self.errors = ErrorCounts()
        return self.errors

    # --- views, any thread ---

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
            "end_to_end_ms": self.end_to_end_ms,
        }

    def ratio(self, state: str) -> float:
        """Share of its life that the task was in a state."""
        now = self._clock.now()
        spent = self._state_seconds.get(state, 0.0) + (
            now - self._state_since if self._state == state else 0.0
        )
        return min(1.0, spent / max(now - self._began, 1e-9))

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
