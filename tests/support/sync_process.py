"""`replicator sync` as a child process between two databases of a test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.service import Outcome, Sync, until
from tests.support.fix_servers import Database

MakeSync = Callable[..., Sync]

_numbers = itertools.count(1)


@pytest.fixture
def make_sync(tmp_path: Path) -> Iterator[MakeSync]:
    """A factory of pipelines: `make_sync(source, target, *options, port=..., name=..., env=...)`; none runs yet."""
    made: list[Sync] = []

    def make(source: Database | str, target: Database | str, *options: str, **settings: Any) -> Sync:
        # Slots are the server's, not the database's: names must differ between test runs.
        name = settings.pop("name", None) or f"t{os.getpid()}_{next(_numbers)}"
        sync = Sync(_url(source), _url(target), name, tmp_path / "data", options=options, **settings)
        made.append(sync)
        return sync

    yield make
    for sync in made:
        sync.kill()


def catch_up(sync: Sync, *options: str, timeout: float = 100) -> str:
    """Run until everything written so far is in the target; what this run printed."""
    before = len(sync.output)
    code = sync.start("--until-caught-up", *options).wait(timeout)
    printed = sync.output[before:]
    assert code == 0, printed
    return printed


def refusal(sync: Sync, *options: str, timeout: float = 100) -> str:
    """Run a pipeline that must be refused; what it printed."""
    code = sync.start("--until-caught-up", *options).wait(timeout)
    assert code == 1, f"exit code {code}:\n{sync.output}"
    return sync.output


def running(sync: Sync, target: Database, table: str, timeout: float = 90) -> Sync:
    """Start and wait until a table has rows in the target."""
    sync.start()

    def arrived() -> bool:
        assert sync.running(), sync.output
        return has_table(target, table) and target.query(f"SELECT count(*) FROM {table}")[0][0] > 0

    until(arrived, timeout)
    return sync


def has_table(target: Database, table: str) -> bool:
    """Whether the target (MySQL or MariaDB) has the table."""
    sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
    return bool(target.query(sql, [target.name, table.strip("`")]))


def verified(sync: Sync, code: int = 0, *options: str) -> Outcome:
    """Verify and expect an exit code."""
    outcome = sync.verify("--settle", "1.5", "--timeout", "80", *options)
    assert outcome.code == code, (
        f"verify ended with {outcome.code}:\n{outcome.text}\n--- sync:\n{sync.output[-4000:]}"
    )
    return outcome


def slots(source: Database, sync: Sync) -> list[str]:
    """Replication slots of the pipeline."""
    sql = "SELECT slot_name FROM pg_replication_slots WHERE slot_name = %s"
    return [row[0] for row in source.query(sql, [f"replicator_{sync.name}"])]


def publications(source: Database) -> list[str]:
    """Publications in the source."""
    return [row[0] for row in source.query("SELECT pubname FROM pg_publication ORDER BY pubname")]


def target_tables(target: Database) -> list[str]:
    """Tables in the target (MySQL or MariaDB)."""
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1"
    return [row[0] for row in target.query(sql, [target.name])]


def _url(side: Database | str) -> str:
    return side if isinstance(side, str) else side.url
