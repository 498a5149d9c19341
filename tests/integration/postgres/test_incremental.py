"""Incremental snapshots: chunks between watermarks, while the tables change and the connector is started again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.postgres.incremental import _visible
from tests.integration.postgres.driver import Driver, ids, op, row
from tests.support.fix_servers import Database

ROWS = 1500


def _table(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        f"INSERT INTO t SELECT g, 0 FROM generate_series(1, {ROWS}) g",
        "CREATE TABLE bare (n int)",
    )


def _driver(database: Database, **options: str) -> Driver:
    return Driver(database, snapshot__mode="no_data", incremental__snapshot__chunk__size="100", **options)


def _signal(driver: Driver, kind: str = "execute-snapshot", **data: Any) -> None:
    assert driver.task is not None
    driver.task.signal(kind, data)


def _held(driver: Driver) -> dict[Any, Any]:
    held: dict[Any, Any] = {}
    for record in driver.records:
        if record.topic != "srv.public.t":
            continue
        fields = row(record) or {}
        if op(record) == "d":
            held.pop(fields["id"], None)
        else:
            held[fields["id"]] = fields["v"]
    return held


@contextmanager
def _updates(database: Database) -> Iterator[None]:
    ended = threading.Event()

    def work() -> None:
        with database.connect() as connection:
            n = 0
            while not ended.is_set():
                n += 1
                with connection.transaction():
                    connection.execute(
                        "UPDATE t SET v = v + 1 WHERE id BETWEEN %s AND %s", [n % 1500, n % 1500 + 5]
                    )
                    if n % 7 == 0:
                        connection.execute("DELETE FROM t WHERE id = %s", [n % 1500])
                    if n % 11 == 0:
                        connection.execute("INSERT INTO t VALUES (%s, 0)", [100_000 + n])
                    if n % 13 == 0:
                        connection.execute("UPDATE t SET id = id + 200000 WHERE id = %s", [n % 700])
                ended.wait(0.001)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("restarts", [0, 3])
def test_rows_and_changes_together_make_the_table(pg_database: Database, restarts: int) -> None:
    _table(pg_database)
    driver = _driver(pg_database)
    with _updates(pg_database):
        driver.start()
        driver.until_phase("streaming")
        _signal(driver, type="incremental", **{"data-collections": [r"public\.t"]})
        for number in range(restarts):
            driver.until(
                lambda number=number: [op(r) for r in driver.records].count("r") > 200 * (number + 1)
            )
            driver.crash()
            driver.start()
        driver.until(lambda: driver.context.facts.get("incremental_snapshot", {}).get("tables") == [])
    pg_database.execute("INSERT INTO t VALUES (-1, 0)")
    driver.until(lambda: -1 in ids(driver.records))
    driver.stop()
    assert _held(driver) == dict(pg_database.query("SELECT id, v FROM t"))
    copied = [r for r in driver.records if op(r) == "r"]
    assert len(copied) > 1000
    assert {r.value.fields["source"]["snapshot"] for r in copied} == {"incremental"}
    assert "replicator_incremental" not in (driver.offsets.stored or {})


def test_conditions_pausing_and_stopping(pg_database: Database) -> None:
    _table(pg_database)
    with _driver(pg_database) as driver:
        driver.until_phase("streaming")
        condition = {"data-collection": r"public\.t", "filter": "id % 100 = 0"}
        _signal(
            driver,
            **{"data-collections": [r"public\.t", r"public\.bare"], "additional-conditions": [condition]},
        )
        driver.until_count(15)
        driver.until(
            lambda: any("public.bare has no key" in w for w in driver.context.facts.get("warnings", []))
        )
        assert ids(driver.records, "r") == list(range(100, 1501, 100))
        _signal(driver, "pause-snapshot", type="incremental")
        _signal(driver, **{"data-collections": [r"public\.t"], "surrogate-key": "id"})
        assert driver.quiet(0.7) == []
    with driver:
        # Still paused at the next start.
        driver.until_phase("streaming")
        assert driver.quiet(0.7) == []
        _signal(driver, "resume-snapshot", type="incremental")
        driver.until_count(15 + 300)
        _signal(driver, "stop-snapshot", type="incremental", **{"data-collections": [r"public\.t"]})
        driver.quiet(0.7)
        assert driver.quiet(0.7) == []
        assert len(driver.records) < 1500


def test_signals_by_table_and_by_file(pg_database: Database, tmp_path: Path) -> None:
    _table(pg_database)
    pg_database.execute(
        "CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32), data varchar(2048))"
    )
    file = tmp_path / "signals.txt"
    data = json.dumps({"data-collections": [r"public\.t"]})
    driver = _driver(
        pg_database,
        table__include__list=r"public\.t",
        signal__data__collection="public.signals",
        signal__enabled__channels="source,file",
        signal__file=str(file),
        signal__poll__interval__ms="100",
    )
    with driver:
        driver.until_phase("streaming")
        pg_database.execute(
            "INSERT INTO signals VALUES ('0', 'nonsense', '{}'), ('1', 'execute-snapshot', 'no json')"
        )
        pg_database.execute(f"INSERT INTO signals VALUES ('2', 'execute-snapshot', '{data}')")
        driver.until(lambda: len(ids(driver.records, "r")) == ROWS)
        assert [r.topic for r in driver.records if op(r) == "c"] == ["srv.public.signals"] * 3
        fresh = tmp_path / "fresh"
        fresh.write_text(
            "nonsense\n" + json.dumps({"id": "3", "type": "execute-snapshot", "data": json.loads(data)})
        )
        fresh.rename(file)
        driver.until(lambda: len(ids(driver.records, "r")) == 2 * ROWS)
        driver.until(lambda: file.read_text() == "")
    with driver:
        driver.until_phase("streaming")
        assert driver.quiet(0.5) == []


def test_a_chunk_older_than_the_stream_is_read_again(pg_database: Database) -> None:
    visible = _visible("4294967290:4294967300:4294967295")
    assert visible(4294967289)
    assert not visible(4294967295)
    assert visible(3)
    assert not visible(4)
    assert not visible(100)
    _table(pg_database)
    with _driver(pg_database) as driver:
        driver.until_phase("streaming")
        began = time.monotonic()
        with pg_database.connect() as connection:
            connection.execute("BEGIN")
            connection.execute("UPDATE t SET v = 9 WHERE id = 1")
            _signal(driver, **{"data-collections": [r"public\.t"]})
            # A transaction that is open does not hold the reading up.
            driver.until(lambda: len(ids(driver.records, "r")) == ROWS)
            connection.execute("COMMIT")
        assert time.monotonic() - began < 40
        driver.until_count(ROWS + 1)
        assert _held(driver)[1] == 9
