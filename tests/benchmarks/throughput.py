"""Snapshot, catch-up and one huge transaction: rows a second, memory and processor time."""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg

from tests.benchmarks.bench import INSERT, Bench, Site, fresh

_PATIENCE = 600.0


def snapshot(site: Site, rows: int) -> dict[str, Any]:
    """From process start until the last row of the table is visible in MySQL."""
    with fresh(site, "snapshot") as bench:
        bench.fill(1, rows)
        bench.settle()
        began = time.perf_counter()
        bench.sync.start()
        seconds = bench.wait_for_row(rows, _PATIENCE) - began
        usage = bench.sync.usage()
        bench.check_equal()
        return {
            "rows": rows,
            "seconds": seconds,
            "per_second": rows / seconds,
            "peak_mb": usage.peak_mb,
            "cpu_seconds": usage.cpu_seconds,
            "cpu_seconds_per_million": usage.cpu_seconds / rows * 1e6,
        }


def catchup(site: Site, changes: int) -> dict[str, Any]:
    """From process start until a backlog that grew while the service was down is visible in MySQL."""
    base = max(1000, changes // 4)
    with fresh(site, "catchup") as bench:
        bench.fill(1, base)
        bench.sync.start()
        bench.wait_for_row(base, _PATIENCE)
        bench.sync.stop()
        written = _write_backlog(bench, base, changes)
        bench.settle()
        began = time.perf_counter()
        bench.sync.start()
        seconds = bench.wait_for_row(-1, _PATIENCE) - began
        usage = bench.sync.usage()
        bench.check_equal()
        total = written["changes"]
        return {
            **written,
            "seconds": seconds,
            "per_second": total / seconds,
            "peak_mb": usage.peak_mb,
            "cpu_seconds": usage.cpu_seconds,
            "cpu_seconds_per_million": usage.cpu_seconds / total * 1e6,
        }


def big_transaction(site: Site, rows: int) -> dict[str, Any]:
    """One transaction, streamed while the service runs: memory must not follow its size."""
    with fresh(site, "big") as bench:
        bench.fill(1, 1000)
        bench.sync.start()
        bench.wait_for_row(1000, _PATIENCE)
        before = bench.sync.usage()
        bench.fill(1001, 1000 + rows)
        began = time.perf_counter()
        seconds = bench.wait_for_row(1000 + rows, _PATIENCE) - began
        usage = bench.sync.usage()
        bench.check_equal()
        return {
            "rows": rows,
            "seconds_after_commit": seconds,
            "per_second": rows / seconds,
            "peak_mb_before": before.peak_mb,
            "peak_mb": usage.peak_mb,
            "cpu_seconds_per_million": (usage.cpu_seconds - before.cpu_seconds) / rows * 1e6,
        }


def _write_backlog(bench: Bench, base: int, wanted: int) -> dict[str, int]:
    """Transactions of 1 to 1000 changes, half inserts, 40 % updates, 10 % deletes; row -1 comes last."""
    pick = random.Random(11)
    done = transactions = 0
    following = base + 1
    with bench.source() as connection:
        # Only for the writer, whose speed is not what is measured.
        connection.execute("SET synchronous_commit = off")
        while done < wanted:
            size = min(pick.choice((1, 1, 1, 5, 20, 100, 300, 1000)), wanted - done)
            with connection.transaction():
                done += _write(connection, size, following, pick)
            following += size
            transactions += 1
        connection.execute("INSERT INTO bench VALUES (-1, 0, 'end', 0, NULL, now())")
    return {"changes": done + 1, "transactions": transactions + 1, "rows_before": base}


def _write(connection: psycopg.Connection, size: int, first: int, pick: random.Random) -> int:
    inserts, updates = (size + 1) // 2, size * 2 // 5
    deletes = size - inserts - updates
    done = connection.execute(INSERT.format(first=first, last=first + inserts - 1)).rowcount
    if updates:
        ids = pick.sample(range(1, first), min(updates, first - 1))
        change = (
            "UPDATE bench SET amount = amount + 1, status = 'paid', updated_at = now() WHERE id = ANY(%s)"
        )
        done += connection.execute(change, [ids]).rowcount
    if deletes:
        ids = pick.sample(range(1, first), min(deletes, first - 1))
        done += connection.execute("DELETE FROM bench WHERE id = ANY(%s)", [ids]).rowcount
    return done
