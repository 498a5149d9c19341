"""`make bench-java`: Debezium and Kafka Connect on Java, and Debezium Server, beside ours, on the same work in one run.

Between the same databases and, but for Debezium Server and `replicator sync`, through the same Kafka node; one after
the other, part by part. Takes minutes. Debezium Server is left out, with a word, where it cannot be had.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from scripts.devservers import Instance, ServerUnavailable, ensure_running
from scripts.devservers.kafka import Kafka
from tests.benchmarks import figures, java_connect, java_server
from tests.benchmarks.bench import Pipeline, Site, embedded
from tests.benchmarks.java_connect import JavaConnect
from tests.benchmarks.java_server import DebeziumServer
from tests.benchmarks.run import PARTS, add_options, measured, own_kafka, workers

_COMPARED = ("snapshot", "catchup", "latency")
_ROWS = 200_000
_JAVA = f"Debezium {java_connect.DEBEZIUM}, Kafka Connect {java_connect.CONNECT}, JDBC sink"
_SERVER = f"Debezium Server {java_connect.DEBEZIUM} with its JDBC sink, without Kafka"
_FIGURES = (
    ("snapshot", "per_second", "snapshot, rows/s", True),
    ("catchup", "per_second", "catch-up, changes/s", True),
    ("latency", "p50_ms", "commit to visible, p50, ms", False),
    ("latency", "p99_ms", "commit to visible, p99, ms", False),
    ("catchup", "cpu_seconds_per_million", "processor seconds per million changes", False),
    ("catchup", "peak_mb", "peak memory of the largest process, MB", False),
)
"""Part, figure, text, and whether more is better."""


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; 1 when Java or its jars cannot be had."""
    parser = argparse.ArgumentParser(prog="make bench-java ARGS=", description=__doc__)
    add_options(parser)
    parser.set_defaults(rows=_ROWS, seconds=10, only=list(_COMPARED))
    options = parser.parse_args(arguments)
    options.only = [name for name in options.only if name in PARTS]
    os.chdir(Path(__file__).resolve().parents[2])
    try:
        java_connect.fetch()
        with ExitStack() as servers:
            _compare(options, servers)
    except ServerUnavailable as reason:
        print(f"bench-java: Java's side cannot be measured here: {reason}", file=sys.stderr)
        return 1
    return 0


def _compare(options: argparse.Namespace, servers: ExitStack) -> None:
    postgres, mysql, kafka = ensure_running("postgres"), ensure_running("mysql"), own_kafka(servers)
    sides = {_JAVA: Site(postgres, mysql, partial(java, kafka))}
    try:
        java_server.fetch()
        sides[_SERVER] = Site(postgres, mysql, DebeziumServer)
    except ServerUnavailable as reason:
        print(f"bench-java: without Debezium Server: {reason}", file=sys.stderr)
    sides |= {
        "replicator, two workers through Kafka": Site(postgres, mysql, partial(workers, kafka)),
        "replicator sync": Site(postgres, mysql, embedded),
    }
    found = {name: measured(site, options, f"{name}: ") for name, site in sides.items()}
    print_ratios(found)
    versions = {
        "postgres": postgres.running_version,
        "mysql": mysql.running_version,
        "kafka": kafka.version(),
    }
    flat = {f"{side} / {part}": figure for side, parts in found.items() for part, figure in parts.items()}
    print(f"kept in {figures.keep(flat, versions, options.keep_in / 'java')}")


def java(kafka: Kafka, postgres: Instance, mysql: Instance, name: str) -> Pipeline:
    """Java's worker on this Kafka."""
    return JavaConnect(postgres, mysql, kafka, name)


def print_ratios(found: dict[str, figures.Results]) -> None:
    """Each figure of each side; in brackets how many times better than the first side's."""
    first, *others = found
    for number, name in enumerate(found):
        print(f"  ({number + 1}) {name}")
    print(f"{'':<42}{'(1)':>10}" + "".join(f"{f'({n + 2})':>20}" for n in range(len(others))))
    for part, figure, text, more in _FIGURES:
        if part not in found[first]:
            continue
        base = found[first][part][figure]
        line = f"{text:<42}{base:>10,.0f}"
        for name in others:
            value = found[name][part][figure]
            ratio = value / base if more else base / value
            line += f"{f'{value:,.0f} ({ratio:.1f} x)':>20}"
        print(line)


if __name__ == "__main__":
    sys.exit(main())
