"""How many connectors and tasks this process tried to start, and with what success (connect-worker-metrics).

One count a process: a worker is a process. Any thread.
"""

from __future__ import annotations

import threading
from typing import Final


class Startups:
    """Attempts, successes and failures by kind (`connector`, `task`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, bool], int] = {}

    def count(self, kind: str, *, succeeded: bool) -> None:
        """A start ended."""
        with self._lock:
            self._counts[kind, succeeded] = self._counts.get((kind, succeeded), 0) + 1

    def measures(self) -> dict[str, float]:
        """Attributes of connect-worker-metrics, with `_` for `-`."""
        found: dict[str, float] = {}
        for kind in ("connector", "task"):
            good, bad = self._counts.get((kind, True), 0), self._counts.get((kind, False), 0)
            attempts = good + bad
            found |= {
                f"{kind}_startup_attempts_total": attempts,
                f"{kind}_startup_success_total": good,
                f"{kind}_startup_failure_total": bad,
                f"{kind}_startup_success_percentage": good / attempts if attempts else 0.0,
                f"{kind}_startup_failure_percentage": bad / attempts if attempts else 0.0,
            }
        return found


STARTUPS: Final = Startups()
