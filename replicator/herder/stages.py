"""What a herder's tick thread is doing, for health and time-out messages. Any thread may ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """One step, with Connect's words; times are seconds since the epoch."""

    text: str
    began: float
    ended: float | None = None

    def describe(self) -> str:
        """A sentence for messages."""
        if self.ended is None:
            return f"The worker is currently {self.text}, which began at {_instant(self.began)}"
        return (
            f"The last operation the worker completed was {self.text}, which began at {_instant(self.began)} and"
            f" completed at {_instant(self.ended)}"
        )


class Stages:
    """The present or last step."""

    def __init__(self) -> None:
        self.present = Stage("awaiting startup", time.time())

    @contextmanager
    def of(self, text: str) -> Iterator[None]:
        """While the block runs, this is what the worker does."""
        began = time.time()
        self.present = Stage(text, began)
        try:
            yield
        finally:
            self.present = Stage(text, began, time.time())

    def describe(self) -> str:
        """A sentence for messages."""
        return self.present.describe()


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
