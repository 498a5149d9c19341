"""Takeover: a worker is killed, or stopped, while rows flow; how long until a row that was committed later is visible.

Session timeout 6 s (the shortest that brokers allow by default), no delay of rebalances. The parent process is
frozen first, so that it does not start the worker anew: the tasks have to run elsewhere.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, cast

from tests.benchmarks.bench import Bench, Site, fresh
from tests.benchmarks.connect import Workers

SESSION_SECONDS = 6.0
_FIRST = 1_000_000
_PAUSE = 0.01
_PATIENCE = 40.0
_SQL = "INSERT INTO bench VALUES (%s, 7, 'new', 12.50, 'a note', now())"


def takeover(site: Site) -> dict[str, Any]:
    """Seconds from the end of a worker, killed or asked to stop, to the first row committed afterwards.

    Each for the worker of the source and of the sink.
    """
    return {
        "session_seconds": SESSION_SECONDS,
        **{f"{which}_seconds": _end(site, which, signal.SIGKILL) for which in ("source", "sink")},
        **{f"planned_{which}_seconds": _end(site, which, signal.SIGTERM) for which in ("source", "sink")},
    }


def _end(site: Site, which: str, how: signal.Signals) -> float:
    with fresh(site, f"{how.name.lower()}{which}") as bench:
        bench.fill(1, 1000)
        bench.sync.start()
        bench.wait_for_row(1000, 120)
        time.sleep(2)
        workers = cast(Workers, bench.sync)
        victim = workers.owner(f"{workers.name}-{which}")
        writer = _Writer(bench)
        writer.start()
        try:
            bench.wait_for_row(_FIRST + 100, 60)
            os.kill(workers.pid, signal.SIGSTOP)
            os.kill(victim, how)
            _wait_for_end(victim)
            began = time.perf_counter()
            seconds = bench.wait_for_row(writer.following, 120) - began
        finally:
            writer.end()
        bench.wait_for_row(writer.following - 1, 60)
        bench.check_equal()
        return seconds


def _wait_for_end(pid: int) -> None:
    """A worker that is asked to stop goes on for a moment; its frozen parent does not take note of the end."""
    deadline = time.monotonic() + _PATIENCE
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        if time.monotonic() > deadline:
            raise RuntimeError(f"the worker {pid} does not end")
        time.sleep(0.005)


class _Writer(threading.Thread):
    """Single-row commits, about a hundred a second."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(daemon=True)
        self.following = _FIRST
        self._bench = bench
        self._end = threading.Event()

    def run(self) -> None:
        with self._bench.source() as connection:
            while not self._end.wait(_PAUSE):
                connection.execute(_SQL, [self.following])
                self.following += 1

    def end(self) -> None:
        """Stop writing."""
        self._end.set()
        self.join(10)
