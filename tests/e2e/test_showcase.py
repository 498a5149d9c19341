"""The demo and the benchmarks work: shortest runs of what `make demo` and `make bench` call."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fix_servers import Server

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.usefixtures("postgres", "mysql")
def test_demo_ends_equal_and_leaves_nothing(postgres: Server, mysql: Server) -> None:
    done = _run("scripts/demo.py", "--seconds", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "EQUAL: MySQL holds exactly what Postgres holds." in done.stdout
    assert "schema change under load" in done.stdout
    assert "\033[" not in done.stdout
    with postgres.connect() as source:
        left = source.execute(
            "SELECT slot_name FROM pg_replication_slots WHERE slot_name = 'replicator_demo'"
        )
        assert left.fetchall() == []
        assert source.execute("SELECT 1 FROM pg_database WHERE datname = 'replicator_demo'").fetchall() == []
    with mysql.connect() as target, target.cursor() as cursor:
        assert cursor.execute("SHOW DATABASES LIKE 'replicator_demo'") == 0


@pytest.mark.usefixtures("postgres", "mysql")
def test_every_part_of_the_benchmarks_runs(tmp_path: Path) -> None:
    sizes = ["--rows", "3000", "--changes", "2000", "--big-rows", "5000", "--seconds", "2", "--rate", "100"]
    done = _run("-m", "tests.benchmarks.run", "--keep-in", str(tmp_path), *sizes)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "latest.json").read_text())
    assert figures["snapshot"]["rows"] == 3000
    assert figures["catchup"]["changes"] >= 2000
    assert figures["latency"]["p50_ms"] > 0
    assert figures["big"]["peak_mb"] > 10
    assert "commit to visible" in done.stdout


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
