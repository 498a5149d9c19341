"""`make bench`: measure the whole way from Postgres to MySQL and print the figures beside those asked for.

Every figure counts from the start of the process (snapshot, catch-up) or from the commit (latency) until the
row can be read in MySQL, with the servers' durability at its defaults. Never fails because of a time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, cast

from scripts.devservers import Instance, ServerUnavailable, ensure_running, private_instance
from scripts.devservers.kafka import Kafka
from tests.benchmarks import converters, figures
from tests.benchmarks.bench import Pipeline, Site, embedded
from tests.benchmarks.connect import Workers
from tests.benchmarks.latency import latency
from tests.benchmarks.takeover import takeover
from tests.benchmarks.throughput import big_transaction, catchup, snapshot
from tests.benchmarks.transforms import print_costs

PARTS = ("snapshot", "catchup", "latency", "big")
WITH_KAFKA = ("takeover",)
WITHOUT_SERVERS = {"transforms": print_costs, "converters": converters.print_costs}
"""Parts that print a table of their own."""


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    os.chdir(Path(__file__).resolve().parents[2])
    for name in options.only:
        if name in WITHOUT_SERVERS:
            WITHOUT_SERVERS[name]()
    here = PARTS if options.broker == "embedded" else (*PARTS, *WITH_KAFKA)
    options.only = [name for name in options.only if name in here]
    if not options.only:
        return 0
    try:
        with ExitStack() as servers:
            _measure(options, servers)
    except ServerUnavailable as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    return 0


def _measure(options: argparse.Namespace, servers: ExitStack) -> None:
    postgres, mysql = ensure_running("postgres"), ensure_running("mysql")
    versions = {"postgres": postgres.running_version, "mysql": mysql.running_version}
    make: Callable[[Instance, Instance, str], Pipeline] = embedded
    if options.broker == "kafka":
        kafka = own_kafka(servers)
        versions["kafka"] = kafka.version()
        make = partial(workers, kafka)
    results = measured(Site(postgres, mysql, make), options)
    figures.print_table(results, figures.ASKED[options.broker])
    # What stands in the README is the embedded broker's: others have a folder of their own.
    folder = options.keep_in if options.broker == "embedded" else options.keep_in / options.broker
    print(f"kept in {figures.keep(results, versions, folder)}")


def own_kafka(servers: ExitStack) -> Kafka:
    """A node for this run, with nothing in it."""
    return cast(Kafka, servers.enter_context(private_instance("kafka", _as_in_production)))


def _as_in_production(kafka: Kafka) -> None:
    """Groups that start wait a moment for further members: by default 3 s, here as long as processes take to start."""
    kafka.settings["group.initial.rebalance.delay.ms"] = "200"


def workers(kafka: Kafka, postgres: Instance, mysql: Instance, name: str) -> Pipeline:
    """Two distributed workers on this Kafka."""
    return Workers(postgres, mysql, kafka, name)


def measured(site: Site, options: argparse.Namespace, label: str = "") -> figures.Results:
    """The figures of the parts that were chosen."""
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "snapshot": lambda: snapshot(site, options.rows),
        "catchup": lambda: catchup(site, options.changes or options.rows * 4 // 5),
        "latency": lambda: latency(site, options.rate, options.seconds),
        "big": lambda: big_transaction(site, options.big_rows or options.rows * 2),
        "takeover": lambda: takeover(site),
    }
    results: figures.Results = {}
    for name in options.only:
        print(f"bench: {label}{name} ...", file=sys.stderr, flush=True)
        results[name] = parts[name]()
    return results


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    add_options(parser)
    return parser.parse_args(arguments)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every benchmark takes."""
    everything = [*PARTS, *WITH_KAFKA, *WITHOUT_SERVERS]
    parser.add_argument("--only", type=_parts, default=everything, help=f"some of {_known()}")
    parser.add_argument(
        "--broker", choices=("embedded", "kafka"), default="embedded", help="kafka: two distributed workers"
    )
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the snapshot; the rest follows it")
    parser.add_argument("--changes", type=int, help="changes of the backlog (4/5 of --rows)")
    parser.add_argument("--big-rows", type=int, help="rows of the one transaction (twice --rows)")
    parser.add_argument("--rate", type=int, default=1000, help="commits a second while latency is measured")
    parser.add_argument("--seconds", type=int, default=30, help="how long latency is measured")
    parser.add_argument("--keep-in", type=Path, default=Path(".dev/bench"), help="folder of the JSON files")


def _parts(text: str) -> list[str]:
    chosen = text.split(",")
    for name in chosen:
        if name not in (*PARTS, *WITH_KAFKA, *WITHOUT_SERVERS):
            raise argparse.ArgumentTypeError(f"'{name}' is none of {_known()}")
    return chosen


def _known() -> str:
    return ", ".join((*PARTS, *WITH_KAFKA, *WITHOUT_SERVERS))


if __name__ == "__main__":
    sys.exit(main())
