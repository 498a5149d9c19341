"""Lines of JSON on the standard output, which test drivers read; and the pace of records."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any


def report(**facts: Any) -> None:
    """Print one line; a line is never torn apart by another thread's."""
    sys.stdout.write(json.dumps(facts, separators=(",", ":"), default=str) + "\n")
    sys.stdout.flush()


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Throttle:
    """Keeps to so many records a second; -1: no limit, 0: none at all."""

    def __init__(self, per_second: int, stopping: threading.Event) -> None:
        self._rate = per_second
        self._stopping = stopping
        self._began = time.monotonic()
        self._sent = 0

    def allowed(self, most: int) -> int:
        """How many records may be sent now, at least one or none after a short wait."""
        if self._rate < 0:
            return most
        due = int((time.monotonic() - self._began) * self._rate) - self._sent
        if due <= 0:
            self._stopping.wait(min(0.5, 1 / self._rate) if self._rate else 0.5)
            return 0
        count = min(due, most)
        self._sent += count
        return count
