"""Schemas as strangers bring them: well-known sample databases and a large application, alive and altered.

`schemas/NAME.sql` makes tables and rows, `schemas/NAME_changes.sql` (one statement per line) is what the application
and its owner do while the pipeline runs. ALTER TABLE can change older rows without an event; tables where that
happens, and those without replica identity, are the only ones that may differ at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts.service import until
from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, target_tables, verified

SCHEMAS = Path(__file__).with_name("schemas")


@dataclass(frozen=True)
class Case:
    """A schema and how its tables compare after the copy (None: not looked at) and after the changes."""

    name: str
    copied: int | None = 0
    changed: int = 0
    different: frozenset[str] = field(default_factory=frozenset)
    options: tuple[str, ...] = ()


CASES = [
    # A partition is attached and one detached with its rows.
    Case("film_rental", changed=1, different=frozenset({"public.payment"})),
    # A column is renamed.
    Case("music_store", changed=1, different=frozenset({"public.Invoice Line"})),
    # A date before year one, infinity and NaN.
    Case("trade", changed=3),
    # A number of thirty digits in a document; a column is added with a sequence's values.
    Case("flights", copied=3, changed=1, different=frozenset({"bookings.boarding_passes"})),
]
LARGE = Case(
    "large_application",
    copied=None,
    changed=1,
    different=frozenset({"public.deferred", "public.loose_partitions", "public.project_authorizations"}),
    options=("--skip-unsupported",),
)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_sample_schema(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, case: Case
) -> None:
    _copy_change_compare(case, pg_database, mysql_database, make_sync)


def test_sample_schema_to_mariadb(
    pg_database: Database, mariadb_database: Database, make_sync: MakeSync
) -> None:
    # MariaDB keeps documents as text, so the long number is not lost.
    flights = Case("flights", changed=1, different=frozenset({"bookings.boarding_passes"}))
    _copy_change_compare(flights, pg_database, mariadb_database, make_sync)


def test_large_application(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    first = _copy_change_compare(LARGE, pg_database, mysql_database, make_sync)
    assert "Running with 417 tables" in first
    for left_out in ("no_columns", "nothing_but_generated", "cache_entries"):
        assert f"Left out: public.{left_out} " in first
        assert left_out not in target_tables(mysql_database)
    assert "entities_100" in target_tables(mysql_database)  # has no rows


def _copy_change_compare(case: Case, source: Database, target: Database, make_sync: MakeSync) -> str:
    """What the first run printed."""
    source.execute((SCHEMAS / f"{case.name}.sql").read_text())
    sync = make_sync(source, target, *case.options)
    first = catch_up(sync)
    if case.copied is not None:
        verified(sync, case.copied)
    before = len(sync.output)
    sync.start()
    until(lambda: "Running with" in sync.output[before:], 60)
    source.execute(*_statements(case))
    assert sync.stop() == 0, sync.output[before:]
    catch_up(sync)
    outcome = verified(sync, case.changed)
    found = re.findall(r"^  (.+?): [\d,]+ rows, DI(?:FFERENT|VERGED)", outcome.text, re.MULTILINE)
    assert set(found) == case.different, outcome.text
    return first


def _statements(case: Case) -> list[str]:
    lines = (SCHEMAS / f"{case.name}_changes.sql").read_text().splitlines()
    return [line for line in lines if line.strip()]
