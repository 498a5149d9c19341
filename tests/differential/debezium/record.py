"""Runs workloads through Java and our source at once, says what differs, and keeps Java's answers.

python -m tests.differential.debezium.record [--keep] [WORKLOAD ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from scripts.devservers import private_instance
from tests.differential.debezium import golden
from tests.differential.debezium.java import java_connect
from tests.differential.debezium.perform import perform
from tests.differential.debezium.verdict import unexplained
from tests.differential.debezium.workloads import WORKLOADS
from tests.support.running_servers import Server


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="write Java's answers to the golden files")
    parser.add_argument("workloads", nargs="*")
    wanted = parser.parse_args()
    bad = records = cases = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        private_instance("postgres") as postgres,
        java_connect(Path(folder)) as java,
    ):
        server = Server(postgres)
        try:
            for workload in WORKLOADS:
                if wanted.workloads and workload.name not in wanted.workloads:
                    continue
                began = time.monotonic()
                sides = perform(workload, server, java)
                print(f"== {workload.name}: {time.monotonic() - began:.1f} s")
                for case in workload.cases:
                    side = sides[case.name]
                    lines, met = unexplained(workload, case, side["java"], side["ours"])
                    unmet = [d.path for d in case.deviations if d not in met]
                    count = sum(map(len, side["java"]["topics"].values()))
                    records, cases, bad = records + count, cases + 1, bad + len(lines) + len(unmet)
                    print(f"-- {case.name}: {count} records, {len(lines)} unexplained, not met: {unmet}")
                    for name in ("java", "ours"):
                        if side[name]["failed"]:
                            print(f"   {name} failed: {side[name]['failed'][:400]}")
                    for line in lines[:60]:
                        print(f"   {line}")
                if wanted.keep:
                    golden.save(workload.name, {name: side["java"] for name, side in sides.items()})
        except BaseException:
            print((Path(folder) / "java.log").read_text()[-6000:])
            raise
    print(f"{cases} configurations, {records} records, {bad} unexplained")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
