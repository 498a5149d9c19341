"""Findings on the target: what tables, accounts and servers that are there already would do to the rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.jdbc.database import MySqlDatabase
from connectors.postgres.database import PostgresDatabase
from replicator.api.database import Problem
from replicator.cli.plan import find_pairs
from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, refusal, verified


def findings(source: Database, target: Database | str, name: str = "p") -> list[Problem]:
    reader = PostgresDatabase(source.url)
    writer = MySqlDatabase(target if isinstance(target, str) else target.url)
    pairs = find_pairs(reader, writer, [], [])
    found = writer.preflight(pairs, name)
    reader.close()
    writer.close()
    return found


def errors(found: list[Problem]) -> list[str]:
    return [p.what for p in found if p.severity in ("error", "table")]


@contextmanager
def account(target: Database, *grants: str) -> Iterator[str]:
    """The target's URL for an account with these grants; `{u}` is the account, `{d}` the database."""
    user = f"u_{target.name}"
    target.execute(
        f"CREATE USER '{user}'@'%' IDENTIFIED BY 'pw'",
        *(g.format(u=f"'{user}'@'%'", d=target.name) for g in grants),
    )
    try:
        yield target.url.replace(f"{target.server.user}:{target.server.password}@", f"{user}:pw@")
    finally:
        target.execute(f"DROP USER '{user}'@'%'", f"DROP ROLE IF EXISTS 'r_{target.name}'")


_ALL = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP"


@pytest.mark.parametrize("target_kind", ["mysql", "mariadb"])
@pytest.mark.parametrize(
    ("grants", "missing"),
    [
        ([f"GRANT {_ALL} ON `{{d}}`.* TO {{u}}"], None),
        ([f"GRANT {_ALL} ON *.* TO {{u}}"], None),
        (["GRANT ALL ON `{d}`.* TO {u}"], None),
        ([f"GRANT {_ALL} ON `t%`.* TO {{u}}"], None),
        (["GRANT SELECT, INSERT, UPDATE ON *.* TO {u}", "GRANT DELETE, CREATE ON `{d}`.* TO {u}"], "ALTER, DROP"),
        (["GRANT ALL ON `{d}`.* TO {u}", "REVOKE DROP ON `{d}`.* FROM {u}"], "DROP"),
        ([f"GRANT {_ALL} ON `{{d}}_other`.* TO {{u}}", "GRANT SELECT ON `{d}`.* TO {u}"], "INSERT, UPDATE, DELETE"),
        (
            ["CREATE ROLE 'r_{d}'", f"GRANT {_ALL} ON `{{d}}`.* TO 'r_{{d}}'", "GRANT 'r_{d}' TO {u}", "DEFAULT"],
            None,
        ),
    ],
)  # fmt: skip
def test_grants(
    pg_database: Database,
    request: pytest.FixtureRequest,
    target_kind: str,
    grants: list[str],
    missing: str | None,
) -> None:
    target: Database = request.getfixturevalue(f"{target_kind}_database")
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    words = (
        "SET DEFAULT ROLE 'r_{d}' TO {u}" if target_kind == "mysql" else "SET DEFAULT ROLE 'r_{d}' FOR {u}"
    )
    with account(target, *(words if g == "DEFAULT" else g for g in grants)) as url:
        found = [p for p in findings(pg_database, url) if "lacks" in p.what]
    assert bool(found) == bool(missing)
    if missing:
        assert missing in found[0].what
        assert f"ON `{target.name}`.* TO 'u_{target.name}'@'%'" in found[0].remedy


def test_a_role_that_is_not_active_is_explained(pg_database: Database, mysql_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    grants = ["CREATE ROLE 'r_{d}'", f"GRANT {_ALL} ON `{{d}}`.* TO 'r_{{d}}'", "GRANT 'r_{d}' TO {u}"]
    with account(mysql_database, *grants, "GRANT SELECT ON `{d}`.* TO {u}") as url:
        (found,) = [p for p in findings(pg_database, url) if "lacks" in p.what]
    assert "SET DEFAULT ROLE ALL TO" in found.remedy


def test_rows_that_are_there_before_the_first_copy(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE keyed (id int PRIMARY KEY)",
        "INSERT INTO keyed VALUES (1)",
        "CREATE TABLE keyless (a int)",
        "INSERT INTO keyless VALUES (1)",
    )
    mysql_database.execute(
        "CREATE TABLE keyed (id int PRIMARY KEY)",
        "INSERT INTO keyed VALUES (1), (2)",
        "CREATE TABLE keyless (a int)",
        "INSERT INTO keyless VALUES (1)",
    )
    sync = make_sync(pg_database, mysql_database)
    text = refusal(sync)
    assert "Target table keyless holds rows already and public.keyless has no key" in text
    assert "TRUNCATE TABLE `keyless`" in text
    assert "WARNING: Target table keyed holds rows already" in text
    assert mysql_database.query("SELECT count(*) FROM keyless") == [(1,)]
    mysql_database.execute("TRUNCATE TABLE keyless")
    catch_up(sync)
    assert "row (2) is only in the target" in verified(sync, 1).out
    pg_database.execute("INSERT INTO keyless VALUES (2)")
    assert "holds rows already" not in catch_up(sync)  # resumed: the rows are its own
    assert mysql_database.query("SELECT count(*) FROM keyless") == [(2,)]


def test_existing_tables_that_do_not_fit_are_all_named_at_once(
    pg_database: Database, mysql_database: Database
) -> None:
    pg_database.execute(
        "CREATE TABLE engine (id int PRIMARY KEY)",
        "CREATE TABLE pk (id int PRIMARY KEY, other int)",
        "CREATE TABLE types (id int PRIMARY KEY, a text, b jsonb, c bytea)",
        "CREATE TABLE extra (id int PRIMARY KEY)",
        "CREATE TABLE charset (id int PRIMARY KEY, v text)",
        "CREATE TABLE looks (id int PRIMARY KEY)",
        "CREATE TABLE calc (id int PRIMARY KEY, v int, w int)",
        "CREATE TABLE uniq (id int PRIMARY KEY, v int)",
        "CREATE TABLE replicator_ledger (id int PRIMARY KEY)",
        'CREATE TABLE "trail " (id int PRIMARY KEY)',
        f'CREATE SCHEMA "{"s" * 40}"',
        f'CREATE TABLE "{"s" * 40}"."{"t" * 40}" (id int PRIMARY KEY)',
    )
    mysql_database.execute(
        "CREATE TABLE engine (id int PRIMARY KEY) ENGINE=MyISAM",
        "CREATE TABLE pk (id int, other int PRIMARY KEY)",
        "CREATE TABLE types (id int PRIMARY KEY, a date, b int, c longblob)",
        "CREATE TABLE extra (id int PRIMARY KEY, tenant int NOT NULL)",
        "CREATE TABLE charset (id int PRIMARY KEY, v varchar(50) CHARACTER SET latin1)",
        "CREATE VIEW looks AS SELECT 1 AS id",
        "CREATE TABLE calc (id int PRIMARY KEY, v int, w int AS (v + 1) STORED)",
        "CREATE TABLE uniq (id int PRIMARY KEY, v int UNIQUE)",
    )
    found = findings(pg_database, mysql_database)
    text = "\n".join(f"{p.severity} {p.what} {p.remedy}" for p in found)
    for severity, words in (
        ("error", "Target table engine uses engine MyISAM"),
        ("error", "Target table pk has primary key (other), the source's key is (id)"),
        ("table", "Column a of type date cannot hold"),
        ("table", "Column b of type int cannot hold"),
        ("error", "Target column extra.tenant is NOT NULL without default"),
        ("warning", "Target column charset.v has character set latin1"),
        ("table", "looks is a view in the target"),
        ("note", "calc computes w itself"),
        ("note", "uniq has the secondary unique index v"),
        ("table", "replicator_ledger is the name of a table of ours"),
        ("table", "'trail ' ends with a space"),
        ("table", "is longer than 64 characters"),
    ):
        assert any(p.severity == severity and words in p.what for p in found), (words, text)
    assert len({p.table for p in found if p.severity in ("error", "table")}) == 8
    assert not [p for p in found if p.severity in ("error", "table") and not p.remedy]


def test_keys_longer_than_an_index_holds_are_found_on_the_source(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE fits (k text PRIMARY KEY)",
        "INSERT INTO fits VALUES (repeat('ü', 768))",
        "CREATE TABLE long (k text PRIMARY KEY)",
        "INSERT INTO long VALUES (repeat('k', 769))",
        "CREATE TABLE two (k text, l text, PRIMARY KEY (k, l))",
        "INSERT INTO two VALUES (repeat('k', 700), 'x')",
    )
    sync = make_sync(pg_database, mysql_database)
    text = refusal(sync)
    assert "public.long cannot be held by the target: key column k holds a value of 769 characters" in text
    assert "public.two cannot be held by the target" in text
    assert "public.fits" not in text
    catch_up(sync, "--skip-unsupported")
    verified(sync, 0, "--tables", "fits")


def test_a_mariadb_named_by_a_mysql_url_is_served_as_what_it_is(
    pg_database: Database, mariadb_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE t (k text PRIMARY KEY, j jsonb)",
        """INSERT INTO t VALUES ('a', '{"a": 1}'), ('A', NULL), ('a ', '[]')""",
    )
    url = mariadb_database.url.replace("mariadb://", "mysql://")
    sync = make_sync(pg_database, url)
    catch_up(sync)
    verified(sync)
    assert mariadb_database.query("SELECT count(*) FROM t") == [(3,)]


def test_hundreds_of_existing_tables_are_checked_quickly(
    pg_database: Database, mysql_database: Database
) -> None:
    pg_database.execute(
        "DO $$ BEGIN FOR n IN 1..300 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text)', n);"
        " END LOOP; END $$"
    )
    connection = mysql_database.connect()
    with connection.cursor() as cursor:
        for n in range(1, 101):
            cursor.execute(f"CREATE TABLE t{n} (id INT PRIMARY KEY, a LONGTEXT)")
    connection.close()
    began = time.monotonic()
    assert errors(findings(pg_database, mysql_database)) == []
    assert time.monotonic() - began < 6
