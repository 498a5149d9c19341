"""Tables that come, are renamed or stop fitting while a pipeline exists: the others go on, and each is in sight."""

from __future__ import annotations

import json
import re
import urllib.request

import psycopg
import pytest

from scripts.service import run, until
from tests.support.fix_servers import Database
from tests.support.load import SCHEMA, Load, assert_same, wait_transactions
from tests.support.sync_process import MakeSync, catch_up, has_table, running, verified

BASE = ("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0)")


def _arrives(target: Database, query: str, expected: object, timeout: float = 60) -> None:
    def there() -> bool:
        table = query.split(" FROM ")[1].split()[0]
        return has_table(target, table) and target.query(query) == expected

    until(there, timeout)


@pytest.mark.parametrize("kill", [False, True])
def test_new_tables_join_a_running_pipeline_under_load(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, kill: bool
) -> None:
    pg_database.execute(*SCHEMA)
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "counters")
    with Load(pg_database) as load:
        wait_transactions(load, 50)
        pg_database.execute(
            "CREATE TABLE late AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, 60000) g",
            "ALTER TABLE late ADD PRIMARY KEY (id)",
            "CREATE TABLE bare (a int)",
            "INSERT INTO bare SELECT generate_series(1, 1000)",
            "CREATE TABLE empty_one (id int PRIMARY KEY)",
            "CREATE SCHEMA s",
            "CREATE TABLE s.x (id int PRIMARY KEY)",
            "INSERT INTO s.x VALUES (1)",
        )
        if kill:
            until(lambda: has_table(mysql_database, "late") or "public.late" in sync.output, 60)
            sync.kill()
            pg_database.execute("UPDATE late SET v = 'while it was down' WHERE id % 7 = 0")
            sync.start()
        _arrives(mysql_database, "SELECT count(*) FROM late", [(60000,)])
        _arrives(mysql_database, "SELECT count(*), count(DISTINCT a) FROM bare", [(1000, 1000)])
        pg_database.execute("UPDATE late SET v = 'x' WHERE id = 5", "INSERT INTO bare VALUES (0)")
        _arrives(mysql_database, "SELECT v FROM late WHERE id = 5", [("x",)])
        until(lambda: has_table(mysql_database, "s_x") and has_table(mysql_database, "empty_one"), 60)
        wait_transactions(load, 50)
    verified(sync)
    sync.stop()
    catch_up(sync)
    assert_same(pg_database, mysql_database)


def test_a_renamed_table_joins_under_its_new_name(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*BASE, "CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "a")
    until(lambda: "following" in sync.output, 60)
    pg_database.execute("ALTER TABLE a RENAME TO b", "INSERT INTO b VALUES (2)")
    _arrives(mysql_database, "SELECT count(*) FROM b", [(2,)])
    assert "Table public.a was renamed public.b" in sync.output
    assert mysql_database.query("SELECT id FROM a") == [(1,)]
    # A batch job's way: the new table takes the old one's name.
    pg_database.execute(
        "BEGIN; CREATE TABLE t_new (id int PRIMARY KEY, v int); INSERT INTO t_new VALUES (7, 7), (8, 8);"
        "DROP TABLE t; ALTER TABLE t_new RENAME TO t; COMMIT"
    )
    _arrives(mysql_database, "SELECT id FROM t ORDER BY id", [(7,), (8,)])
    verified(sync)


def test_a_primary_key_dropped_and_made_again(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*BASE)
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "t")
    until(lambda: "following" in sync.output, 60)
    pg_database.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")

    def updated() -> bool:
        try:
            pg_database.execute("UPDATE t SET v = 1")
        except psycopg.errors.ObjectNotInPrerequisiteState:
            return False
        return True

    # How soon, in looks at the catalog, tests/integration/postgres/test_membership.py tells.
    until(updated, 60)
    pg_database.execute("INSERT INTO t VALUES (2, 2)")
    _arrives(mysql_database, "SELECT id, v FROM t ORDER BY id", [(1, 0), (2, 2)])
    until(lambda: "public.t has no replica identity" in sync.output, 60)
    pg_database.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    _arrives(mysql_database, "SELECT id, v FROM t ORDER BY id", [(1, 1), (2, 2)])
    pg_database.execute("UPDATE t SET v = 9 WHERE id = 1")
    _arrives(mysql_database, "SELECT id, v FROM t ORDER BY id", [(1, 9), (2, 2)])
    verified(sync)


def test_a_table_that_cannot_go_on_or_cannot_join_stops_no_other(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        *BASE, "CREATE TABLE changed (id int PRIMARY KEY, v int)", "INSERT INTO changed VALUES (1, 1)"
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute(
        "ALTER TABLE changed ALTER v TYPE jsonb USING jsonb_build_object('v', v)",
        "INSERT INTO changed VALUES (2, '{}')",
        "INSERT INTO t VALUES (2, 0)",
        'CREATE TABLE "T" (id int PRIMARY KEY, a int, "A" int)',
        "CREATE SCHEMA public_x",
    )
    printed = catch_up(sync)
    assert "STOPPED: public.changed cannot go on" in printed, printed
    assert "NOT REPLICATED: public.T cannot be held by the target" in printed, printed
    assert mysql_database.query("SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    sync.start()
    until(lambda: sync.output.count("Running with") == 3, 60)
    # Found while it runs: both would become table shop_x.
    pg_database.execute(
        "CREATE TABLE shop_x (id int PRIMARY KEY)", "INSERT INTO shop_x VALUES (1)",
        "CREATE SCHEMA shop",
    )  # fmt: skip
    _arrives(mysql_database, "SELECT id FROM shop_x", [(1,)])
    pg_database.execute("CREATE TABLE shop.x (id int PRIMARY KEY)", "INSERT INTO shop.x VALUES (2)")
    until(lambda: "would both become table shop_x" in sync.output, 60)
    status = run("status", "--data-dir", str(sync.data_dir), "--json")
    held = json.loads(status.out)["pipelines"][0]["held"]
    assert set(held) == {"public.changed", "public.T", "shop.x"}, held
    assert "public.changed cannot go on" in run("status", "--data-dir", str(sync.data_dir)).out
    assert mysql_database.query("SELECT id FROM shop_x") == [(1,)]
    pg_database.execute("INSERT INTO t VALUES (3, 0)")
    _arrives(mysql_database, "SELECT count(*) FROM t", [(3,)])


def test_an_incremental_snapshot_of_some_rows_repairs_them(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*BASE, "INSERT INTO t SELECT g, g FROM generate_series(2, 3000) g")
    sync = running(make_sync(pg_database, mysql_database, port=None), mysql_database, "t")
    until(lambda: "following" in sync.output, 60)
    mysql_database.execute("DELETE FROM t WHERE id % 10 = 0", "UPDATE t SET v = -1 WHERE id % 10 = 5")
    port = re.search(r"http://127.0.0.1:(\d+)", sync.output)
    assert port is not None
    data = {
        "data-collections": [r"public\.t"],
        "additional-conditions": [{"data-collection": r"public\.t", "filter": "id % 5 = 0"}],
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{port[1]}/replicator/connectors/{sync.name}-source/signal",
        data=json.dumps({"type": "execute-snapshot", "data": data}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    _arrives(mysql_database, "SELECT count(*), sum(v = id) FROM t WHERE id > 1", [(2999, 2999)])
    verified(sync)
