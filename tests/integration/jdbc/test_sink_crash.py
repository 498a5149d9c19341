"""kill -9 at every named point of the sink: nothing is lost and nothing happens twice (INV-8)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.fix_servers import Database
from tests.support.jdbc_crash import EXPECTED

POINTS = ("between_ledger_and_rows", "before_target_commit", "after_target_commit")


def run(url: str, failpoints: str, *modes: str) -> int:
    command = [sys.executable, "-m", "tests.support.jdbc_crash", url, *modes]
    return subprocess.run(
        command, env=os.environ | {"REPLICATOR_FAILPOINTS": failpoints}, timeout=60, check=False
    ).returncode


@pytest.mark.parametrize("modes", [(), ("ahead",)], ids=["", "ahead"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_again_and_again(
    mysql_database: Database, point: str, modes: tuple[str, ...]
) -> None:
    killed = 0
    for passes in (1, 2, 3, 5, 9, 4, 2):
        code = run(mysql_database.url, f"{point}:kill@{passes}", *modes)
        assert code in (-9, 0)
        killed += code == -9
    assert killed >= 4
    assert run(mysql_database.url, "", *modes) == 0
    assert dict(mysql_database.query("SELECT word, count(*) FROM log GROUP BY word")) == EXPECTED


def test_killed_between_truncate_and_ledger(mysql_database: Database) -> None:
    for _ in range(2):
        assert run(mysql_database.url, "between_truncate_and_ledger:kill@1") == -9
        assert mysql_database.query("SELECT count(*) FROM log") == [(0,)]
    assert run(mysql_database.url, "") == 0
    assert dict(mysql_database.query("SELECT word, count(*) FROM log GROUP BY word")) == EXPECTED
