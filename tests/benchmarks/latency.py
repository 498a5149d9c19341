"""Commit to visible at a steady rate: every commit is timed, and every row is looked for in MySQL.

A process of its own writes single-row transactions over several connections at fixed times and notes when
each COMMIT returned (CLOCK_MONOTONIC, the same for all processes). The measuring process asks MySQL for rows
it has not seen, about every half millisecond. A row's latency includes the wait for the next look.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from tests.benchmarks.bench import Site, fresh

_CONNECTIONS = 8
_WARM_UP = 2.0
_FIRST = 1_000_000
_PAUSE = 0.0005
_SQL = "INSERT INTO bench VALUES (%s, 7, 'new', 12.50, 'a note that is about as long as a note is', now())"


def latency(site: Site, rate: int, seconds: int) -> dict[str, Any]:
    """Percentiles of the time between a commit's return and the row's visibility in MySQL."""
    with fresh(site, "latency") as bench:
        bench.fill(1, 1000)
        bench.sync.start()
        bench.wait_for_row(1000, 60)
        time.sleep(1)
        ours, theirs = multiprocessing.Pipe()
        count = int(rate * (seconds + _WARM_UP))
        arguments = (bench.source_url, rate, count, theirs)
        writer = multiprocessing.get_context("spawn").Process(target=_write, args=arguments, daemon=True)
        before = bench.sync.usage()
        writer.start()
        visible = _watch(bench, count)
        committed: dict[int, float] = ours.recv()
        writer.join(10)
        usage = bench.sync.usage()
        bench.check_equal()
    warm = _FIRST + int(rate * _WARM_UP)
    times = sorted((visible[row] - at) * 1000 for row, at in committed.items() if row >= warm)
    began, ended = min(committed.values()), max(committed.values())
    return {
        "commits": len(times),
        "commits_per_second": len(committed) / (ended - began),
        "p50_ms": _percentile(times, 0.50),
        "p90_ms": _percentile(times, 0.90),
        "p99_ms": _percentile(times, 0.99),
        "p999_ms": _percentile(times, 0.999),
        "max_ms": times[-1],
        "peak_mb": usage.peak_mb,
        "cpu_seconds_per_million": (usage.cpu_seconds - before.cpu_seconds) / len(committed) * 1e6,
    }


def _watch(bench: Any, count: int) -> dict[int, float]:
    """When each row was first seen."""
    seen: dict[int, float] = {}
    low = _FIRST - 1  # every row up to here was seen
    last = time.monotonic()
    with bench.target() as connection, connection.cursor() as cursor:
        while len(seen) < count:
            cursor.execute("SELECT id FROM bench WHERE id > %s", [low])
            now = time.monotonic()
            for (row,) in cursor.fetchall():
                if row not in seen:
                    seen[row] = last = now
            while low + 1 in seen:
                low += 1
            if now - last > 60:
                raise RuntimeError(f"{count - len(seen)} rows did not arrive:\n{bench.sync.output[-3000:]}")
            time.sleep(_PAUSE)
    return seen


def _write(url: str, rate: int, count: int, answer: Connection) -> None:
    """Body of the writing process."""
    committed: dict[int, float] = {}
    began = time.monotonic() + 1
    threads = [
        threading.Thread(
            target=_write_some, args=(url, rate, range(first, count, _CONNECTIONS), began, committed)
        )
        for first in range(_CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer.send(committed)


def _write_some(url: str, rate: int, numbers: range, began: float, committed: dict[int, float]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for number in numbers:
            pause = began + number / rate - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            connection.execute(_SQL, [_FIRST + number])
            committed[_FIRST + number] = time.monotonic()


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
