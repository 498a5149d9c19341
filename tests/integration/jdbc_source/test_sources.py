"""The SQL source on real servers: modes, discovery, bounded memory, lost connections."""

from __future__ import annotations

import datetime as dt
import time
import traceback
from pathlib import Path
from typing import Any

import psutil
import pytest

from replicator.api import RetriableError, TopicPartition
from replicator.service import Service
from tests.support.fix_servers import Database
from tests.support.jdbc_source import Context, config, drain, offsets, read, rows, service, started
from tests.unit.runtime.service_fixture import eventually

CONFLUENT = "io.confluent.connect.jdbc.JdbcSourceConnector"


def timestamp_type(database: Database) -> str:
    return "timestamp(6)" if database.server.kind == "postgres" else "datetime(6)"


def ids(records: Any) -> list[int]:
    return [row["id"] for row in rows(records)]


def test_incrementing_and_restart(database: Database) -> None:
    auto = "int generated always as identity" if database.server.kind == "postgres" else "int auto_increment"
    database.execute(
        f"CREATE TABLE t (id {auto} PRIMARY KEY, v varchar(10))", "INSERT INTO t (v) VALUES ('a'),('b')"
    )
    context = Context()
    found = read(config(database, "incrementing"), context)
    assert ids(found) == [1, 2]
    full = "public.t" if database.server.kind == "postgres" else f"{database.name}.t"
    assert found[0].source_partition == {"protocol": "1", "table": full}
    assert (found[0].topic, offsets(found)[-1]) == ("p-t", {"incrementing": 2})
    database.execute("INSERT INTO t (v) VALUES ('c%s')")
    assert rows(read(config(database, "incrementing"), context)) == [{"id": 3, "v": "c%s"}]


def test_timestamp_microseconds_survive_offsets(database: Database) -> None:
    database.execute(
        f"CREATE TABLE t (id int, ts {timestamp_type(database)} NOT NULL)",
        "INSERT INTO t VALUES (1,'2024-03-31 02:30:00.123456'),(2,'2024-03-31 02:30:00.123457')",
    )
    settings = config(database, "timestamp+incrementing", timestamp_column_name="ts", incrementing_column_name="id",
                      validate_non_null="false")  # fmt: skip
    context = Context()
    found = read(settings, context)
    assert ids(found) == [1, 2]
    assert offsets(found)[0] == {
        "timestamp_nanos": 123456000, "incrementing": 1, "timestamp": 1711852200123
    }  # fmt: skip
    # Connect's Timestamp counts milliseconds.
    assert rows(found)[0]["ts"] == dt.datetime(2024, 3, 31, 2, 30, 0, 123000)
    assert read(settings, context) == []
    database.execute("INSERT INTO t VALUES (3,'2024-03-31 02:30:00.123458')")
    assert ids(read(settings, context)) == [3]


@pytest.mark.parametrize("zoned", [False, True])
def test_times_in_another_zone(database: Database, zoned: bool) -> None:
    postgres = database.server.kind == "postgres"
    plain = timestamp_type(database)
    type_ = ("timestamptz" if postgres else "timestamp(6)") if zoned else plain
    database.execute(f"CREATE TABLE t (id int, ts {type_} NOT NULL)")
    moment = "2024-07-01 10:00:00" + ("+00" if postgres and zoned else "")
    with database.connect() as connection, connection.cursor() as cursor:
        if not postgres:
            cursor.execute("SET time_zone='+00:00'")
        cursor.execute(f"INSERT INTO t VALUES (1, '{moment}')")
    context = Context()
    settings = config(database, "timestamp", timestamp_column_name="ts", db_timezone="Europe/Berlin")
    found = read(settings, context)
    # A zone-less time is of db.timezone, two hours ahead of UTC in July; the others are what they are.
    assert rows(found)[0]["ts"] == dt.datetime(2024, 7, 1, 10 if zoned else 8)
    assert read(settings, context) == []


def test_delay_uses_the_databases_clock(database: Database) -> None:
    ago = "now() at time zone 'utc' - interval '{} second'" if database.server.kind == "postgres" else (
        "utc_timestamp(6) - interval {} second"
    )  # fmt: skip
    database.execute(
        f"CREATE TABLE t (id int, ts {timestamp_type(database)} NOT NULL)",
        f"INSERT INTO t VALUES (1, {ago.format(100)}), (2, {ago.format(10)})",
    )
    settings = config(database, "timestamp", timestamp_column_name="ts", timestamp_delay_interval_ms="60000")
    assert ids(read(settings)) == [1]
    assert read({**settings, "timestamp.initial": "-1", "timestamp.delay.interval.ms": "0"}) == []


def test_a_query_with_everything_in_it(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int, v varchar(10))", "INSERT INTO t VALUES (1,'x%d'),(2,'y'),(3,'x%')"
    )
    query = "SELECT id, v FROM t WHERE v LIKE 'x%' UNION ALL SELECT 9, 'nine' ORDER BY 1"
    settings = config(database, "incrementing", query=query, incrementing_column_name="id",
                      validate_non_null="false")  # fmt: skip
    del settings["tables"]
    context = Context()
    assert ids(read(settings, context)) == [1, 3, 9]
    assert context.stored == {'{"query": "query"}': {"incrementing": 9}}
    assert read(settings, context) == []


def test_a_join_in_timestamp_mode(database: Database) -> None:
    database.execute(
        f"CREATE TABLE t (id int, made {timestamp_type(database)} NOT NULL, changed {timestamp_type(database)})",
        "INSERT INTO t VALUES (1,'2024-01-01 00:00:02',NULL),(2,'2024-01-01 00:00:01','2024-01-01 00:00:03'),"
        "(3,'2024-01-01 00:00:01',NULL)",
    )
    query = "SELECT o.id, o.changed AS c, p.made FROM t o JOIN t p ON p.id = o.id WHERE o.id > 0"
    settings = config(database, "timestamp+incrementing", query=query, timestamp_column_name="C,made",
                      incrementing_column_name="id", validate_non_null="false")  # fmt: skip
    context = Context()
    assert ids(read(settings, context)) == [3, 1, 2]
    assert read(settings, context) == []
    database.execute("INSERT INTO t VALUES (0,'2024-01-01 00:00:04',NULL),(4,'2024-01-01 00:00:04',NULL)")
    assert ids(read(settings, context)) == [4]


def test_kinds_of_relations(pg_database: Database, tmp_path: Path) -> None:
    pg_database.execute(
        "CREATE TABLE t (id int) PARTITION BY RANGE (id)", "CREATE TABLE leaf PARTITION OF t DEFAULT",
        "CREATE VIEW v AS SELECT * FROM t", "CREATE MATERIALIZED VIEW m AS SELECT * FROM t",
    )  # fmt: skip
    for types, expected in (
        ("TABLE", ["leaf"]),
        ("VIEW,PARTITIONED TABLE", ["t", "v"]),
        ("MATERIALIZED VIEW", ["m"]),
    ):
        running = service(tmp_path / types)
        running.start()
        try:
            running.herder.put_connector_config(
                "src", {**source(pg_database), "table.types": types, "tasks.max": "9"}
            )
            names = [
                t.config["tables"].rpartition(".")[2].strip('"') for t in running.herder.task_infos("src")
            ]
            assert sorted(names) == expected
        finally:
            running.stop()


def test_a_large_table_is_read_in_small_portions(database: Database) -> None:
    number = "generate_series(1, 40000) s(n)"
    if database.server.kind == "mysql":
        number = ("(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM s WHERE n<40000)"
                  " SELECT /*+ SET_VAR(cte_max_recursion_depth=50000) */ n FROM s) s")  # fmt: skip
    elif database.server.kind == "mariadb":
        number = "(SELECT seq AS n FROM seq_1_to_40000) s"
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text)",
        f"INSERT INTO t SELECT n, concat(n, repeat('x', 2000)) FROM {number}",
    )
    process = psutil.Process()
    with started(
        config(database, "incrementing", incrementing_column_name="id", batch_max_rows="500")
    ) as task:
        records = task.poll()
        assert records is not None
        assert len(records) == 500
        before, count = process.memory_info().rss, 500
        while records := task.poll():
            count += len(records)
        grown = process.memory_info().rss - before
    assert count == 40000
    assert grown < 30 << 20


def kill_session(database: Database, task: Any) -> None:
    driver = task._reader._driver
    if database.server.kind == "postgres":
        database.query("SELECT pg_terminate_backend(%s, 5000)", [driver.info.backend_pid])
    else:
        database.execute(f"KILL {driver.thread_id()}")


def test_a_lost_connection_goes_on_behind_what_was_delivered(database: Database) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    database.execute("INSERT INTO t VALUES " + ",".join(f"({n})" for n in range(1, 2001)))
    context = Context()
    settings = config(database, "incrementing", incrementing_column_name="id", batch_max_rows="100")
    with started(settings, context) as task:
        found = list(task.poll() or ())
        kill_session(database, task)
        # What the driver already holds may still come.
        for _ in range(30):
            found += task.poll() or ()
            task._queriers[0].due = 0
        assert ids(found) == list(range(1, 2001))
        kill_session(database, task)
        database.execute("INSERT INTO t VALUES (2001)")
        assert task.poll() is None
        assert context.facts["warnings"]
        task._queriers[0].due = 0
        assert ids(drain(task)) == [2001]


def test_an_unreachable_server_is_retriable() -> None:
    settings = {"connection.url": "jdbc:postgresql://127.0.0.1:1/x", "mode": "bulk", "connection.attempts": "2",
                "connection.backoff.ms": "10", "query": "SELECT 1"}  # fmt: skip
    with pytest.raises(RetriableError), started(settings):
        raise AssertionError


# --- the connector, in a service ---


def source(database: Database, **options: str) -> dict[str, str]:
    settings = config(database, "incrementing", **options)
    del settings["tables"]
    return {
        "name": "src", "connector.class": CONFLUENT, "incrementing.column.name": "id", "topic.prefix": "p-",
        "poll.interval.ms": "50", "table.poll.interval.ms": "200", "tasks.max": "2", **settings
    }  # fmt: skip


def messages(running: Service, topic: str) -> int:
    admin = running.broker.admin()
    return sum(admin.end_offsets([TopicPartition(topic, 0)]).values()) if topic in admin.topics() else 0


def test_tables_are_discovered_and_divided(database: Database, tmp_path: Path) -> None:
    running = service(tmp_path)
    running.start()
    try:
        running.herder.put_connector_config("src", source(database))
        assert len(running.herder.task_infos("src")) == 1
        database.execute("CREATE TABLE one (id int PRIMARY KEY)", "INSERT INTO one VALUES (1),(2)")
        eventually(lambda: messages(running, "p-one") == 2)
        database.execute("CREATE TABLE two (id int PRIMARY KEY)", "INSERT INTO two VALUES (1)")
        eventually(lambda: len(running.herder.task_infos("src")) == 2)
        eventually(lambda: messages(running, "p-two") == 1)
        assert messages(running, "p-one") == 2
        database.execute("DROP TABLE two", "INSERT INTO one VALUES (3)")
        eventually(lambda: len(running.herder.task_infos("src")) == 1)
        eventually(lambda: messages(running, "p-one") == 3)
    finally:
        running.stop()


def test_chosen_tables(database: Database, tmp_path: Path) -> None:
    database.execute(*(f"CREATE TABLE {n} (id int PRIMARY KEY)" for n in ("users", "orders", "usersx")),
                     *(f"INSERT INTO {n} VALUES (1)" for n in ("users", "orders", "usersx")))  # fmt: skip
    full = "public" if database.server.kind == "postgres" else database.name
    choices = [
        ({"table.whitelist": f"users,{full}.orders"}, ["orders", "users"]),
        ({"table.blacklist": "users"}, ["orders", "usersx"]),
        ({"table.include.list": rf"{full}\.users.*", "table.exclude.list": r".*x"}, ["users"]),
    ]
    for number, (choice, expected) in enumerate(choices):
        running = service(tmp_path / str(number))
        running.start()
        try:
            running.herder.put_connector_config("src", {**source(database), **choice})
            names = ",".join(t.config["tables"] for t in running.herder.task_infos("src"))
            assert sorted(part.split(".")[-1].strip('"') for part in names.split(",")) == expected
        finally:
            running.stop()


def test_same_names_in_two_schemas_are_refused(pg_database: Database, tmp_path: Path) -> None:
    pg_database.execute("CREATE SCHEMA other", "CREATE TABLE t (id int)", "CREATE TABLE other.t (id int)")
    running = service(tmp_path)
    running.start()
    try:
        running.herder.put_connector_config("src", source(pg_database))
        eventually(lambda: running.herder.connector_status("src").connector.state == "FAILED")
        trace = running.herder.connector_status("src").connector.trace
        assert "public.t" in str(trace)
        assert "schema.pattern" in str(trace)
        running.herder.put_connector_config("src", {**source(pg_database), "schema.pattern": "other"})
        assert [t.config["tables"] for t in running.herder.task_infos("src")] == ['"other"."t"']
    finally:
        running.stop()


def test_a_service_stopped_again_and_again_repeats_and_loses_nothing(
    database: Database, tmp_path: Path
) -> None:
    database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    inserted = 0
    for _ in range(4):
        running = service(tmp_path)
        running.start()
        running.herder.put_connector_config("src", source(database, batch_max_rows="7"))
        for _ in range(5):
            values = ",".join(f"({n})" for n in range(inserted + 1, inserted + 21))
            database.execute(f"INSERT INTO t VALUES {values}")
            inserted += 20
            time.sleep(0.02)
        # Stopped in the middle of whatever it does.
        running.stop()
    running = service(tmp_path)
    running.start()
    try:
        running.herder.put_connector_config("src", source(database))
        eventually(lambda: messages(running, "p-t") >= inserted)
        time.sleep(0.2)
        assert messages(running, "p-t") == inserted
    finally:
        running.stop()


def test_a_masked_query_is_in_no_error(database: Database) -> None:
    settings = config(database, "bulk") | {
        "query.masked": "SELECT 'hunter2' AS a, nothing FROM nowhere wher x"
    }
    with started(settings) as task, pytest.raises(Exception) as raised:
        for _ in range(3):
            task.poll()
    shown = "".join(traceback.format_exception(raised.value))
    assert "hunter2" not in shown


def test_isolation_and_names_without_quotes(database: Database) -> None:
    database.execute("CREATE TABLE plain (id int primary key)", "INSERT INTO plain VALUES (1)")
    level = "current_setting('transaction_isolation')" if database.server.kind == "postgres" else (
        "@@transaction_isolation" if database.server.kind == "mysql" else "@@tx_isolation"
    )  # fmt: skip
    settings = config(
        database, "bulk", query=f"SELECT {level} AS level", transaction_isolation_mode="SERIALIZABLE"
    )
    assert rows(read(settings)) == [{"level": "serializable" if "current" in level else "SERIALIZABLE"}]
    unquoted = config(
        database, "incrementing", "plain", incrementing_column_name="id", quote_sql_identifiers="never"
    )
    assert ids(read(unquoted)) == [1]
