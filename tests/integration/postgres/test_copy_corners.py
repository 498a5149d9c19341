"""The copy as a guest: changes of the table under it, old transactions, modes, the running application."""

from __future__ import annotations

import pytest

from tests.integration.postgres.driver import Driver, ids, op, row
from tests.support.fix_servers import Database

SMALL = {"snapshot__chunk__rows": "100", "max__batch__size": "20", "max__queue__size": "21"}


def _thousand(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g",
        "ANALYZE t",
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE t ALTER v TYPE text USING 'n' || v", {"id": 1, "v": "n1"}),
        ("ALTER TABLE t ADD COLUMN w int DEFAULT 7", {"id": 1, "v": 1, "w": 7}),
        ("ALTER TABLE t DROP COLUMN v", {"id": 1}),
        ("TRUNCATE t; INSERT INTO t VALUES (1, 5)", {"id": 1, "v": 5}),
    ],
)
def test_a_table_changed_during_its_copy_starts_over(
    pg_database: Database, change: str, expected: dict[str, object]
) -> None:
    _thousand(pg_database)
    with Driver(pg_database, **SMALL) as driver:
        driver.until_count(150)
        assert len(driver.records) < 900
        with pg_database.connect() as connection:
            # The copy must not be in the application's way: each chunk's lock is short.
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(change)
        driver.until_phase("streaming")
        driver.quiet(0.5)
        truncates = [i for i, r in enumerate(driver.records) if op(r) == "t"]
        assert truncates
        state: dict[object, object] = {}
        for r in driver.records[truncates[0] :]:
            if op(r) == "t":
                state.clear()
            else:
                state[(row(r) or {})["id"]] = row(r)
        assert state[1] == expected
        assert len(state) == pg_database.query("SELECT count(*) FROM t")[0][0]


def test_nothing_is_locked_while_the_target_is_slow(pg_database: Database) -> None:
    _thousand(pg_database)
    with Driver(pg_database, **SMALL) as driver:
        driver.until_count(30)
        locks = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 't'"
        held = [pg_database.query(locks)[0][0] for _ in range(20)]
        assert held.count(0) > 10
        driver.until_phase("streaming")
        idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        assert pg_database.query(idle) == [(0,)]


def test_who_keeps_the_slot_waiting_is_named(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    old = pg_database.connect()
    old.autocommit = False
    old.execute("INSERT INTO t VALUES (1)")
    with Driver(pg_database) as driver:
        driver.until(lambda: str(old.info.backend_pid) in str(driver.context.facts.get("warnings")))
        old.commit()
        driver.until_phase("streaming")
        driver.quiet(0.5)
        assert ids(driver.records) == [1]
        assert driver.context.facts["warnings"] == []
    old.close()


def test_initial_only_copies_once_and_makes_no_slot(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    driver = Driver(pg_database, snapshot__mode="initial_only")
    with driver:
        driver.until_count(2)
        driver.until_phase("finished")
        pg_database.execute("INSERT INTO t VALUES (3)")
        assert driver.quiet(0.5) == []
    with driver:
        driver.until_phase("finished")
        assert driver.quiet(0.3) == []
    assert driver.slot() == {}


def test_no_data_streams_only(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    driver = Driver(pg_database, snapshot__mode="no_data")
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (2)")
        driver.until_count(1)
    # The offset is lost, the slot is not: what was not acknowledged comes again.
    pg_database.execute("INSERT INTO t VALUES (3)")
    driver.offsets.stored = None
    with driver:
        driver.until(lambda: 3 in ids(driver.records))
        assert {op(r) for r in driver.records} == {"c"}


def test_always_copies_at_every_start(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    driver = Driver(pg_database, snapshot__mode="always")
    with driver:
        driver.until_phase("streaming")
    pg_database.execute("INSERT INTO t VALUES (2)")
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (3)")
        driver.until(lambda: 3 in ids(driver.records))
    assert [(op(r), (row(r) or {})["id"]) for r in driver.records] == [("r", 1), ("r", 1), ("r", 2), ("c", 3)]


def test_many_key_types_in_chunks(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (a text, b uuid, c timestamptz, d int, PRIMARY KEY (c, a, b))",
        """INSERT INTO t SELECT 'it''s \\' || (g % 7), md5(g::text)::uuid, now() + g % 5 * interval '1 us', g
             FROM generate_series(1, 500) g""",
        "ANALYZE t",
    )
    with Driver(pg_database, snapshot__chunk__rows="37") as driver:
        driver.until_phase("streaming")
        found = [(row(r) or {})["d"] for r in driver.records]
    assert len(found) == 500
    assert set(found) == set(range(1, 501))


def test_snapshot_markers(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE a (id int PRIMARY KEY)",
        "CREATE TABLE b (id int PRIMARY KEY)",
        "CREATE TABLE empty (id int PRIMARY KEY)",
        "INSERT INTO a SELECT generate_series(1, 3)",
        "INSERT INTO b SELECT generate_series(1, 3)",
    )
    with Driver(pg_database) as driver:
        driver.until_phase("streaming")
        driver.quiet(0.3)
    markers = [r.value.fields["source"]["snapshot"] for r in driver.records]
    assert markers == [
        "first", "true", "last_in_data_collection", "first_in_data_collection", "true", "last",
    ]  # fmt: skip
    tables = driver.context.facts["tables"]
    assert {n: (t["state"], t["rows_done"]) for n, t in tables.items()} == {
        "public.a": ("copied", 3), "public.b": ("copied", 3), "public.empty": ("copied", 0),
    }  # fmt: skip


def test_a_keyless_partitioned_table_is_copied_partition_by_partition(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE p (v int, w text) PARTITION BY RANGE (v)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE p2 (w text, v int)",
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (1000) TO (5000)",
        "INSERT INTO p SELECT g, 'x' FROM generate_series(1, 3000) g",
    )
    with Driver(pg_database, publish__via__partition__root="true", snapshot__chunk__rows="500") as driver:
        driver.until_phase("streaming")
        driver.quiet(0.3)
    assert sorted((row(r) or {})["v"] for r in driver.records) == list(range(1, 3001))
    assert {r.topic for r in driver.records} == {"srv.public.p"}


def test_inherited_tables_are_not_copied_twice(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent)",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO child VALUES (2)",
    )
    with Driver(pg_database) as driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO child VALUES (3)")
        driver.until_count(3)
        driver.quiet(0.3)
    seen = [(r.topic, (row(r) or {})["id"]) for r in driver.records]
    assert sorted(seen) == [("srv.public.child", 2), ("srv.public.child", 3), ("srv.public.parent", 1)]


def test_wide_rows_cut_chunks_short(pg_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "ALTER TABLE t ALTER v SET STORAGE EXTERNAL",
        "INSERT INTO t SELECT g, repeat('x', 20000) FROM generate_series(1, 600) g",
    )
    monkeypatch.setattr("connectors.postgres.chunks.CHUNK_BYTES", 500_000)
    with Driver(pg_database) as driver:
        driver.until_phase("streaming")
        driver.quiet(0.3)
    assert ids(driver.records) == list(range(1, 601))


def test_a_locked_table_is_waited_for_in_short_turns(pg_database: Database) -> None:
    _thousand(pg_database)
    application = pg_database.connect()
    application.autocommit = False
    with Driver(pg_database, snapshot__lock__timeout__ms="100", **SMALL) as driver:
        driver.until_count(50)
        application.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        driver.quiet(1.5)
        assert len(driver.records) < 1000
        application.commit()
        driver.until_phase("streaming")
        assert ids(driver.records) == list(range(1, 1001))
        assert not any(f.get("phase") == "reconnecting" for f in driver.context.history)
    application.close()
