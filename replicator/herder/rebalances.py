"""Rebalances of a distributed worker, counted and timed (connect-worker-rebalance-metrics).

The tick thread writes, any thread reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from replicator.runtime.windows import Window


class Rebalances:
    """How many there were, how long they took, whether one is under way."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._times = Window(now)
        self._began: float | None = None
        self._ended: float | None = None
        self._count = 0

    def begin(self) -> None:
        """A round is due; the first of several calls counts."""
        if self._began is None:
            self._began = self._now()

    def end(self) -> None:
        """What was assigned runs."""
        now = self._now()
        if self._began is not None:
            self._times.record((now - self._began) * 1000.0)
            self._count += 1
        self._began, self._ended = None, now

    def measures(self) -> dict[str, Any]:
        """Attributes by name, with `_` for `-`."""
        ended = self._ended
        return {
            "completed_rebalances_total": self._count,
            "rebalancing": self._began is not None,
            "rebalance_max_time_ms": self._times.greatest,
            "rebalance_avg_time_ms": self._times.average,
            "time_since_last_rebalance_ms": float("inf") if ended is None else (self._now() - ended) * 1000.0,
        }
