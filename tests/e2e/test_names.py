"""Names that need quoting, and target tables that existed before."""

from __future__ import annotations

from tests.support.fix_servers import Database
from tests.support.sync_process import MakeSync, catch_up, refusal, target_tables, verified


def test_names_that_need_quoting(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        'CREATE TABLE "Order" ("Select" int PRIMARY KEY, "from" text, "a b" int, "Ünï" text, "q""uote" int, "x`y" int)',
        'CREATE SCHEMA "Group"',
        'CREATE TABLE "Group"."table" ("KEY" varchar(10) PRIMARY KEY, "desc" int)',
        'CREATE TABLE "таблица" ("ключ" int PRIMARY KEY, "значение" text)',
        'CREATE TABLE "with.dot" ("c.d" int PRIMARY KEY, "%s" text)',
        'CREATE TABLE "it\'s" ("it\'s" int PRIMARY KEY)',
    )
    changes = (
        """INSERT INTO "Order" SELECT n, 'x', n, 'ü', n, n FROM generate_series(%d, %d) n""",
        """INSERT INTO "Group"."table" SELECT 'k' || n, n FROM generate_series(%d, %d) n""",
        """INSERT INTO "таблица" SELECT n, 'да' FROM generate_series(%d, %d) n""",
        """INSERT INTO "with.dot" SELECT n, '%%s' FROM generate_series(%d, %d) n""",
        """INSERT INTO "it's" SELECT n FROM generate_series(%d, %d) n""",
    )
    for change in changes:
        pg_database.execute(change % (1, 10))
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    for change in changes:
        pg_database.execute(change % (11, 20))
    pg_database.execute(
        'UPDATE "Order" SET "from" = \'y\', "x`y" = 7', 'DELETE FROM "таблица" WHERE "ключ" = 3'
    )
    catch_up(sync)
    verified(sync)
    assert {"Order", "Group_table", "таблица", "with.dot", "it's"} <= set(target_tables(mysql_database))


def test_an_existing_table_is_used_as_it_is(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(40), email text, n numeric(8,2))",
        "INSERT INTO t SELECT n, 'Straße ' || n, 'e' || n, n FROM generate_series(1, 50) n",
    )
    mysql_database.execute(
        "CREATE TABLE t (n DECIMAL(12,4), note VARCHAR(20) DEFAULT 'ours', email VARCHAR(200),"
        " name VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, id BIGINT NOT NULL PRIMARY KEY)"
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute("UPDATE t SET name = upper(name) WHERE id < 5", "DELETE FROM t WHERE id = 9")
    catch_up(sync)
    verified(sync)
    assert mysql_database.query("SELECT DISTINCT note FROM t") == [("ours",)]


def test_a_secondary_unique_index_never_costs_another_row(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, email varchar(40) UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO t SELECT n, 'e' || n FROM generate_series(1, 10) n",
    )
    mysql_database.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, email VARCHAR(40) COLLATE utf8mb4_0900_bin UNIQUE)"
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute(
        "UPDATE t SET email = 'e' || (CASE id WHEN 1 THEN 2 ELSE 1 END) WHERE id IN (1, 2)",
        "BEGIN; UPDATE t SET email = 'free' WHERE id = 3; UPDATE t SET email = 'e3' WHERE id = 4; COMMIT",
        "BEGIN; DELETE FROM t WHERE id = 5; INSERT INTO t VALUES (50, 'e5'); COMMIT",
    )
    catch_up(sync)
    verified(sync)
    assert mysql_database.query("SELECT id, email FROM t WHERE id IN (1, 2, 4, 50) ORDER BY id") == [
        (1, "e2"),
        (2, "e1"),
        (4, "e3"),
        (50, "e5"),
    ]


def test_a_key_under_a_blind_collation_is_refused(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute("CREATE TABLE t (k varchar(20) PRIMARY KEY)", "INSERT INTO t VALUES ('a'), ('A')")
    mysql_database.execute("CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY)")
    text = refusal(make_sync(pg_database, mysql_database))
    assert "utf8mb4_general_ci" in text
    assert "ALTER TABLE" in text
    assert mysql_database.query("SELECT count(*) FROM t") == [(0,)]


def test_text_keys_that_differ_in_case_or_blanks_stay_apart(
    pg_database: Database, mysql_database: Database, make_sync: MakeSync
) -> None:
    pg_database.execute(
        "CREATE TABLE t (k text PRIMARY KEY, n int)",
        "INSERT INTO t VALUES ('a', 1), ('A', 2), ('a ', 3), ('ä', 4), ('', 5), ('ß', 6), ('ss', 7)",
    )
    sync = make_sync(pg_database, mysql_database)
    catch_up(sync)
    pg_database.execute("UPDATE t SET n = n + 10 WHERE k = 'A'", "DELETE FROM t WHERE k = 'ss'")
    catch_up(sync)
    verified(sync)
    assert mysql_database.query("SELECT count(*) FROM t") == [(6,)]
