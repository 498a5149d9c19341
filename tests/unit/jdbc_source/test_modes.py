"""The modes of the SQL source on SQLite: which rows, which offsets, and what a restart repeats."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from replicator.api import ConfigError, ConnectError, DataError, SourceRecord
from tests.support.jdbc_source import Context, drain, offsets, read, rows, started

T = [f"2024-01-01 00:00:0{n}.000" for n in range(6)]
MS = [int(dt.datetime.fromisoformat(t + "+00:00").timestamp() * 1000) for t in T]


class Base:
    """A database file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def config(self, mode: str, tables: str = '"t"', **options: str) -> dict[str, str]:
        named = {name.replace("_", "."): value for name, value in options.items()}
        return {"connection.url": f"jdbc:sqlite:{self.path}", "mode": mode, "tables": tables, **named}


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(tmp_path / "db.sqlite")


def times(base: Base, *moments: str) -> None:
    base.run("CREATE TABLE t (id INTEGER NOT NULL, ts TIMESTAMP NOT NULL)")
    for number, moment in enumerate(moments, 1):
        base.run(f"INSERT INTO t VALUES ({number}, '{moment}')")


def ids(records: list[SourceRecord]) -> list[int]:
    return [row["id"] for row in rows(records)]


def test_bulk_reads_all_rows_again_and_again(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER NOT NULL, name TEXT)", "INSERT INTO t VALUES (1, 'a'), (2, NULL)")
    with started(base.config("bulk", batch_max_rows="1")) as task:
        first, second = drain(task), drain(task)
    assert rows(first) == rows(second) == [{"id": 1, "name": "a"}, {"id": 2, "name": None}]
    assert offsets(first) == [None, None]
    assert (first[0].topic, first[0].key, first[0].key_schema, first[0].partition) == (
        "p-t",
        None,
        None,
        None,
    )
    assert first[0].value_schema is not None
    assert first[0].value_schema.name == "t"
    assert [(f.name, f.schema.optional) for f in first[0].value_schema.fields] == [
        ("id", False),
        ("name", True),
    ]


def test_incrementing(base: Base) -> None:
    base.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (-5,'n'), (1,'a'), (3,'c')"
    )
    context = Context()
    first = read(base.config("incrementing"), context)
    assert ids(first) == [-5, 1, 3]
    assert offsets(first) == [{"incrementing": -5}, {"incrementing": 1}, {"incrementing": 3}]
    assert first[0].source_partition == {"protocol": "1", "table": "t"}
    base.run("INSERT INTO t VALUES (2,'late'), (4,'d')")
    assert ids(read(base.config("incrementing"), context)) == [4]


def test_timestamp_groups_keep_the_offset_before_them(base: Base) -> None:
    times(base, T[1], T[1], T[2], T[2], T[3])
    config = base.config(
        "timestamp", timestamp_column_name="ts", timestamp_initial=str(MS[0]), batch_max_rows="2"
    )
    found = read(config)
    assert ids(found) == [1, 2, 3, 4, 5]
    assert [o["timestamp"] for o in offsets(found)] == [MS[0], MS[1], MS[1], MS[2], MS[3]]
    assert offsets(found)[0] == {"timestamp_nanos": 0, "timestamp": MS[0]}


def test_without_a_start_every_row_is_read(base: Base) -> None:
    times(base, "1960-01-01 00:00:00", T[1])
    found = read(base.config("timestamp", timestamp_column_name="ts"))
    assert ids(found) == [1, 2]
    assert offsets(found)[0]["timestamp"] < 0


def test_both_resume_by_number_within_a_moment(base: Base) -> None:
    times(base, T[1], T[1], T[1], T[2])
    options = {"timestamp_column_name": "ts", "incrementing_column_name": "id"}
    config = base.config("timestamp+incrementing", batch_max_rows="2", **options)
    context = Context()
    with started(config, context) as task:
        for record in task.poll() or ():
            context.store(record)
    assert list(context.stored.values()) == [{"timestamp_nanos": 0, "incrementing": 2, "timestamp": MS[1]}]
    assert ids(read(config, context)) == [3, 4]


def test_both_with_an_initial_moment_read_its_rows(base: Base) -> None:
    times(base, T[1], T[2])
    options = {
        "timestamp_column_name": "ts",
        "incrementing_column_name": "id",
        "timestamp_initial": str(MS[1]),
    }
    assert ids(read(base.config("timestamp+incrementing", **options))) == [1, 2]


@pytest.mark.parametrize("mode", ["incrementing", "timestamp", "timestamp+incrementing"])
def test_nothing_is_lost_wherever_it_is_killed(base: Base, mode: str) -> None:
    chance = random.Random(mode)
    moments = sorted(chance.choice(T[1:4]) for _ in range(30))
    times(base, *moments)
    options = {"timestamp_column_name": "ts", "incrementing_column_name": "id", "batch_max_rows": "4"}
    config = base.config(mode, **options)
    for _ in range(12):
        context, seen = Context(), []
        for survives in (chance.randrange(0, 31), chance.randrange(0, 31), 1000):
            with started(config, context) as task:
                records = drain(task)[:survives]
            for record in records:
                context.store(record)
            seen += ids(records)
        assert set(seen) == set(range(1, 31))
        if mode != "timestamp":
            assert seen == list(range(1, 31))


def test_delay_keeps_young_rows_back(base: Base) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    times(base, (now - dt.timedelta(minutes=2)).isoformat(" "), now.isoformat(" "))
    config = base.config("timestamp", timestamp_column_name="ts", timestamp_delay_interval_ms="60000")
    assert ids(read(config)) == [1]
    config["timestamp.delay.interval.ms"] = "-60000"
    assert ids(read(config)) == [1, 2]


def test_initial_minus_one_is_now_and_a_stored_offset_wins(base: Base) -> None:
    times(base, T[1], T[2])
    config = base.config("timestamp", timestamp_column_name="ts", timestamp_initial="-1")
    assert read(config) == []
    context = Context()
    context.stored['{"table": "t"}'] = {"timestamp": MS[1], "timestamp_nanos": 0}
    assert ids(read(config, context)) == [2]


def test_several_timestamp_columns_are_coalesced(base: Base) -> None:
    base.run(
        "CREATE TABLE t (id INTEGER, changed TIMESTAMP, made TIMESTAMP NOT NULL)",
        f"INSERT INTO t VALUES (1, NULL, '{T[2]}'), (2, '{T[3]}', '{T[0]}'), (3, NULL, '{T[1]}')",
    )
    found = read(base.config("timestamp", timestamp_column_name="changed,made"))
    assert ids(found) == [3, 1, 2]
    assert [o["timestamp"] for o in offsets(found)] == [MS[1], MS[2], MS[3]]


@pytest.mark.parametrize(
    "stored",
    [("1704067201000", "1704067201001"), ("'2024-01-01T00:00:01'", "'2024-01-01 00:00:01.000001'")],
    ids=["milliseconds", "text"],
)
def test_times_of_any_form_are_compared_by_what_they_mean(base: Base, stored: tuple[str, str]) -> None:
    base.run("CREATE TABLE t (id INTEGER, ts TIMESTAMP NOT NULL)", f"INSERT INTO t VALUES (1, {stored[0]})")
    context, config = Context(), base.config("timestamp", timestamp_column_name="ts")
    assert ids(read(config, context)) == [1]
    assert ids(read(config, context)) == []
    base.run(f"INSERT INTO t VALUES (2, {stored[1]})")
    assert ids(read(config, context)) == [2]
    assert ids(read(config, context)) == []


def test_new_columns_appear(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with started(base.config("incrementing")) as task:
        assert rows(drain(task)) == [{"id": 1}]
        base.run("ALTER TABLE t ADD COLUMN more TEXT", "INSERT INTO t VALUES (2, 'x')")
        assert rows(drain(task)) == [{"id": 2, "more": "x"}]


# --- queries ---


def test_a_query_with_a_condition_is_wrapped(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER, v TEXT)", "INSERT INTO t VALUES (1,'a%s'), (2,'b'), (3,'a%d')")
    query = "SELECT id, v FROM t WHERE v LIKE 'a%' GROUP BY id, v;"
    context = Context()
    config = base.config("incrementing", "", query=query, incrementing_column_name="id", topic_prefix="all")
    config["validate.non.null"] = "false"
    found = read(config, context)
    assert rows(found) == [{"id": 1, "v": "a%s"}, {"id": 3, "v": "a%d"}]
    assert (found[0].topic, found[0].source_partition) == ("all", {"query": "query"})
    assert found[0].value_schema is not None
    assert found[0].value_schema.name is None
    assert read(config, context) == []


def test_suffix_and_appended_conditions(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1),(2),(3)")
    config = base.config("incrementing", "", query="SELECT id FROM t", incrementing_column_name="id",
                         query_wrapped="false", query_suffix="LIMIT 2")  # fmt: skip
    config["validate.non.null"] = "false"
    with started(config) as task:
        assert [ids(drain(task)) for _ in range(3)] == [[1, 2], [3], []]


def test_bulk_query_is_left_as_it_is(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (2),(1)")
    assert ids(
        read(base.config("bulk", "", query="WITH x AS (SELECT id FROM t) SELECT * FROM x ORDER BY 1"))
    ) == [1, 2]


# --- what is refused ---


def test_nullable_columns_are_refused(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER, ts TIMESTAMP)")
    with started(base.config("incrementing", incrementing_column_name="id")) as task:
        with pytest.raises(ConfigError, match="incrementing column id on t because this column is nullable"):
            task.poll()
    with started(base.config("timestamp", timestamp_column_name="ts")) as task:
        with pytest.raises(ConfigError, match="because all of these columns are nullable"):
            task.poll()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"mode": "incrementing", "incrementing.column.name": "no"},
            "Incrementing column: no does not exist",
        ),
        ({"mode": "incrementing", "incrementing.column.name": "v"}, "Invalid type for incrementing column"),
        ({"mode": "incrementing"}, "No auto-increment column"),
        ({"mode": "timestamp", "timestamp.column.name": "id"}, "Timestamp column id of t is INTEGER"),
        (
            {"mode": "incrementing", "incrementing.column.mapping": "x:id"},
            "no entry of incrementing.column.mapping",
        ),
    ],
)
def test_wrong_columns(base: Base, options: dict[str, str], message: str) -> None:
    base.run("CREATE TABLE t (id INTEGER NOT NULL, v TEXT NOT NULL)")
    with started({**base.config("bulk"), **options}) as task, pytest.raises(ConfigError, match=message):
        task.poll()


def test_column_names_differ_in_case(base: Base) -> None:
    base.run("CREATE TABLE t (Id INTEGER NOT NULL)", "INSERT INTO t VALUES (7)")
    assert offsets(read(base.config("incrementing", incrementing_column_name="ID"))) == [{"incrementing": 7}]


def test_null_in_the_incrementing_column(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (NULL)")
    config = base.config("incrementing", incrementing_column_name="id", validate_non_null="false")
    with started(config) as task, pytest.raises(ConnectError, match="Null value for incrementing column"):
        task.poll()


def test_a_value_that_is_not_of_its_columns_type_stops(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER, n SMALLINT)", "INSERT INTO t VALUES (1, 'many')")
    with (
        started(base.config("bulk")) as task,
        pytest.raises(DataError, match="Column n: 'many' is no SMALLINT"),
    ):
        task.poll()


def test_a_vanished_table_is_waited_for_and_retries_end(base: Base) -> None:
    base.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    context = Context()
    with started(base.config("incrementing", query_retry_attempts="1"), context) as task:
        base.run("DROP TABLE t")
        assert task.poll() is None
        assert context.facts["warnings"] == ["t: There is no table t"]
        task._queriers[0].due = 0
        with pytest.raises(ConnectError, match="Failed to query t after 1 retries"):
            task.poll()


def schema_of(records: list[SourceRecord]) -> dict[str, Any]:
    schema = records[0].value_schema
    assert schema is not None
    return {f.name: (f.schema.type.value, f.schema.name) for f in schema.fields}


def test_types_of_sqlite(base: Base) -> None:
    base.run(
        "CREATE TABLE t (a TINYINT, b BIGINT, c DOUBLE, d VARCHAR(10), e BLOB, f DECIMAL(10,2), g BOOLEAN, h DATE)",
        "INSERT INTO t VALUES (1, 9007199254740993, 1.5, 'x', x'00ff', 12.5, 1, '2024-02-29')",
    )
    found = read(base.config("bulk"))
    kafka = "org.apache.kafka.connect.data."
    assert schema_of(found) == {
        "a": ("int8", None), "b": ("int64", None), "c": ("double", None), "d": ("string", None),
        "e": ("bytes", None), "f": ("bytes", f"{kafka}Decimal"), "g": ("boolean", None),
        "h": ("int32", f"{kafka}Date"),
    }  # fmt: skip
    row = rows(found)[0]
    assert (row["b"], row["e"], str(row["f"]), row["g"]) == (9007199254740993, b"\x00\xff", "12.50", True)
    assert row["h"] == dt.date(2024, 2, 29)


def test_a_query_knows_the_types_behind_its_columns(base: Base) -> None:
    times(base, T[1], T[2])
    base.run("ALTER TABLE t ADD COLUMN n SMALLINT")
    query = "SELECT id, ts AS changed, n, id + 1 AS more FROM t"
    config = base.config(
        "timestamp", "", query=query, timestamp_column_name="changed", validate_non_null="false"
    )
    found = read(config)
    assert ids(found) == [1, 2]
    types = schema_of(found)
    assert (types["n"][0], types["more"][0], types["changed"][1]) == (
        "int16", "int64", "org.apache.kafka.connect.data.Timestamp"
    )  # fmt: skip


def test_a_database_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "no.sqlite"
    with pytest.raises(ConfigError, match="unable to open"):
        read({"connection.url": f"jdbc:sqlite:{missing}", "mode": "bulk", "tables": "t"})
    assert not missing.exists()


@pytest.mark.parametrize("own", [False, True])
def test_integers_of_sqlite_grow_when_they_must(base: Base, own: bool) -> None:
    base.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)", f"INSERT INTO t VALUES (1, 5), (2, {2**31}), (3, 6)"
    )
    with started(base.config("incrementing"), own=own) as task:
        found = drain(task)
        base.run("INSERT INTO t VALUES (4, 7)")
        found += drain(task)
    assert [row["n"] for row in rows(found)] == [5, 2**31, 6, 7]
    types = [(schema_of([r])["id"][0], schema_of([r])["n"][0]) for r in found]
    wide = ("int64", "int64") if own else ("int32", "int64")
    assert types == [wide if own else ("int32", "int32"), wide, wide, wide]
