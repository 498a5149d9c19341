"""Keeps a producer from running ahead of a consumer that keeps up with it.

Messages a consumer finds in memory need neither decompression nor parsing, so a producer does better
to wait a moment than to push them out of memory unread. It never waits for a consumer that is slow or
far behind: then the log fills, and the source's own log does not have to. One `Follower` for each
consumer; `moved` is called by the consumer's thread, `wait` by the producer's.
"""

from __future__ import annotations

import threading
from typing import Final

LEAD: Final = 6 << 20
"""Bytes (as counted for the tail) a producer may be ahead of a consumer that keeps up."""

REACH: Final = 256 << 20
"""A consumer that is no further behind than this and moves is worth waiting for: it was held up, by the creation of
a table for example. One that was too slow has to come within LEAD first."""

PATIENCE: Final = 0.25
"""Seconds within which a consumer that keeps up takes its next messages."""


class Follower:
    """How far a consumer has read, in bytes published."""

    __slots__ = ("_moved", "_slow", "keeps_up", "seen")

    def __init__(self) -> None:
        self.seen = 0
        self.keeps_up = False
        self._slow = False
        self._moved = threading.Event()

    def moved(self, seen: int, published: int) -> None:
        """The consumer took messages up to this sum."""
        self.seen = seen
        if published - seen <= (LEAD if self._slow else REACH):
            self.keeps_up = True
            self._slow = False
        self._moved.set()

    def fell_behind(self) -> None:
        """The consumer is far behind, or gone."""
        self.keeps_up = False
        self._moved.set()

    def wait(self, published: int) -> None:
        """Let the consumer come near; returns at once when it is near, slow or gone."""
        while self.keeps_up and published - self.seen > LEAD:
            self._moved.clear()
            if published - self.seen > LEAD and not self._moved.wait(PATIENCE):
                self.keeps_up = False
                self._slow = True
