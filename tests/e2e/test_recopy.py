"""`replicator recopy`: tables copied anew in the running pipeline."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest

from scripts.service import Sync, until
from tests.support.fix_servers import Database
from tests.support.load import SCHEMA, Load, assert_same, wait_transactions
from tests.support.sync_process import MakeSync, catch_up, running, verified

ROWS = 60_000


def _tamper(target: Database) -> None:
    """What somebody did to the target by hand; no change of the load undoes it."""
    target.execute(
        "INSERT INTO items (id, note, seen) VALUES (-5, 'not of the source', 0)",
        "DELETE FROM appended WHERE writer = 0 AND number <= 10",
        "INSERT INTO appended VALUES (0, 11)",
    )


def test_tampered_tables_are_equal_again_while_writes_go_on(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*SCHEMA)
    sync = running(make_sync(pg_database, mysql_database, port=None), mysql_database, "items")
    with Load(pg_database, 1) as load:
        wait_transactions(load, 50)
    _tamper(mysql_database)
    found = verified(sync, 1).out
    assert "public.items: " in found
    assert found.count("DIFFERENT") == 3, found
    with Load(pg_database, 2) as load, Load(pg_database, 3):
        wait_transactions(load, 50)
        outcome = sync.recopy("items,public.appended")
        assert outcome.code == 0, outcome.text + sync.output
        assert "Done after" in outcome.out
        wait_transactions(load, 50)
        verified(sync, 0, "--tables", "items,counters")
    verified(sync)
    assert sync.stop() == 0
    catch_up(sync, "--port", "off")
    assert_same(pg_database, mysql_database)


def test_connections_are_lost_on_both_sides(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*SCHEMA)
    sync = make_sync(pg_database, mysql_database, port=None).start()
    _follows(sync)
    with Load(pg_database, 1) as load, ThreadPoolExecutor(1) as pool:
        recopy = pool.submit(sync.recopy, "items,appended,counters")
        for _ in range(6):
            time.sleep(0.3)
            _cut_connections(pg_database, mysql_database)
        outcome = recopy.result(100)
        assert outcome.code == 0, outcome.text + sync.output
        wait_transactions(load, 20)
    assert sync.stop() == 0
    catch_up(sync)
    assert_same(pg_database, mysql_database)


def _cut_connections(source: Database, target: Database) -> None:
    """All but the load's and our own."""
    source.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND application_name <> ''"
    )
    mine = "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()"
    for (number,) in target.query(mine):
        with contextlib.suppress(pymysql.MySQLError):
            target.execute(f"KILL {number}")


def test_what_is_refused(pg_database: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    pg_database.execute("CREATE TABLE u (id int PRIMARY KEY)")
    sync = make_sync(pg_database, mysql_database, "--exclude", "u")
    outcome = sync.recopy("t")
    assert outcome.code == 1
    assert "There is no pipeline" in outcome.err
    assert "replicator sync" in outcome.err
    running(sync, mysql_database, "t")
    outcome = sync.recopy("t")
    assert outcome.code == 1
    assert "--port off" in outcome.err
    assert sync.stop() == 0
    outcome = sync.recopy("t")
    assert outcome.code == 1
    assert "is not running" in outcome.err
    assert "replicator sync" in outcome.err
    sync.port = None
    sync.start()
    _follows(sync)
    outcome = sync.recopy("t,u")
    assert outcome.code == 1
    assert "public.u is not in pipeline" in outcome.err
    assert "Its tables are: public.t" in outcome.err
    assert sync.recopy("t").code == 0
    assert mysql_database.query("SELECT id FROM t")[0][0] == 1


def test_a_table_that_is_stopped_beyond_repair(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    sync = make_sync(pg_database, mysql_database, port=None)
    catch_up(sync)
    # A check that the source does not have: the row with 1000 is refused, and never comes right.
    mysql_database.execute("ALTER TABLE t ADD CONSTRAINT c CHECK (v < 1000)")
    sync.start()
    _follows(sync)
    pg_database.execute("INSERT INTO t VALUES (3, 1000)", "UPDATE t SET v = 7 WHERE id = 1")
    until(lambda: "STOPPED: table" in sync.output, 60)
    outcome = sync.recopy("t")
    assert outcome.code == 1, outcome.text
    assert "public.t is stopped in the target" in outcome.err
    pg_database.execute("DELETE FROM t WHERE id = 3")
    outcome = sync.recopy("t")
    assert outcome.code == 0, outcome.text + sync.output
    assert mysql_database.query("SELECT id, v FROM t ORDER BY id") == [(1, 7), (2, 2)]
    verified(sync)


@pytest.mark.parametrize("table", ["plain", "bare"])
def test_killed_in_the_middle_of_the_copy(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, table: str
) -> None:
    pg_database.execute(
        *SCHEMA,
        "CREATE TABLE plain (id int PRIMARY KEY, note text)",
        f"INSERT INTO plain SELECT i, 'n' || i FROM generate_series(1, {ROWS}) i",
        "CREATE TABLE bare (id int, note text)",
        f"INSERT INTO bare SELECT i, 'n' || i FROM generate_series(1, {ROWS}) i",
        "ANALYZE",
    )
    sync = make_sync(pg_database, mysql_database, port=None)
    catch_up(sync)
    count = f"SELECT count(*) FROM {table}"
    mysql_database.execute(f"INSERT INTO {table} VALUES (-1, 'not of the source')")
    sync.start()
    with Load(pg_database, 1) as load, ThreadPoolExecutor(1) as pool:
        wait_transactions(load, 10)
        _follows(sync)
        recopy = pool.submit(sync.recopy, table)
        until(lambda: 0 < mysql_database.query(count)[0][0] < ROWS, 60, every=0.005)
        sync.kill()
        outcome = recopy.result(60)
        assert outcome.code == 1, outcome.text
        assert "Start it again" in outcome.err
        assert mysql_database.query(count)[0][0] < ROWS
        pg_database.execute(f"INSERT INTO {table} VALUES (0, 'while it was down')")
    catch_up(sync)
    assert mysql_database.query(f"{count} WHERE id = -1")[0][0] == 0
    assert mysql_database.query(count)[0][0] == ROWS + 1
    assert_same(pg_database, mysql_database)
    verified(sync)


def _follows(sync: Sync) -> None:
    def following() -> bool:
        found = sync.get("/replicator/overview")["connectors"]
        return any(t["facts"].get("phase") == "streaming" for c in found for t in c["tasks"])

    until(lambda: _answers(sync) and following(), 30, every=0.2)


def _answers(sync: Sync) -> bool:
    assert sync.running(), sync.output
    if not sync.pipeline().get("port"):
        return False
    try:
        return bool(sync.get("/replicator/overview")["connectors"])
    except OSError:
        return False
