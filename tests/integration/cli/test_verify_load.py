"""Verifying while the application writes: nothing on its way is called a difference, and what differs is found."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.service import until
from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, running, verified

TABLES = {"in_order": "bigint", "in_buckets": "numeric(12,2)"}
ROWS = 3_000


def _create(database: Database) -> None:
    for name, kind in TABLES.items():
        database.execute(
            f"CREATE TABLE {name} (id {kind} PRIMARY KEY, n bigint NOT NULL DEFAULT 0, note text)",
            f"INSERT INTO {name} SELECT g, 0, 'row ' || g FROM generate_series(1, {ROWS}) g",
        )
    database.execute(
        "CREATE TABLE journal (n bigint, note text)",
        f"INSERT INTO journal SELECT g % 50, 'same' FROM generate_series(1, {ROWS}) g",
        "CREATE TABLE ready (id int PRIMARY KEY)",
        "INSERT INTO ready VALUES (1)",
    )


@contextmanager
def _writing(database: Database) -> Iterator[list[int]]:
    """Updates of all rows and of one hot row, deletes, inserts, until the block ends."""
    stop, done, failed = threading.Event(), [0], []

    def write() -> None:
        connection = database.connect()
        try:
            while not stop.is_set():
                done[0] += 1
                n = done[0]
                for name in TABLES:
                    row = random.randrange(10, ROWS)
                    connection.execute(f"UPDATE {name} SET n = n + 1 WHERE id IN (5, {row})")
                    connection.execute(f"INSERT INTO {name} VALUES ({ROWS + n}, {n}, 'new')")
                    if n > 50:
                        connection.execute(f"DELETE FROM {name} WHERE id = {ROWS + n - 50}")
                connection.execute("INSERT INTO journal VALUES (%s, 'new')", [n])
                time.sleep(0.002)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield done
    finally:
        stop.set()
        writer.join(20)
    assert not failed
    assert done[0] > 100


def test_writes_that_go_on_are_no_differences_and_do_not_hide_one(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _create(pg_database)
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "ready")
    until(lambda: mysql_database.query("SELECT count(*) FROM journal") == [(ROWS,)], 20)
    with _writing(pg_database):
        equal = json.loads(verified(sync, 0, "--json").out)
        assert equal["verdict"] == "equal"
        assert "/" in equal["position"]
        mysql_database.execute(
            "UPDATE in_order SET note = 'wrong' WHERE id = 7",
            "DELETE FROM in_buckets WHERE id = 8",
            "INSERT INTO in_order VALUES (-1, 0, 'extra')",
            "DELETE FROM journal WHERE n = 17 AND note = 'same' LIMIT 1",
        )
        report = json.loads(verified(sync, 1, "--json").out)
    tables = {t["table"].removeprefix("public."): t for t in report["tables"]}
    found = {(name, d["kind"], d["key"][0]) for name, t in tables.items() for d in t["differences"]}
    assert found == {
        ("in_order", "changed", "7"),
        ("in_order", "extra", "-1"),
        ("in_buckets", "missing", "8"),
        ("journal", "missing", "17"),
    }
    assert tables["journal"]["different_rows"] == 1
    assert tables["in_order"]["status"] == "different"
    assert sync.stop() == 0


def test_a_target_that_has_not_caught_up_is_not_called_different(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    _create(pg_database)
    sync = running(make_sync(pg_database, mysql_database), mysql_database, "ready")
    until(lambda: mysql_database.query("SELECT count(*) FROM journal") == [(ROWS,)], 20)
    blocker = mysql_database.connect(autocommit=False)
    with blocker.cursor() as cursor:
        cursor.execute("SELECT * FROM in_order WHERE id = 1 FOR UPDATE")
    pg_database.execute("UPDATE in_order SET note = 'later' WHERE id = 1")
    released = threading.Timer(4, blocker.rollback)
    released.start()
    outcome = verified(sync, 0)
    released.join()
    blocker.close()
    assert "EQUAL" in outcome.out
    assert sync.stop() == 0
