"""A role that owns nothing: what preflight prints for the owner is enough to replicate."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, refusal, verified


@pytest.fixture
def role(pg_database: Database) -> Iterator[str]:
    name = f"guest_{pg_database.name}"
    pg_database.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'guest'")
    try:
        yield name
    finally:
        pg_database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def _remedies(text: str) -> list[str]:
    """The statements behind `As superuser:` and `As the owner:`."""
    found = re.findall(r"-> As (?:superuser|the owner): (.*)", text)
    return [s.strip() for line in found for s in re.split(r";(?: |$)", line) if s.strip()]


@pytest.mark.parametrize("keyless", [False, True])
def test_the_printed_statements_are_enough(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, role: str, keyless: bool
) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)", 'CREATE SCHEMA "S 1"',
        'CREATE TABLE "S 1"."T 2" (id int PRIMARY KEY)',
        *(["CREATE TABLE k (a int)"] if keyless else []),
    )  # fmt: skip
    url = pg_database.url.replace("postgres:postgres@", f"{role}:guest@")
    sync = make_sync(url, mysql_database)
    text = refusal(sync)
    statements = _remedies(text)
    assert any(s.startswith("CREATE PUBLICATION") for s in statements), text
    pg_database.execute(*statements)
    catch_up(sync)
    pg_database.execute("INSERT INTO t VALUES (2)", 'INSERT INTO "S 1"."T 2" VALUES (3)')
    catch_up(sync)
    verified(sync)
    # A table that came later is not in the owner's publication: the others go on without it.
    pg_database.execute("CREATE TABLE late (id int PRIMARY KEY)", "INSERT INTO t VALUES (4)")
    text = catch_up(sync)
    assert "NOT REPLICATED" in text, text
    assert mysql_database.query("SELECT count(*) FROM t") == [(3,)]
    statements = _remedies(text)
    assert any("ALTER PUBLICATION" in s and '"late"' in s for s in statements), text
