"""Keeps a producer from running ahead of a consumer that keeps up with it.

Messages a consumer finds in memory need neither decompression nor parsing, so a producer does better
to wait a moment than to push them out of memory unread. It never waits for a consumer that is slow or
far behind: then the log fills, and the source's own log does not have to. One `Follower` for each
consumer; `moved` is called by the consumer's thread, `wait` by the producer's.
"""

from __future__ import annotations

import threading
from typing import Final

LEAD: Final = 10 << 20
"""Bytes (as counted for the tail) a producer may be ahead of a consumer that keeps up."""

REACH: Final = 256 << 20
"""A consumer that is no further behind than this and moves is worth waiting for: it was held up, by the creation of
a table for example. One that was too slow has to come within LEAD first."""

PATIENCE: Final = 1.0
"""Seconds within which a consumer that keeps up takes its next messages, and a new one its first."""


class Follower:
    """How far a consumer has read, in bytes published.

    Attributes:
        seen: the sum up to which it has.
        keeps_up: whether it is near the end.
    """

    __slots__ = ("_expected", "_moved", "_slow", "keeps_up", "seen")

    def __init__(self) -> None:
        self.seen = 0
        self.keeps_up = False
        self._slow = False
        self._expected: int | None = None
        self._moved = threading.Event()

    def expect(self, published: int) -> None:
        """The consumer is about to read: what is appended from now on is kept for it, once for a while."""
        self._expected = published

    def moved(self, seen: int, published: int) -> None:
        """The consumer took messages up to this sum."""
        self.seen = seen
        self._expected = None
        if published - seen <= (LEAD if self._slow else REACH):
            self.keeps_up = True
            self._slow = False
        self._moved.set()

    def fell_behind(self) -> None:
        """The consumer is far behind, or gone."""
        self.keeps_up = False
        self._expected = None
        self._moved.set()

    def wait(self, published: int) -> None:
        """Let the consumer come near; returns at once when it is near, slow or gone."""
        expected = self._expected
        if expected is not None and published - expected > LEAD:
            self._moved.clear()
            if self._expected is not None and not self._moved.wait(PATIENCE):
                self._expected = None
        while self.keeps_up and published - self.seen > LEAD:
            self._moved.clear()
            if published - self.seen > LEAD and not self._moved.wait(PATIENCE):
                self.keeps_up = False
                self._slow = True
