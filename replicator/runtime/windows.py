"""Figures over the recent past: like Kafka's sampled statistics, two windows of 30 seconds (one writer, any reader)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

WINDOW_SECONDS: Final = 30.0


class Window:
    """Count, sum, least and greatest of what was recorded in the last 30 to 60 seconds."""

    __slots__ = ("_began", "_now", "_old", "_present")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()
        self._old: tuple[int, float, float, float] = _EMPTY
        self._present: tuple[int, float, float, float] = _EMPTY

    def record(self, value: float) -> None:
        """Add a value."""
        self._turn()
        count, total, least, greatest = self._present
        self._present = (count + 1, total + value, min(least, value), max(greatest, value))

    @property
    def count(self) -> int:
        """How many values."""
        return self._both()[0]

    @property
    def average(self) -> float:
        """Mean; NaN without values."""
        count, total, _, _ = self._both()
        return total / count if count else float("nan")

    @property
    def greatest(self) -> float:
        """Greatest value; NaN without values."""
        count, _, _, greatest = self._both()
        return greatest if count else float("nan")

    @property
    def least(self) -> float:
        """Least value; NaN without values."""
        count, _, least, _ = self._both()
        return least if count else float("nan")

    @property
    def rate(self) -> float:
        """Sum per second."""
        return self._both()[1] / self._seconds()

    @property
    def rate_of_count(self) -> float:
        """Values per second."""
        return self._both()[0] / self._seconds()

    def _seconds(self) -> float:
        elapsed = self._now() - self._began + (WINDOW_SECONDS if self._old is not _EMPTY else 0.0)
        return max(elapsed, 1.0)

    def _both(self) -> tuple[int, float, float, float]:
        self._turn()
        a, b = self._old, self._present
        return a[0] + b[0], a[1] + b[1], min(a[2], b[2]), max(a[3], b[3])

    def _turn(self) -> None:
        elapsed = self._now() - self._began
        if elapsed < WINDOW_SECONDS:
            return
        windows = int(elapsed / WINDOW_SECONDS)
        # A past without values still counts as time for the rate.
        count, total, least, greatest = self._present if windows == 1 else _EMPTY
        self._old = (count, total, least, greatest)
        self._present = _EMPTY
        self._began += windows * WINDOW_SECONDS


_EMPTY: Final = (0, 0.0, float("inf"), float("-inf"))


class Histogram:
    """Counts by upper bound, since the task was made; in the form Prometheus wants."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def record(self, value: float) -> None:
        """Add a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def to_json(self) -> dict[str, object]:
        """`{"buckets": [[bound, count up to it] ...], "sum": s, "count": n}`; the last bound is not listed."""
        seen, buckets = 0, []
        for bound, count in zip(self._bounds, self._counts, strict=False):
            seen += count
            buckets.append([bound, seen])
        return {"buckets": buckets, "sum": self._total, "count": sum(self._counts)}
