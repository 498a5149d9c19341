"""Measured figures beside the asked ones: as a table, and kept as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

Results = dict[str, dict[str, Any]]
ASKED: dict[str, dict[str, str]] = {
    "embedded": {
        "snapshot": ">= 60,000 rows/s",
        "catchup": ">= 40,000 changes/s",
        "latency": "<= 6 / 15 ms",
        "cpu": "<= 20 s",
        "memory": "<= 150 MB",
    },
    "kafka": {
        "catchup": ">= 30,000 changes/s",
        "latency": "<= 12 / 30 ms",
        "cpu": "<= 50 s",
        "memory": "<= 180 MB a worker",
        "takeover": "<= session + 3 s",
    },
}
"""What is asked of each broker's way."""


def lines(results: Results, asked: dict[str, str]) -> list[tuple[str, str, str]]:
    """What was asked and what was measured, one row per figure; parts that did not run are left out."""
    found = []
    if part := results.get("snapshot"):
        text = f"snapshot, {part['rows']:,} rows of 6 columns"
        found.append((text, asked.get("snapshot", ""), f"{part['per_second']:,.0f} rows/s"))
    if part := results.get("catchup"):
        text = f"catch-up, {part['changes']:,} changes in {part['transactions']:,} transactions"
        found.append((text, asked["catchup"], f"{part['per_second']:,.0f} changes/s"))
    if part := results.get("latency"):
        text = f"commit to visible at {part['commits_per_second']:,.0f} commits/s, p50 / p99"
        found.append((text, asked["latency"], f"{part['p50_ms']:.1f} / {part['p99_ms']:.1f} ms"))
    if part := results.get("catchup"):
        found.append(
            (
                "processor time per million changes (catch-up)",
                asked["cpu"],
                f"{part['cpu_seconds_per_million']:.1f} s",
            )
        )
    if part := results.get("snapshot"):
        found.append(
            ("processor time per million rows (snapshot)", "", f"{part['cpu_seconds_per_million']:.1f} s")
        )
    usual = [part["peak_mb"] for name, part in results.items() if name != "big" and "peak_mb" in part]
    if usual:
        found.append(("peak memory", asked["memory"], f"{max(usual):.0f} MB"))
    if part := results.get("big"):
        text = f"peak memory, one transaction of {part['rows']:,} rows"
        found.append((text, asked["memory"], f"{part['peak_mb']:.0f} MB"))
        text = "the same, from its commit to the last row visible"
        found.append((text, "", f"{part['seconds_after_commit']:.1f} s"))
    if part := results.get("takeover"):
        text = f"kill -9 to rows flowing, session {part['session_seconds']:.0f} s, worker of source / sink"
        times = f"{part['source_seconds']:.1f} / {part['sink_seconds']:.1f} s"
        found.append((text, asked.get("takeover", ""), times))
        if "planned_source_seconds" in part:
            times = f"{part['planned_source_seconds']:.1f} / {part['planned_sink_seconds']:.1f} s"
            found.append(("the same from the end of a worker stopped by SIGTERM", "no time-out", times))
    return found


def print_table(results: Results, asked: dict[str, str]) -> None:
    """The table on stdout."""
    rows = [("", "asked", "measured"), *lines(results, asked)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for number, row in enumerate(rows):
        print("  ".join((row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]))))
        if number == 0:
            print("  ".join("-" * width for width in widths))


def keep(results: Results, versions: dict[str, str], folder: Path) -> Path:
    """Write the figures with what they were measured on; the file."""
    folder.mkdir(parents=True, exist_ok=True)
    now = time.time()
    machine = {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        **versions,
    }
    text = json.dumps(
        {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)), "machine": machine, **results}, indent=2
    )
    path = folder / time.strftime("%Y%m%dT%H%M%SZ.json", time.gmtime(now))
    for file in (path, folder / "latest.json"):
        file.write_text(text + "\n")
    return path


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
