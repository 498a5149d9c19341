"""Options of Debezium's connector that change what is copied, set or confirmed."""

from __future__ import annotations

import pytest

from connectors.postgres.identities import Identities
from connectors.postgres.overrides import Overrides
from replicator.api import ConfigError
from tests.integration.postgres.driver import Driver, ids, op
from tests.support.fix_servers import Database


def test_tables_copied_by_a_query(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        "INSERT INTO t SELECT g, 'x' FROM generate_series(1, 500) g",
        "CREATE TABLE bare (id int)", "INSERT INTO bare SELECT generate_series(1, 10)",
        "CREATE TABLE whole (id int PRIMARY KEY)", "INSERT INTO whole VALUES (1)",
    )  # fmt: skip
    option = "snapshot.select.statement.overrides"
    queries = {
        option: "public.t,public.bare",
        f"{option}.public.t": "SELECT * FROM public.t WHERE id % 10 = 0;",
        f"{option}.public.bare": "SELECT id FROM bare WHERE id > 8",
    }
    with Driver(pg_database, snapshot__chunk__rows="7", **queries) as driver:
        driver.until_phase("streaming")
        driver.until_count(53)
        by_table = {
            name: [r for r in driver.records if r.topic.endswith(name)] for name in ("t", "bare", "whole")
        }
        assert ids(by_table["t"]) == list(range(10, 501, 10))
        assert ids(by_table["bare"]) == [9, 10]
        pg_database.execute("INSERT INTO t VALUES (501, 'streamed')")
        driver.until_count(54)
    with pytest.raises(ConfigError, match="no query"):
        Overrides({option: "public.t"})


def test_replica_identities_are_set(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE a (id int, v int)", "CREATE TABLE b (id int PRIMARY KEY, u int NOT NULL)",
        "CREATE UNIQUE INDEX b_u ON b (u)", "CREATE TABLE c (id int PRIMARY KEY)", "INSERT INTO a VALUES (1, 0)",
    )  # fmt: skip
    values = r"public\.a:FULL,public\.b:INDEX b_u,public\.c:INDEX missing"
    with Driver(pg_database, replica__identity__autoset__values=values) as driver:
        driver.until_phase("streaming")
        identities = dict(
            pg_database.query("SELECT relname, relreplident::text FROM pg_class WHERE relname ~ '^[abc]$'")
        )
        assert identities == {"a": "f", "b": "i", "c": "d"}
        pg_database.execute("UPDATE a SET v = 1")
        driver.until_count(2)
        assert op(driver.records[-1]) == "u"
    with pytest.raises(ConfigError, match="Invalid entry"):
        Identities("public.a:SOME")


@pytest.mark.parametrize("mode", ["manual", "connector_and_driver"])
def test_who_confirms_the_log(pg_database: Database, mode: str) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with Driver(pg_database, lsn__flush__mode=mode, status__update__interval__ms="100") as driver:
        driver.until_phase("streaming")
        before = driver.slot()["confirmed_flush_lsn"]
        for number in range(3):
            pg_database.execute(f"INSERT INTO t VALUES ({number})")
        driver.until_count(3)
        if mode == "manual":
            driver.quiet(1.0)
            assert driver.slot()["confirmed_flush_lsn"] == before
        else:
            driver.until(lambda: driver.slot()["confirmed_flush_lsn"] != before)
    with driver:
        driver.until_phase("streaming")
        assert driver.quiet(0.5) == []
        pg_database.execute("INSERT INTO t VALUES (9)")
        driver.until_count(4)


def test_what_is_a_key(pg_database: Database) -> None:
    """Only what Postgres takes for one: a deferrable key, a partial index, one over nullable columns are none."""
    pg_database.execute(
        "CREATE TABLE plain (a int NOT NULL UNIQUE, b int)",
        "CREATE TABLE later (a int PRIMARY KEY DEFERRABLE, b int)",
        "CREATE TABLE part (a int NOT NULL, b int)", "CREATE UNIQUE INDEX part_a ON part (a) WHERE b > 0",
        "CREATE TABLE empty (a int UNIQUE, b int)",
        "CREATE TABLE other (a int PRIMARY KEY, b int NOT NULL UNIQUE)",
        "ALTER TABLE other REPLICA IDENTITY USING INDEX other_b_key",
        "CREATE TABLE hidden (a int PRIMARY KEY, b int)",
        "INSERT INTO plain VALUES (1, 1)", "INSERT INTO later VALUES (1, 1)",
        "INSERT INTO part VALUES (1, 1)", "INSERT INTO empty VALUES (1, 1)",
        "INSERT INTO other VALUES (1, 2)", "INSERT INTO hidden VALUES (1, 1)",
    )  # fmt: skip
    with Driver(pg_database, column__exclude__list=r"public\.hidden\.a") as driver:
        driver.until_count(6)
        keys = {r.topic.rpartition(".")[2]: r.key and r.key.plain() for r in driver.records}
        driver.until_phase("streaming")
        pg_database.execute("UPDATE later SET b = 2", "INSERT INTO later VALUES (2, 2)")
        driver.until_count(7)
    none = {"later": None, "part": None, "empty": None}
    assert keys == {"plain": {"a": 1}, "other": {"b": 2}, "hidden": {"a": 1}, **none}
    assert (op(driver.records[-1]), driver.records[-1].key) == ("c", None)
