"""What each kind of change becomes: keys, TOAST, truncates, schema changes, messages, partitions, identities."""

from __future__ import annotations

import pytest

from replicator.api import ConfigError
from replicator.api.logical import UNAVAILABLE_VALUE
from tests.integration.postgres.driver import Driver, ids, op, position, row
from tests.support.fix_servers import Database


def test_key_change_is_delete_tombstone_create_in_one_batch(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL)", "INSERT INTO t VALUES (1, 'a')"
    )
    with Driver(pg_database, tombstones__on__delete="true") as driver:
        driver.until_count(1)
        driver.until_phase("streaming")
        pg_database.execute("UPDATE t SET id = 2 WHERE id = 1", "DELETE FROM t")
        driver.until_count(6)
        _copied, deleted, tombstone, created, last, last_tombstone = driver.records
    assert [op(r) for r in driver.records] == ["r", "d", "tombstone", "c", "d", "tombstone"]
    assert deleted.key.fields == tombstone.key.fields == {"id": 1}
    assert created.key.fields == {"id": 2}
    assert deleted.header("__debezium.newkey").value.fields == {"id": 2}
    assert tombstone.header("__debezium.newkey").value.fields == {"id": 2}
    assert created.header("__debezium.oldkey").value.fields == {"id": 1}
    assert row(deleted) == {"id": 1, "v": ""}
    assert any({id(deleted), id(tombstone), id(created)} <= set(map(id, b)) for b in driver.batches)
    assert [position(r).end for r in driver.records[1:]] == [False, False, True, False, True]
    assert tombstone.value_schema is None
    assert last.key.fields == last_tombstone.key.fields == {"id": 2}


@pytest.mark.parametrize("identity", ["DEFAULT", "FULL"])
def test_unchanged_large_values(pg_database: Database, identity: str) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, n int, big text)",
        "ALTER TABLE t ALTER big SET STORAGE EXTERNAL",
        f"ALTER TABLE t REPLICA IDENTITY {identity}",
        "INSERT INTO t VALUES (1, 1, repeat('x', 10000))",
    )
    with Driver(pg_database) as driver:
        driver.until_count(1)
        driver.until_phase("streaming")
        pg_database.execute("UPDATE t SET n = 2")
        driver.until_count(2)
    changed = driver.records[1].value.fields
    if identity == "FULL":
        assert changed["after"] == {"id": 1, "n": 2, "big": "x" * 10000}
        assert changed["before"]["n"] == 1
    else:
        assert changed["after"] == {"id": 1, "n": 2, "big": UNAVAILABLE_VALUE}
        assert changed["before"] is None


def test_truncate_gives_one_record_per_table(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)")
    with Driver(pg_database) as driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)", "TRUNCATE a, b")
        driver.until_count(4)
        assert [(op(r), r.topic) for r in driver.records[2:]] == [
            ("t", "srv.public.a"),
            ("t", "srv.public.b"),
        ]
        assert [r.key for r in driver.records[2:]] == [None, None]
        assert [position(r).end for r in driver.records[2:]] == [False, True]


def test_truncate_is_skipped_by_default(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    driver = Driver(pg_database)
    del driver.config["skipped.operations"]
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("TRUNCATE t", "INSERT INTO t VALUES (1)")
        driver.until_count(1)
        assert op(driver.records[0]) == "c"


def test_a_table_without_identity_keeps_its_updates_working(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE bare (v int)", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO bare VALUES (1)"
    )
    with Driver(pg_database) as driver:
        driver.until_count(1)
        driver.until_phase("streaming")
        pg_database.execute("UPDATE bare SET v = 2", "DELETE FROM bare", "INSERT INTO bare VALUES (3)")
        driver.until_count(2)
        assert [(op(r), row(r)) for r in driver.records] == [("r", {"v": 1}), ("c", {"v": 3})]
        assert driver.records[1].key is None
        warnings = " ".join(driver.context.facts["warnings"])
        assert "public.bare has no replica identity" in warnings
        assert "REPLICA IDENTITY FULL" in warnings
    published = dict(
        pg_database.query("SELECT tablename::text, pubname::text FROM pg_publication_tables ORDER BY 1")
    )
    assert published == {"bare": "dbz_publication_append", "t": "dbz_publication"}


def test_gaining_an_identity_copies_the_table_again(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE bare (v int)", "INSERT INTO bare VALUES (1)")
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    driver = Driver(pg_database)
    with driver:
        driver.until_count(1)
        driver.until_phase("streaming")
    pg_database.execute("UPDATE bare SET v = 2", "ALTER TABLE bare ADD PRIMARY KEY (v)")
    with driver:
        driver.until_count(3)
        driver.until_phase("streaming")
        pg_database.execute("UPDATE bare SET v = 5", "INSERT INTO t VALUES (1)")
        driver.until_count(6)
    seen = [(op(r), row(r)) for r in driver.records]
    assert seen == [
        ("r", {"v": 1}), ("t", None), ("r", {"v": 2}), ("d", {"v": 2}), ("c", {"v": 5}), ("c", {"id": 1}),
    ]  # fmt: skip


def test_columns_added_and_dropped_while_streaming(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (b int, id int, a int, PRIMARY KEY (id, b))")
    with Driver(pg_database) as driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (1, 2, 3)", "ALTER TABLE t ADD COLUMN c text DEFAULT 'x'")
        pg_database.execute("INSERT INTO t VALUES (4, 5, 6)", "ALTER TABLE t DROP COLUMN a")
        pg_database.execute("INSERT INTO t VALUES (7, 8, 'y')")
        driver.until_count(3)
    assert [row(r) for r in driver.records] == [
        {"b": 1, "id": 2, "a": 3},
        {"b": 4, "id": 5, "a": 6, "c": "x"},
        {"b": 7, "id": 8, "c": "y"},
    ]
    assert [list(r.key.fields) for r in driver.records] == [["id", "b"]] * 3


def test_rows_of_a_dropped_table_are_still_delivered(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE u (id int PRIMARY KEY)")
    driver = Driver(pg_database)
    with driver:
        driver.until_phase("streaming")
    pg_database.execute("INSERT INTO t VALUES (1)", "DROP TABLE t", "INSERT INTO u VALUES (2)")
    with driver:
        driver.until_count(2)
        assert [(r.topic, row(r), r.key.fields) for r in driver.records] == [
            ("srv.public.t", {"id": 1}, {"id": 1}),
            ("srv.public.u", {"id": 2}, {"id": 2}),
        ]


def test_generated_and_excluded_columns_are_left_out(pg_database: Database) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, a int, secret text, twice int GENERATED ALWAYS AS (a * 2) STORED)",
        "INSERT INTO t VALUES (1, 2, 's')",
    )
    with Driver(pg_database, column__exclude__list=r"public\.t\.secret") as driver:
        driver.until_count(1)
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (2, 3, 's')")
        driver.until_count(2)
        assert [row(r) for r in driver.records] == [{"id": 1, "a": 2}, {"id": 2, "a": 3}]
        assert driver.records[0].value_schema == driver.records[1].value_schema


@pytest.mark.parametrize("via_root", [True, False])
def test_partitions(pg_database: Database, via_root: bool) -> None:
    pg_database.execute(
        "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE p2 (v text, id int NOT NULL)",
        "ALTER TABLE p2 ADD PRIMARY KEY (id)",
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)",
        "INSERT INTO p VALUES (1, 'a'), (11, 'b')",
    )
    with Driver(pg_database, publish__via__partition__root=str(via_root).lower()) as driver:
        driver.until_count(2)
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO p VALUES (2, 'c'), (12, 'd')", "UPDATE p SET v = 'e' WHERE id = 12")
        driver.until_count(5)
        assert driver.quiet(0.3) == []
    assert sorted(ids(driver.records)) == [1, 2, 11, 12, 12]
    topics = {r.topic for r in driver.records}
    assert topics == ({"srv.public.p"} if via_root else {"srv.public.p1", "srv.public.p2"})


def test_logical_messages_in_and_outside_of_transactions(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    driver = Driver(pg_database, message__prefix__include__list="wanted.*")
    with driver:
        driver.until_phase("streaming")
        pg_database.execute(
            "SELECT pg_logical_emit_message(true, 'wanted', 'one')",
            "SELECT pg_logical_emit_message(true, 'other', 'no')",
            "SELECT pg_logical_emit_message(false, 'wanted.too', 'two')",
            "INSERT INTO t VALUES (1)",
        )
        driver.until_count(3)
    with driver:
        pg_database.execute("INSERT INTO t VALUES (2)")
        driver.until_count(4)
        assert driver.quiet(0.3) == []
    one, two, three, four = driver.records
    assert [r.topic for r in driver.records] == ["srv.message", "srv.message", "srv.public.t", "srv.public.t"]
    assert one.value.fields["message"] == {"prefix": "wanted", "content": b"one"}
    assert two.key.fields == {"prefix": "wanted.too"}
    assert two.value.fields["source"]["txId"] is None
    assert (one.value.fields["op"], ids([three, four])) == ("m", [1, 2])
    assert all(position(r).end for r in driver.records)
    commits = [position(r).commit for r in driver.records]
    assert commits == sorted(set(commits))


def test_transaction_metadata(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)")
    driver = Driver(
        pg_database, provide__transaction__metadata="true", max__batch__size="2", max__queue__size="3"
    )
    with driver:
        driver.until_phase("streaming")
        with pg_database.connect() as connection, connection.transaction():
            connection.execute("INSERT INTO a VALUES (1), (2)")
            connection.execute("INSERT INTO b VALUES (1)")
        driver.until_count(2)
    with driver:
        driver.until_count(5)
        assert driver.quiet(0.3) == []
    begin, *rows, end = driver.records
    assert (begin.topic, begin.value.fields["status"]) == ("srv.transaction", "BEGIN")
    blocks = [r.value.fields["transaction"] for r in rows]
    assert [(b["total_order"], b["data_collection_order"]) for b in blocks] == [(1, 1), (2, 2), (3, 1)]
    assert (end.value.fields["status"], end.value.fields["event_count"]) == ("END", 3)
    assert end.value.fields["data_collections"] == [
        {"data_collection": "public.a", "event_count": 2},
        {"data_collection": "public.b", "event_count": 1},
    ]


def test_a_publication_of_all_tables_is_used_as_it_is(pg_database: Database) -> None:
    pg_database.execute("CREATE TABLE t (id int PRIMARY KEY)", "CREATE PUBLICATION mine FOR ALL TABLES")
    driver = Driver(pg_database, publication__name="mine", publication__autocreate__mode="all_tables")
    with driver:
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (1)")
        driver.until_count(1)
    assert pg_database.query("SELECT pubname::text FROM pg_publication") == [("mine",)]


def test_without_ownership_the_error_has_the_statement(pg_database: Database) -> None:
    role = f"role_{pg_database.name}"
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY)",
        f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'x'",
        f"GRANT SELECT ON t TO {role}",
    )
    driver = Driver(pg_database, database__user=role, database__password="x")
    try:
        with driver, pytest.raises(ConfigError) as caught:
            driver.until_failed()
        assert 'CREATE PUBLICATION "dbz_publication" FOR TABLE ONLY "public"."t"' in str(caught.value)
        pg_database.execute("CREATE PUBLICATION dbz_publication FOR TABLE t")
        driver.config["publication.autocreate.mode"] = "disabled"
        with driver:
            driver.until_phase("streaming")
            pg_database.execute("INSERT INTO t VALUES (1)")
            driver.until_count(1)
    finally:
        pg_database.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_the_copy_leaves_out_what_the_publication_does(pg_database: Database) -> None:
    if int(pg_database.query("SHOW server_version_num")[0][0]) < 150000:
        pytest.skip("column lists and row filters came with Postgres 15")
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text, secret text)",
        "INSERT INTO t VALUES (1, 'a', 's'), (-1, '{b}', 's')",
        "CREATE PUBLICATION dbz_publication FOR TABLE t (id, v) WHERE (id > 0 AND v <> '{}') "
        "WITH (publish = 'insert')",
    )
    with Driver(pg_database, publication__autocreate__mode="disabled") as driver:
        driver.until_count(1)
        driver.until_phase("streaming")
        pg_database.execute("INSERT INTO t VALUES (2, 'b', 's'), (-2, 'b', 's')")
        driver.until_count(2)
        driver.quiet(0.3)
    assert [(op(r), row(r)) for r in driver.records] == [
        ("r", {"id": 1, "v": "a"}),
        ("c", {"id": 2, "v": "b"}),
    ]
