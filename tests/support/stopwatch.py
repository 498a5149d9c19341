"""How long rows of a pipeline take while its workers come and go."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.support.group_pipeline import Pipeline


class Stopwatch(threading.Thread):
    """Commits a row every tenth of a second and watches how long each takes to be seen in the target.

    Attributes:
        longest: seconds that the slowest row took so far; rows under way count, too.
    """

    _FIRST = 1_000_000_000

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(name="stopwatch", daemon=True)
        self.longest = 0.0
        self._pipeline = pipeline
        self._waiting: dict[int, float] = {}
        self._next = self._FIRST
        self._ended = threading.Event()
        self._failure: Exception | None = None

    def __enter__(self) -> Stopwatch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(30)
        assert self._failure is None, f"the stopwatch stopped by itself: {self._failure!r}"

    def run(self) -> None:
        try:
            self._watch()
        except Exception as error:
            self._failure = error

    def _watch(self) -> None:
        source = self._pipeline.source.connect()
        target = self._pipeline.target.connect()
        try:
            while not self._ended.wait(0.1):
                self._next += 1
                source.execute("INSERT INTO beats VALUES (%s)", [self._next])
                self._waiting[self._next] = time.monotonic()
                self._look(target)
        finally:
            source.close()
            target.close()

    def _look(self, target: Any) -> None:
        with target.cursor() as cursor:
            cursor.execute("SELECT n FROM beats WHERE n >= %s", [min(self._waiting)])
            seen = {n for (n,) in cursor.fetchall()}
        now = time.monotonic()
        for began in self._waiting.values():
            self.longest = max(self.longest, now - began)
        self._waiting = {n: began for n, began in self._waiting.items() if n not in seen}
