"""Findings on the source: each names its table and carries the statement that remedies it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from connectors.postgres import longest_keys
from connectors.postgres.database import PostgresDatabase
from replicator.api.database import Problem
from replicator.api.errors import ConfigError
from tests.support.fix_servers import Database, Server


def findings(url: str, name: str = "p") -> list[Problem]:
    source = PostgresDatabase(url)
    tables = source.measured(source.tables(["*.*"], []))
    found = source.preflight(tables, name)
    source.close()
    return found


def about(found: list[Problem], words: str) -> Problem:
    (one,) = [p for p in found if words in p.what] or pytest.fail(f"{words!r} not in {found}")
    return one


@pytest.fixture
def role(pg_database: Database) -> Iterator[str]:
    name = f"limited_{pg_database.name}"
    pg_database.execute(f"CREATE ROLE {name} LOGIN REPLICATION PASSWORD 'limited'")
    try:
        yield name
    finally:
        pg_database.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_nothing_is_found_on_an_ordinary_database(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY, v text)", "CREATE TABLE u (k text PRIMARY KEY)")
    assert [p for p in findings(pg_database.url) if "max_slot_wal_keep_size" not in p.what] == []


def test_row_level_security_that_could_hide_rows(pg_database: Database, role: str) -> None:
    pg_database.execute(
        "CREATE TABLE secret (id int PRIMARY KEY)",
        "ALTER TABLE secret ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE open (id int PRIMARY KEY)",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
    )
    url = pg_database.url.replace("postgres:postgres@", f"{role}:limited@")
    found = about(findings(url), "row level security")
    assert (found.severity, found.table) == ("error", "public.secret")
    assert f'ALTER ROLE "{role}" BYPASSRLS' in found.remedy
    assert not [p for p in findings(pg_database.url) if "row level security" in p.what]


def test_every_unreadable_table_is_named_with_its_grants(pg_database: Database, role: str) -> None:
    pg_database.execute(
        'CREATE SCHEMA "Shop"',
        'CREATE TABLE "Shop"."Order Lines" (id int PRIMARY KEY)',
        "CREATE TABLE fine (id int PRIMARY KEY)",
        "CREATE TABLE hidden (k text PRIMARY KEY)",
        f"GRANT SELECT ON fine TO {role}",
    )
    url = pg_database.url.replace("postgres:postgres@", f"{role}:limited@")
    found = [p for p in findings(url) if "may not read" in p.what]
    assert {p.table for p in found} == {"Shop.Order Lines", "public.hidden"}
    assert f'GRANT SELECT ON "Shop"."Order Lines" TO "{role}"' in "".join(p.remedy for p in found)
    pg_database.execute(*(s for p in found for s in p.remedy.removeprefix("As the owner: ").split("; ")))
    assert not [p for p in findings(url) if "may not read" in p.what]


def test_partitions_without_identity_and_in_other_places(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE e (id int, day date) PARTITION BY RANGE (day)",
        "CREATE TABLE e_1 PARTITION OF e FOR VALUES FROM ('2025-01-01') TO ('2025-07-01')",
        "CREATE TABLE e_2 PARTITION OF e (PRIMARY KEY (id)) FOR VALUES FROM ('2025-07-01') TO ('2026-01-01')",
    )
    found = about(findings(pg_database.url), "have no replica identity")
    assert (found.severity, found.table) == ("warning", "public.e")
    assert '"e_1"' in found.what
    assert "e_2" not in found.what
    assert 'ALTER TABLE "public"."e_1" REPLICA IDENTITY FULL;' in found.remedy
    pg_database.execute(found.remedy)
    assert not [p for p in findings(pg_database.url) if "replica identity" in p.what]


def test_what_is_no_table_is_noted(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY)",
        "CREATE VIEW v AS SELECT 1 AS a",
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a",
    )
    found = about(findings(pg_database.url), "Not in the log")
    assert found.severity == "note"
    assert "materialized view public.m, view public.v" in found.what


def test_a_standby_is_refused(private_postgres: Callable[[], Server]) -> None:
    server = private_postgres()
    with server.connect() as admin:
        admin.execute("CREATE TABLE t (id int PRIMARY KEY)")
        directory = admin.execute("SHOW data_directory").fetchone()[0]
    server.stop()
    with open(f"{directory}/standby.signal", "w"):
        pass
    server.start()
    found = about(findings(server.url("postgres")), "standby")
    assert found.severity == "error"
    assert "primary" in found.remedy


def test_keys_are_measured_only_where_their_type_does_not_bound_them(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE a (k text, b bytea, v varchar(20), n int, PRIMARY KEY (k, b, v, n))",
        "INSERT INTO a VALUES (repeat('ü', 700), '\\x0102', 'x', 1), ('y', '', 'z', 1)",
        'CREATE TABLE "B" ("K" text PRIMARY KEY)',
    )
    source = PostgresDatabase(pg_database.url)
    measured = source.measured(source.tables(["*.*"], []))
    lengths = {(t.name, c.name): c.max_length for t in measured for c in t.columns}
    source.close()
    assert lengths == {("a", "k"): 700, ("a", "b"): 2, ("a", "v"): None, ("a", "n"): None, ("B", "K"): 0}


def test_a_key_that_cannot_be_measured_is_a_warning(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE a (k text PRIMARY KEY)", "CREATE TABLE b (k text PRIMARY KEY)")
    with pg_database.connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE b")
        found = about(findings(pg_database.url), "could not be measured")
    assert (found.severity, found.table) == ("warning", "public.b")


def test_measuring_ends_in_time(pg_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(longest_keys, "LIMIT_SECONDS", 1.2)
    monkeypatch.setattr(longest_keys, "_LOCK_MS", 60_000)
    pg_database.execute("CREATE TABLE a (k text PRIMARY KEY)")
    with pg_database.connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE a")
        began = time.monotonic()
        found = findings(pg_database.url)
    assert time.monotonic() - began < 4
    assert about(found, "could not be measured").table == "public.a"


def test_hundreds_of_tables_are_checked_quickly(pg_database: Database) -> None:
    pg_database.execute(
        "DO $$ BEGIN FOR n IN 1..500 LOOP"
        " EXECUTE format('CREATE TABLE t%s (id text PRIMARY KEY, a int, b text, c timestamptz)', n);"
        " END LOOP; END $$"
    )
    source = PostgresDatabase(pg_database.url)
    began = time.monotonic()
    tables = source.measured(source.tables(["*.*"], []))
    found = source.preflight(tables, "p")
    spent = time.monotonic() - began
    source.close()
    assert len(tables) == 500
    assert not [p for p in found if p.severity == "error"]
    assert spent < 4


def test_a_url_that_cannot_be_read_does_not_show_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        PostgresDatabase("postgresql://u:s3cret@h:port/d?nonsense=1")
    assert "s3cret" not in str(caught.value)
