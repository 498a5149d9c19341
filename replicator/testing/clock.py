"""A clock that stands still until somebody waits."""

from __future__ import annotations

import threading


class ManualClock:
    """Waiting moves it forward at once.

    Attributes:
        waits: seconds of every wait.
    """

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start
        self.waits: list[float] = []

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        return self._now

    def wall_ms(self) -> int:
        """The same in milliseconds."""
        return int(self._now * 1000)

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._now += seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Move forward by `seconds` unless the event is set."""
        self.waits.append(seconds)
        if not event.is_set():
            self.advance(seconds)
        return event.is_set()
