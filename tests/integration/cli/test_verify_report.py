"""What `verify` says and how it ends: its document, its exit codes, its haste when nothing is on its way."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import time

import pytest

from scripts import service
from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, verified


@pytest.fixture
def shop(pg_database: Database) -> Database:
    pg_database.execute(
        "CREATE TABLE orders (id int PRIMARY KEY, note text, d date)",
        "INSERT INTO orders SELECT n, 'n' || n, '2020-01-01' FROM generate_series(1, 300) n",
        "CREATE TABLE log (a int, b text)",
        "INSERT INTO log VALUES (1, 'x'), (1, 'x'), (2, NULL), (NULL, '')",
    )
    return pg_database


def test_the_document(shop: Database, mysql_database: Database, make_sync: MakeSync) -> None:
    shop.execute("UPDATE orders SET d = 'infinity' WHERE id = 9")
    sync = make_sync(shop, mysql_database)
    catch_up(sync)
    mysql_database.execute(
        "UPDATE orders SET note = NULL, d = '2001-01-01' WHERE id = 3",
        "DELETE FROM log WHERE a = 1 LIMIT 1",
        "UPDATE log SET b = NULL WHERE a IS NULL",
    )
    report = json.loads(verified(sync, 1, "--json").out)
    assert {k: report[k] for k in ("verdict", "pipeline", "position")} == {
        "verdict": "different",
        "pipeline": sync.name,
        "position": None,
    }
    assert report["seconds"] > 0
    log, orders = sorted(report["tables"], key=lambda t: str(t["table"]))
    assert orders == {
        "table": "public.orders",
        "target": "orders",
        "status": "different",
        "reason": "",
        "rows": 300,
        "chunks": 1,
        "rechecked": 1,
        "moving": 0,
        "different_rows": 1,
        "lost_by_policy": {"d": 1},
        "differences": [{"kind": "changed", "key": ["3"], "columns": ["note", "d"]}],
    }
    assert (log["status"], log["different_rows"], log["rows"]) == ("different", 3, 4)
    assert sorted(((d["kind"], d["key"]) for d in log["differences"]), key=str) == [
        ("extra", [None, None]),
        ("missing", ["1", "x"]),
        ("missing", [None, ""]),
    ]


def test_nobody_waits_for_a_pipeline_that_does_not_run(
    shop: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    sync = make_sync(shop, mysql_database)
    catch_up(sync)
    mysql_database.execute("DELETE FROM orders WHERE id = 3")
    began = time.monotonic()
    outcome = sync.verify()  # --settle 5
    assert outcome.code == 1
    assert time.monotonic() - began < 4
    assert f"Pipeline {sync.name} is not running" in outcome.out
    assert "row (3) is missing in the target" in outcome.out
    # Without its folder it cannot be known to stand still: a short wait, and then the same answer.
    outcome = service.run("verify", shop.url, mysql_database.url, "--name", sync.name, "--settle", "1")
    assert outcome.code == 1
    assert "does not seem to run" in outcome.out


def test_tables_and_columns_that_are_gone(
    shop: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    sync = make_sync(shop, mysql_database)
    catch_up(sync)
    mysql_database.execute("DROP TABLE log", "ALTER TABLE orders DROP COLUMN note")
    outcome = verified(sync, 1)
    assert "public.log: 0 rows, DIFFERENT (Table log does not exist" in outcome.out
    assert "column note is missing in the target; the source has 300 values in it" in outcome.out
    shop.execute("UPDATE orders SET note = NULL")
    assert verified(sync, 0, "--tables", "orders").out.count("equal") == 1


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_server_that_cannot_be_reached_is_no_difference(
    shop: Database, mysql_database: Database, make_sync: MakeSync, side: str
) -> None:
    urls = {"source": shop.url, "target": mysql_database.url}
    server = shop.server if side == "source" else mysql_database.server
    urls[side] = urls[side].replace(f":{server.port}/", ":1/").replace(f":{server.password}@", ":s3cret-pw@")
    for options in ([], ["--json"]):
        sync = make_sync(urls["source"], urls["target"])
        outcome = sync.verify(*options)
        assert outcome.code == 2
        assert "127.0.0.1" in outcome.err
        assert "s3cret-pw" not in outcome.text
        assert "Traceback" not in outcome.text
    document = json.loads(outcome.out)
    assert (document["verdict"], document["pipeline"]) == ("unknown", sync.name)
    assert "127.0.0.1" in document["error"]


def test_an_interrupted_comparison_is_no_difference(
    shop: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    catch_up(make_sync(shop, mysql_database))
    with shop.connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE orders")
        child = subprocess.Popen(
            [str(service.PROGRAM), "verify", shop.url, mysql_database.url, "--tables", "orders"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever starts the tests in the background has them ignore it, and children inherit that.
            preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
        service.until(
            lambda: (
                shop.query(f"{waiting} (SELECT oid FROM pg_database WHERE datname = current_database())")
                == [(1,)]
            ),
            20,
        )
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    assert child.returncode == 2
    assert "Interrupted" in err
    assert "Traceback" not in err


def test_values_lost_by_policy_under_keys_of_both_kinds(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    columns = "d date, t timestamptz, n numeric, f double precision, r real"
    values = "'infinity', '0044-03-15 12:00 BC', 'NaN', '-infinity', 'NaN'"
    pg_database.execute(
        f"CREATE TABLE ordered (id int PRIMARY KEY, {columns})",
        f"CREATE TABLE hashed (id numeric PRIMARY KEY, {columns})",
        f"CREATE TABLE keyless ({columns})",
        f"INSERT INTO ordered VALUES (1, {values}), (2, '2020-01-01', now(), 1.5, -0.0, 0.1)",
        f"INSERT INTO hashed VALUES (1, {values}), (2, '2020-01-01', now(), 1.5, -0.0, 0.1)",
        f"INSERT INTO keyless VALUES ({values}), ('2020-01-01', now(), 1.5, -0.0, 0.1)",
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    report = json.loads(verified(sync, 3, "--json").out)
    assert report["verdict"] == "equal but for policy"
    for table in report["tables"]:
        assert (table["status"], table["lost_by_policy"]) == (
            "policy",
            {"d": 1, "t": 1, "n": 1, "f": 1, "r": 1},
        )
    mysql_database.execute("UPDATE ordered SET d = '2020-01-01' WHERE id = 1")
    assert "row (1) differs in d" in verified(sync, 1).out
