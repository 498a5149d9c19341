"""Servers that restart, freeze or lose the slot while the service runs; rows that the target refuses."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from scripts.service import until
from tests.support.fix_servers import Database, Server
from tests.support.load import SCHEMA, Load, assert_same, wait_transactions
from tests.support.sync_process import MakeSync, catch_up, refusal, running, verified


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_postgres_goes_away_under_load(
    private_postgres: Callable[[], Server], mysql_database: Database, make_sync: MakeSync, how: str
) -> None:
    server = private_postgres()
    with server.database() as source:
        source.execute(*SCHEMA)
        sync = running(make_sync(source, mysql_database), mysql_database, "items")
        with Load(source, 1) as load:
            wait_transactions(load, 100)
            _interrupt(server, how)
            wait_transactions(load, 100)
            assert load.errors  # the interruption was a real one
        assert sync.running(), sync.output
        verified(sync)
        assert_same(source, mysql_database)
        assert sync.stop() == 0


@pytest.mark.parametrize("how", ["restart", "kill", "pause"])
def test_mysql_goes_away_under_load(
    pg_database: Database, private_mysql: Callable[[], Server], make_sync: MakeSync, how: str
) -> None:
    server = private_mysql()
    with server.database() as target:
        pg_database.execute(*SCHEMA)
        sync = running(make_sync(pg_database, target), target, "items")
        with Load(pg_database, 1) as load:
            wait_transactions(load, 100)
            _interrupt(server, how)
            wait_transactions(load, 100)
        assert sync.running(), sync.output
        verified(sync)
        assert_same(pg_database, target)
        assert sync.stop() == 0


def test_mysql_restarts_during_the_copy(
    pg_database: Database, private_mysql: Callable[[], Server], make_sync: MakeSync
) -> None:
    server = private_mysql()
    with server.database() as target:
        pg_database.execute(*SCHEMA)
        pg_database.execute("INSERT INTO items SELECT i, 'x', 0, 'y' FROM generate_series(10000, 150000) i")
        sync = make_sync(pg_database, target).start()
        until(lambda: target.query("SHOW TABLES LIKE 'items'"), 60)
        server.kill()
        server.start()
        verified(sync)
        assert_same(pg_database, target)
        assert sync.stop() == 0


def test_one_refused_row_stops_its_table_and_no_other(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE strict (id int PRIMARY KEY, n int)",
        "CREATE TABLE other (id int PRIMARY KEY, n int)",
        "INSERT INTO strict SELECT i, i FROM generate_series(1, 50) i",
        "INSERT INTO other SELECT i, i FROM generate_series(1, 50) i",
    )
    mysql_database.execute(
        "CREATE TABLE strict (id INT PRIMARY KEY, n INT, CONSTRAINT small CHECK (n < 100))"
    )
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "other")
    until(lambda: mysql_database.query("SELECT count(*) FROM strict") == [(50,)], 60)
    pg_database.execute(
        "BEGIN; INSERT INTO strict VALUES (51, 51), (52, 5200), (53, 53); INSERT INTO other VALUES (51, 51); COMMIT",
        "INSERT INTO other VALUES (52, 52)",
        "UPDATE strict SET n = 7 WHERE id = 1",
    )
    until(lambda: mysql_database.query("SELECT count(*) FROM other") == [(52,)], 60)
    until(lambda: "STOPPED" in sync.output, 60)
    assert "strict" in sync.output
    assert sync.running(), sync.output
    # Nothing after the refused row: its table stands still, it does not skip.
    assert mysql_database.query("SELECT n FROM strict WHERE id = 1") == [(1,)]
    assert not mysql_database.query("SELECT 1 FROM strict WHERE id IN (52, 53)")
    assert sync.stop() == 0
    mysql_database.execute("ALTER TABLE strict DROP CHECK small")
    catch_up(sync)
    verified(sync)


def test_a_dropped_slot_is_never_passed_over(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*SCHEMA)
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute(f"SELECT pg_drop_replication_slot('replicator_{sync.name}')")
    pg_database.execute("UPDATE counters SET n = n + 1")
    before = len(sync.output)
    assert sync.start("--until-caught-up").wait(90) == 1
    printed = sync.output[before:]
    assert "slot" in printed
    assert "replicator clean --all" in printed
    assert "Traceback" not in printed
    assert mysql_database.query("SELECT sum(n) FROM counters") == [(0,)]
    assert sync.clean().code == 0
    # Without a key a second copy would repeat the rows that are there.
    assert "TRUNCATE TABLE" in refusal(sync)
    mysql_database.execute("TRUNCATE TABLE appended")
    catch_up(sync)
    assert_same(pg_database, mysql_database)


def test_a_slot_that_somebody_else_moved_is_noticed(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*SCHEMA)
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute(
        "UPDATE counters SET n = n + 1",
        f"SELECT pg_replication_slot_advance('replicator_{sync.name}', pg_current_wal_lsn())",
    )
    assert sync.start("--until-caught-up").wait(90) == 1
    assert "slot" in sync.output


def _interrupt(server: Server, how: str) -> None:
    if how == "restart":
        server.restart()
    elif how == "kill":
        server.kill()
        server.start()
    else:
        server.pause()
        time.sleep(3)
        server.resume()
