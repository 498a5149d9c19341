"""Restarts: in the middle of a transaction, of a copy, after lost connections, on slots that are not ours any more."""

from __future__ import annotations

import pytest

from replicator.api import ConfigError, PositionLostError
from tests.integration.postgres.driver import Driver, ids, op, position, row
from tests.support.fix_servers import Database


def test_crash_in_the_middle_of_a_transaction(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    driver = Driver(pg_database, max__batch__size="5", max__queue__size="6")
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t SELECT generate_series(1, 50)")
        driver.until_count(12)
        assert 12 <= len(driver.records) < 50
    delivered = len(driver.records)
    with driver:
        driver.until_count(50)
        assert ids(driver.records) == list(range(1, 51))
        assert driver.quiet(0.5) == []
    ends = [position(r).end for r in driver.records]
    assert ends == [False] * 49 + [True]
    ordinals = [position(r).ordinal for r in driver.records]
    assert ordinals == sorted(set(ordinals))
    assert delivered < 50


@pytest.mark.parametrize("cut", range(1, 6))
def test_every_cut_of_a_transaction_resumes_exactly(pg_database: Database, cut: int) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "INSERT INTO t SELECT g, 'a' FROM generate_series(1, 3) g",
    )
    driver = Driver(pg_database, max__batch__size="1", max__queue__size="2")
    with driver:
        driver.until_count(3)
        driver.until_phase("streaming")
    with pg_database.connect() as connection, connection.transaction():
        connection.execute("UPDATE t SET v = 'b' WHERE id = 1")
        connection.execute("UPDATE t SET id = 12 WHERE id = 2")
        connection.execute("DELETE FROM t WHERE id = 3")
        connection.execute("INSERT INTO t VALUES (4, 'c')")
    pg_database.execute("INSERT INTO t VALUES (5, 'd')")
    driver.records, driver.batches = [], []
    with driver:
        driver.until(lambda: len(driver.batches) >= cut)
    with driver:
        driver.until_count(6)
        expected = [("u", 1), ("d", 2), ("c", 12), ("d", 3), ("c", 4), ("c", 5)]
        assert [(op(r), (row(r) or {})["id"]) for r in driver.records] == expected
        assert driver.quiet(0.3) == []


def test_interleaved_transactions_lose_nothing_over_a_restart(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    driver = Driver(pg_database)
    with driver:
        driver.until_phase("streaming")
        slow = pg_database.connect()
        slow.autocommit = False
        slow.execute("INSERT INTO t VALUES (1), (2)")
        pg_database.execute("INSERT INTO t VALUES (10)")
        driver.until_count(1)
        slow.execute("INSERT INTO t VALUES (3)")
    slow.execute("INSERT INTO t VALUES (4)")
    slow.commit()
    pg_database.execute("INSERT INTO t VALUES (11)")
    with driver:
        driver.until_count(6)
        assert ids(driver.records) == [10, 1, 2, 3, 4, 11]
        assert driver.quiet(0.3) == []
    slow.close()


def test_a_killed_walsender_is_replaced(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with Driver(pg_database) as driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (1)")
        driver.until_count(1)
        for n in (2, 3):
            pid = driver.slot()["active_pid"]
            pg_database.execute(f"SELECT pg_terminate_backend({pid})")
            pg_database.execute(f"INSERT INTO t VALUES ({n})")
            driver.until_count(n)
        assert ids(driver.records) == [1, 2, 3]
        assert any(f.get("phase") == "reconnecting" for f in driver.context.history)
        assert driver.quiet(0.3) == []


def _streamed_once(database: Database) -> Driver:
    database.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    driver = Driver(database)
    with driver:
        driver.until_count(1)
        driver.until_phase("streaming")
    database.execute("INSERT INTO t VALUES (2)")
    return driver


def test_a_dropped_slot_is_refused(pg_database: Database) -> None:
    driver = _streamed_once(pg_database)
    pg_database.execute(f"SELECT pg_drop_replication_slot('{driver.config['slot.name']}')")
    with driver, pytest.raises(PositionLostError, match="no longer available") as caught:
        driver.until_failed()
    assert driver.config["slot.name"] in str(caught.value)
    assert driver.slot() == {}


def test_a_recreated_slot_is_refused(pg_database: Database) -> None:
    driver = _streamed_once(pg_database)
    name = driver.config["slot.name"]
    pg_database.execute(
        f"SELECT pg_drop_replication_slot('{name}')",
        f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')",
    )
    with driver, pytest.raises(PositionLostError, match="recreated"):
        driver.until_failed()
    assert ids(driver.records) == [1]


def test_when_needed_copies_again_behind_a_truncate(pg_database: Database) -> None:
    driver = _streamed_once(pg_database)
    pg_database.execute(
        f"SELECT pg_drop_replication_slot('{driver.config['slot.name']}')", "DELETE FROM t WHERE id = 1"
    )
    driver.config["snapshot.mode"] = "when_needed"
    with driver:
        driver.until_count(3)
        assert [op(r) for r in driver.records] == ["r", "t", "r"]
        assert ids(driver.records) == [1, None, 2]
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (3)")
        driver.until_count(4)


def test_a_missing_publication_is_refused(pg_database: Database) -> None:
    driver = _streamed_once(pg_database)
    pg_database.execute("DROP PUBLICATION dbz_publication")
    with driver, pytest.raises(PositionLostError, match="dbz_publication"):
        driver.until_failed()


def test_a_copy_goes_on_behind_its_finished_chunks(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "INSERT INTO t SELECT g, 'a' FROM generate_series(1, 1000) g",
        "ANALYZE t",
    )
    driver = Driver(pg_database, snapshot__chunk__rows="100", max__batch__size="30", max__queue__size="31")
    with driver:
        driver.until_count(250)
        assert len(driver.records) < 900
    cut = len(driver.records)
    pg_database.execute(
        "UPDATE t SET v = 'b' WHERE id IN (1, 999)",
        "DELETE FROM t WHERE id = 2",
        "INSERT INTO t VALUES (1001, 'n')",
    )
    with driver:
        driver.until_phase("streaming")
        driver.until(lambda: "d" in [op(r) for r in driver.records] and 1001 in ids(driver.records, "c"))
        driver.quiet(0.5)
    again = ids(driver.records[cut:], "r")
    assert min(again) > 100, "finished chunks are not read again"
    state: dict[int, str] = {}
    for r in driver.records:
        values = row(r) or {}
        if op(r) == "d":
            state.pop(values["id"], None)
        else:
            state[values["id"]] = values["v"]
    assert state == dict(pg_database.query("SELECT id, v FROM t"))
    commits = [position(r).commit for r in driver.records if op(r) == "r"]
    assert commits == sorted(commits)
    assert len(set(commits)) == 2


def test_a_keyless_table_starts_over_behind_a_truncate(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (v int)",
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "INSERT INTO t SELECT generate_series(1, 3000)",
        "ANALYZE t",
    )
    driver = Driver(pg_database, snapshot__chunk__rows="500", max__batch__size="50", max__queue__size="51")
    with driver:
        driver.until_count(700)
    cut = len(driver.records)
    assert cut < 3000
    pg_database.execute("DELETE FROM t WHERE v = 1", "INSERT INTO t VALUES (3001)")
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (3002)")
        driver.until(lambda: op(driver.records[-1]) == "c")
        driver.quiet(0.3)
    rest = driver.records[cut:]
    assert op(rest[0]) == "t"
    values = sorted((row(r) or {})["v"] for r in rest[1:] if op(r) == "r")
    assert values == list(range(2, 3002))
    # What happened between the slot's creation and the new snapshot is in the new copy, and only there.
    assert [(op(r), (row(r) or {})["v"]) for r in rest if op(r) not in "tr"] == [("c", 3002)]


def test_a_table_added_later_is_copied(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE a (id int PRIMARY KEY)",
        "CREATE TABLE b (id int PRIMARY KEY)",
        "INSERT INTO a VALUES (1)",
        "INSERT INTO b VALUES (101)",
    )
    driver = Driver(pg_database, table__include__list=r"public\.a")
    with driver:
        driver.until_count(1)
        driver.until_phase("streaming")
    pg_database.execute("INSERT INTO a VALUES (2)", "INSERT INTO b VALUES (102)")
    driver.config["table.include.list"] = r"public\.a,public\.b"
    with driver:
        driver.until_count(4)
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO b VALUES (103)", "INSERT INTO a VALUES (3)")
        driver.until_count(6)
        driver.quiet(0.3)
    seen = [(op(r), (row(r) or {})["id"]) for r in driver.records]
    assert seen == [("r", 1), ("r", 101), ("r", 102), ("c", 2), ("c", 103), ("c", 3)]


def test_a_debezium_offset_is_taken_over(pg_database: Database) -> None:
    driver = _streamed_once(pg_database)
    stored = driver.offsets.stored
    assert stored is not None
    keys = ("lsn", "lsn_proc", "lsn_commit", "messageType", "ts_usec")
    driver.offsets.stored = {k: v for k, v in stored.items() if k in keys}
    with driver:
        driver.until_count(2)
        assert [(op(r), (row(r) or {})["id"]) for r in driver.records] == [("r", 1), ("c", 2)]
        assert "replicator_slot" in (driver.offsets.stored or {})


def test_a_table_that_debezium_did_not_publish_is_copied_when_its_offset_is_taken_over(
    pg_database: Database,
) -> None:
    driver = _streamed_once(pg_database)
    stored = driver.offsets.stored
    assert stored is not None
    driver.offsets.stored = {k: v for k, v in stored.items() if not k.startswith("replicator_")}
    pg_database.execute("CREATE TABLE later (id int PRIMARY KEY)", "INSERT INTO later VALUES (7)")
    with driver:
        driver.until_count(3)
        pg_database.execute("INSERT INTO later VALUES (8)")
        driver.until_count(4)
        seen = [(op(r), (row(r) or {})["id"]) for r in driver.records]
    assert seen == [("r", 1), ("r", 7), ("c", 2), ("c", 8)]


def test_the_acknowledged_position_never_passes_the_stored_one(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    driver = Driver(pg_database)
    driver.acknowledge = False
    with driver:
        driver.until_phase("streaming")
        before = driver.slot()["confirmed_flush_lsn"]
        pg_database.execute("INSERT INTO t VALUES (1)")
        driver.until_count(1)
        driver.quiet(1.5)
        assert driver.slot()["confirmed_flush_lsn"] == before
        driver.acknowledge = True
        pg_database.execute("INSERT INTO t VALUES (2)")
        driver.until_count(2)
        driver.until(lambda: driver.slot()["confirmed_flush_lsn"] != before)


def test_the_slot_moves_while_nothing_is_captured(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE other (id int)")
    with Driver(pg_database, table__include__list=r"public\.t") as driver:
        driver.until_phase("streaming")
        moved = "SELECT confirmed_flush_lsn >= %s FROM pg_replication_slots WHERE slot_name = %s"
        for n in range(3):
            pg_database.execute(f"INSERT INTO other VALUES ({n})")
            end = pg_database.query("SELECT pg_current_wal_lsn()")[0][0]
            name = driver.config["slot.name"]
            driver.until(lambda e=end, s=name: pg_database.query(moved, [e, s]) == [(True,)])  # type: ignore[misc]
        assert driver.records == []


def test_heartbeat_records_come_on_time(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE beats (n int)")
    with Driver(
        pg_database,
        table__include__list=r"public\.t",
        heartbeat__interval__ms="300",
        heartbeat__action__query="INSERT INTO beats VALUES (1)",
    ) as driver:
        driver.until(lambda: len(driver.records) >= 2)
        assert {r.topic for r in driver.records} == {"__debezium-heartbeat.srv"}
        assert driver.records[0].key.fields == {"serverName": "srv"}
        assert pg_database.query("SELECT count(*) > 0 FROM beats") == [(True,)]


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("database.password", "wrong", "password authentication failed"),
        ("database.dbname", "no_such_database", "does not exist"),
    ],
)
def test_wrong_options_fail_and_say_which(
    pg_database: Database, option: str, value: str, expected: str
) -> None:
    driver = Driver(pg_database)
    driver.config[option] = value
    with driver, pytest.raises(ConfigError, match=expected) as caught:
        driver.until_failed()
    assert caught.value.option == option


@pytest.mark.parametrize(
    "change",
    [
        ["DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (7)"],
        ["ALTER PUBLICATION dbz_publication DROP TABLE t", "DELETE FROM t", "INSERT INTO t VALUES (7)"],
    ],
    ids=["created anew", "not published for a while"],
)
def test_a_table_that_escaped_the_log_is_copied_anew(pg_database: Database, change: list[str]) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY)",
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE u (id int PRIMARY KEY)",
    )
    driver = Driver(pg_database)
    with driver:
        driver.until_count(1)
        driver.until_phase("streaming")
    pg_database.execute(*change, "INSERT INTO u VALUES (1)")
    with driver:
        driver.until_count(4)
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (8)")
        driver.until_count(5)
        driver.quiet(0.3)
    seen = [(op(r), r.topic[-1], (row(r) or {}).get("id")) for r in driver.records]
    assert seen == [("r", "t", 1), ("t", "t", None), ("r", "t", 7), ("c", "u", 1), ("c", "t", 8)]


def test_an_orderly_stop_drops_the_slot_when_asked(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with Driver(pg_database, slot__drop__on__stop="true") as driver:
        driver.until_phase("streaming")
        assert driver.slot()
    assert driver.slot() == {}
