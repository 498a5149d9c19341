"""`make bench`: measure the whole way from Postgres to MySQL and print the figures beside those asked for.

Every figure counts from the start of the process (snapshot, catch-up) or from the commit (latency) until the
row can be read in MySQL, with the servers' durability at its defaults. Never fails because of a time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.devservers import ServerUnavailable, ensure_running
from tests.benchmarks import converters, figures
from tests.benchmarks.latency import latency
from tests.benchmarks.throughput import big_transaction, catchup, snapshot
from tests.benchmarks.transforms import print_costs

PARTS = ("snapshot", "catchup", "latency", "big")
WITHOUT_SERVERS = {"transforms": print_costs, "converters": converters.print_costs}
"""Parts that print a table of their own."""


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    os.chdir(Path(__file__).resolve().parents[2])
    for name in options.only:
        if name in WITHOUT_SERVERS:
            WITHOUT_SERVERS[name]()
    options.only = [name for name in options.only if name in PARTS]
    if not options.only:
        return 0
    try:
        postgres, mysql = ensure_running("postgres"), ensure_running("mysql")
    except ServerUnavailable as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "snapshot": lambda: snapshot(postgres, mysql, options.rows),
        "catchup": lambda: catchup(postgres, mysql, options.changes or options.rows * 4 // 5),
        "latency": lambda: latency(postgres, mysql, options.rate, options.seconds),
        "big": lambda: big_transaction(postgres, mysql, options.big_rows or options.rows * 2),
    }
    results: figures.Results = {}
    for name in options.only:
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        results[name] = parts[name]()
    figures.print_table(results)
    versions = {"postgres": postgres.running_version, "mysql": mysql.running_version}
    kept = figures.keep(results, versions, options.keep_in)
    print(f"kept in {kept}")
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--only", type=_parts, default=[*PARTS, *WITHOUT_SERVERS], help=f"some of {_known()}")
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the snapshot; the rest follows it")
    parser.add_argument("--changes", type=int, help="changes of the backlog (4/5 of --rows)")
    parser.add_argument("--big-rows", type=int, help="rows of the one transaction (twice --rows)")
    parser.add_argument("--rate", type=int, default=1000, help="commits a second while latency is measured")
    parser.add_argument("--seconds", type=int, default=30, help="how long latency is measured")
    parser.add_argument("--keep-in", type=Path, default=Path(".dev/bench"), help="folder of the JSON files")
    return parser.parse_args(arguments)


def _parts(text: str) -> list[str]:
    chosen = text.split(",")
    for name in chosen:
        if name not in PARTS and name not in WITHOUT_SERVERS:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {_known()}")
    return chosen


def _known() -> str:
    return ", ".join((*PARTS, *WITHOUT_SERVERS))


if __name__ == "__main__":
    sys.exit(main())
