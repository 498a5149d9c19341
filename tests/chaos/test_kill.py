"""kill -9 of the service at any instant: nothing is lost and no effect is repeated (INV-8)."""

from __future__ import annotations

import random
import subprocess
import time

import pytest

from tests.support.fix_servers import Database
from tests.support.load import SCHEMA, Load, assert_same, wait_transactions
from tests.support.sync_process import MakeSync, catch_up, verified

FAILPOINTS = ("before_append", "after_append", "before_put", "after_put", "before_group_commit")


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_under_load(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, seed: int
) -> None:
    pick = random.Random(seed)
    pg_database.execute(*SCHEMA)
    sync = make_sync(pg_database, mysql_database)
    with Load(pg_database, 1) as first, Load(pg_database, 2):
        for _ in range(5):
            sync.start()
            time.sleep(pick.uniform(0.4, 3.5))
            assert sync.running(), sync.output
            sync.kill()
        wait_transactions(first, 20)
    catch_up(sync)
    assert_same(pg_database, mysql_database)
    verified(sync)


@pytest.mark.parametrize("point", FAILPOINTS)
def test_killed_at_a_named_point(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync, point: str
) -> None:
    pg_database.execute(*SCHEMA)
    sync = make_sync(pg_database, mysql_database)
    killed = 0
    with Load(pg_database, 1) as load:
        for passes in (1, 2, 5, 20):
            sync.start(env={"REPLICATOR_FAILPOINTS": f"{point}:kill@{passes}"})
            try:
                # Positions are committed every five seconds: twenty times take too long.
                assert sync.wait(40 if passes < 20 else 15) == -9, sync.output
                killed += 1
            except subprocess.TimeoutExpired:
                sync.kill()
        wait_transactions(load, 20)
    assert killed >= 3
    catch_up(sync)
    assert_same(pg_database, mysql_database)
    verified(sync)


def test_killed_while_a_large_transaction_passes(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*SCHEMA)
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute(
        "BEGIN; INSERT INTO items SELECT i, 'bulk', 0, NULL FROM generate_series(100000, 160000) i;"
        " INSERT INTO appended SELECT 9, i FROM generate_series(1, 60000) i; UPDATE counters SET n = n + 1; COMMIT"
    )
    for seconds in (1.2, 1.6, 2.0):
        sync.start()
        time.sleep(seconds)
        sync.kill()
    catch_up(sync)
    assert_same(pg_database, mysql_database)


def test_sigterm_under_load_drains_and_goes_on(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(*SCHEMA)
    sync = make_sync(pg_database, mysql_database)
    with Load(pg_database, 1):
        for seconds in (0.3, 1.5, 3.0):
            sync.start()
            time.sleep(seconds)
            assert sync.stop() in (0, -15), sync.output
    catch_up(sync)
    assert "Traceback" not in sync.output
    assert_same(pg_database, mysql_database)
