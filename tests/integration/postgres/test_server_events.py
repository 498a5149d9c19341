"""The server shuts down, is killed, is configured wrongly, or has a reader that is slower than its time-outs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from replicator.api import ConfigError
from tests.integration.postgres.driver import Driver, ids
from tests.support.fix_servers import Server


def test_without_logical_wal_level_the_remedy_is_named(private_postgres: Callable[[], Server]) -> None:
    server = private_postgres()
    with server.database() as database:
        database.execute("ALTER SYSTEM SET wal_level = 'replica'", "CREATE TABLE t (id int PRIMARY KEY)")
        server.restart()
        with Driver(database) as driver, pytest.raises(ConfigError, match="wal_level is replica") as caught:
            driver.until_failed()
        assert "ALTER SYSTEM SET wal_level = logical" in str(caught.value)


def test_a_full_queue_survives_wal_sender_timeout_and_shutdown_is_not_held_up(
    private_postgres: Callable[[], Server],
) -> None:
    server = private_postgres()
    with server.database() as database:
        database.execute(
            "ALTER SYSTEM SET wal_sender_timeout = '3s'",
            "SELECT pg_reload_conf()",
            "CREATE TABLE t (id int PRIMARY KEY, v text)",
        )
        driver = Driver(
            database, max__batch__size="10", max__queue__size="11", status__update__interval__ms="500"
        )
        with driver:
            driver.until_phase("streaming")
            database.execute("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g")
            driver.until_count(50)
            pid = driver.slot()["active_pid"]
            # Nobody polls for longer than the time-out; the walsender must not have given up.
            time.sleep(7)
            assert driver.slot()["active_pid"] == pid
            driver.until_count(20000)
            assert ids(driver.records) == list(range(1, 20001))

            driver.acknowledge = False
            database.execute("INSERT INTO t VALUES (20001, 'y')")
            driver.until_count(20001)
            started = time.monotonic()
            server.stop()
            assert time.monotonic() - started < 40, "the fast shutdown waited for a confirmation"
            server.start()
            driver.acknowledge = True
            driver.until_phase("streaming")
            database.execute("INSERT INTO t VALUES (20002, 'z')")
            driver.until_count(20002)
            assert ids(driver.records[-2:]) == [20001, 20002]

            server.kill()
            server.start()
            database.execute("INSERT INTO t VALUES (20003, 'z')")
            driver.until_count(20003)
            assert driver.quiet(0.3) == []
        assert ids(driver.records)[-1] == 20003
