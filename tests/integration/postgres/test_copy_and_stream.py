"""The copy, the hand-over to the stream, and the shape of streamed records."""

from __future__ import annotations

import threading
import time

from tests.integration.postgres.driver import Driver, ids, op, position, row
from tests.support.fix_servers import Database


def test_copy_then_stream(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric(10,2), at timestamptz)",
        "INSERT INTO t VALUES (1, 'a\tb\\n', 1.50, '2020-01-01 12:00:00+00'), (2, NULL, NULL, NULL)",
    )
    with Driver(pg_database) as driver:
        first, second = driver.until_count(2)[:2]
        assert (op(first), row(first)) == (
            "r",
            {"id": 1, "name": "a\tb\\n", "amount": "1.50", "at": "2020-01-01T12:00:00.000000Z"},
        )
        assert row(second) == {"id": 2, "name": None, "amount": None, "at": None}
        assert [r.value.get("source").get("snapshot") for r in (first, second)] == ["first", "last"]
        assert first.topic == "srv.public.t"
        assert first.key.fields == {"id": 1}
        driver.until_phase("streaming")
        pg_database.execute(
            "INSERT INTO t VALUES (3, 'c', 3, NULL)",
            "UPDATE t SET name = 'd' WHERE id = 1",
            "DELETE FROM t WHERE id = 2",
        )
        driver.until_count(5)
        assert [op(r) for r in driver.records[2:]] == ["c", "u", "d"]
        assert driver.records[4].key.fields == {"id": 2}
        positions = [position(r) for r in driver.records[2:]]
        assert [p.phase for p in positions] == ["s"] * 3
        assert [p.end for p in positions] == [True] * 3
        assert sorted(p.commit for p in positions) == [p.commit for p in positions]
        assert driver.quiet(0.5) == []


def test_no_gap_and_no_overlap_under_load(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id bigserial PRIMARY KEY, v text)",
        "INSERT INTO t (v) SELECT repeat('x', 50) FROM generate_series(1, 20000)",
        "ANALYZE t",
    )
    done = threading.Event()

    def load() -> None:
        with pg_database.connect() as connection:
            for _ in range(150):
                connection.execute("INSERT INTO t (v) SELECT 'new' FROM generate_series(1, 3)")
                time.sleep(0.01)
        done.set()

    writer = threading.Thread(target=load)
    writer.start()
    with Driver(pg_database, snapshot__chunk__rows="3000") as driver:
        driver.until(lambda: done.is_set() and len(driver.records) >= 20450)
        writer.join()
        found = ids(driver.records)
        assert len(found) == len(set(found)) == 20450
        assert driver.quiet(0.3) == []
        assert driver.database.query("SELECT count(*) FROM t") == [(20450,)]
