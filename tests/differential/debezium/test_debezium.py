"""Our Postgres source against Debezium's recorded answers; with REPLICATOR_TEST_JAVA=1 against Debezium itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.differential.debezium import golden
from tests.differential.debezium.case import Workload
from tests.differential.debezium.java import java_connect
from tests.differential.debezium.perform import perform
from tests.differential.debezium.verdict import unexplained
from tests.differential.debezium.workloads import WORKLOADS
from tests.support.fix_servers import Server

ROOT = Path(__file__).resolve().parents[3]
BY_NAME = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.name)


@pytest.mark.timeout(300)
@BY_NAME
def test_as_debezium_recorded(workload: Workload, postgres: Server) -> None:
    """Every record of every configuration is Java's, but for the deviations that are meant."""
    recorded = golden.load(workload.name)
    sides = perform(workload, postgres, None)
    problems = []
    for case in workload.cases:
        lines, met = unexplained(workload, case, recorded[case.name], sides[case.name]["ours"])
        problems += [f"{case.name}: {line}" for line in lines]
        problems += [f"{case.name}: no longer needed: {d}" for d in case.deviations if d not in met]
    assert not problems, "\n".join(problems[:100])


def test_deviations_are_documented() -> None:
    """Each deviation cites words of the page that lists them; no two cases share a name."""
    page = (ROOT / "docs" / "compatibility.md").read_text()
    every = [d for w in WORKLOADS for d in (*w.deviations, *(d for c in w.cases for d in c.deviations))]
    assert [d for d in every if d.cites not in page] == []
    names = [case.name for workload in WORKLOADS for case in workload.cases]
    assert len(names) == len(set(names))


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(
    os.environ.get("REPLICATOR_TEST_JAVA") != "1",
    reason="REPLICATOR_TEST_JAVA is not set: starts Debezium on Java's Kafka Connect",
)
def test_as_debezium_itself(private_postgres: Callable[[], Server], tmp_path: Path) -> None:
    """The same with both at once on the same databases."""
    problems = []
    postgres = private_postgres()
    with java_connect(tmp_path) as java:
        for workload in WORKLOADS:
            sides = perform(workload, postgres, java)
            for case in workload.cases:
                side = sides[case.name]
                lines, _ = unexplained(workload, case, side["java"], side["ours"])
                problems += [f"{case.name}: {line}" for line in lines]
    assert not problems, "\n".join(problems[:100])
