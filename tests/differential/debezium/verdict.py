"""Judges differences by the deviations that are meant."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tests.differential.debezium.case import Case, Deviation, Workload
from tests.differential.debezium.diff import differences

EVERYWHERE = (Deviation(r"\.source\.snapshot$", "`source.snapshot` of streamed events", '^null != "false"$'),)
"""Deviations of every workload."""
Side = dict[str, Any]
"""`topics` (records by topic), `failed` (why it does not run, or None)."""


def unexplained(workload: Workload, case: Case, java: Side, ours: Side) -> tuple[list[str], set[Deviation]]:
    """Differences that no deviation covers, alike ones in one line, and the deviations that were met."""
    every = (*EVERYWHERE, *workload.deviations, *case.deviations)
    known = [(re.compile(d.path), re.compile(d.what), d) for d in every]
    met: set[Deviation] = set()
    lines: Counter[str] = Counter()
    found = list(differences(java["topics"], ours["topics"]))
    if bool(java["failed"]) != bool(ours["failed"]):
        found.append(("failed", f"{java['failed']} != {ours['failed']}"))
    for place, what in found:
        covering = [d for path, value, d in known if path.search(place) and value.search(what)]
        met.update(covering)
        if not covering:
            lines[f"{re.sub(r'#[0-9]+', '#', place)}: {what}"] += 1
    return [f"{line} ({count}x)" if count > 1 else line for line, count in lines.items()], met
