"""Options of the SQL source: what goes together, which tables are meant, and the SQL that comes of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connectors.jdbc.source.connector import ConfluentJdbcSourceConnector, JdbcSourceConnector
from connectors.jdbc.source.criteria import Criteria
from connectors.jdbc.source.monitor import groups
from connectors.jdbc.source.names import TableFilter, TableId, join_tables, split_tables
from connectors.jdbc.source.offsets import Offset, offset_of, older_partitions, partition_of
from connectors.jdbc.source.options import CONFLUENT_OPTIONS
from connectors.jdbc.source.parsing import read_settings
from connectors.jdbc.source.reading import Column, Kind
from replicator.api import ConfigError, ConnectError
from replicator.plugins.registry import Registry

GOOD = {"connection.url": "jdbc:postgresql://h/db", "mode": "bulk"}


def errors(options: dict[str, str]) -> dict[str, list[str]]:
    found = ConfluentJdbcSourceConnector().validate(options)
    return {value.name: value.errors for value in found if value.errors}


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"mode": ""}, "mode"),
        ({"mode": "Bulk"}, "mode"),
        ({"connection.url": ""}, "connection.url"),
        ({"connection.url": "jdbc:oracle:x"}, "connection.url"),
        ({"table.whitelist": "a", "table.blacklist": "b"}, "table.blacklist"),
        ({"table.exclude.list": "b"}, "table.exclude.list"),
        ({"table.include.list": "(", "mode": "bulk"}, "table.include.list"),
        ({"table.include.list": "a", "table.whitelist": "b"}, "table.whitelist"),
        ({"query": "DELETE FROM t"}, "query"),
        ({"query.masked": "DELETE FROM t"}, "query.masked"),
        ({"query": "SELECT 1", "table.whitelist": "a"}, "query"),
        ({"query": "SELECT 1", "mode": "incrementing"}, "incrementing.column.name"),
        ({"mode": "timestamp"}, "timestamp.column.name"),
        ({"timestamp.columns.mapping": "nocolon"}, "timestamp.columns.mapping"),
        ({"topic.prefix": "a b"}, "topic.prefix"),
        ({"topic.prefix": "a" * 250}, "topic.prefix"),
        ({"db.timezone": "Mars/Olympus"}, "db.timezone"),
        ({"transaction.isolation.mode": "SQL_SERVER_SNAPSHOT"}, "transaction.isolation.mode"),
        ({"table.types": "TABLES"}, "table.types"),
        ({"batch.max.rows": "0"}, "batch.max.rows"),
    ],
)
def test_what_is_refused(options: dict[str, str], option: str) -> None:
    assert list(errors({**GOOD, **options})) == [option]
    with pytest.raises(ConfigError):
        read_settings(CONFLUENT_OPTIONS, {**GOOD, **options}, own=False)


@pytest.mark.parametrize(
    "options",
    [
        {"query": "/* all */ WITH x AS (SELECT 1) SELECT * FROM x"},
        {"query": "(SELECT 1)"},
        {"db.timezone": "GMT+2"},
        {"mode": "timestamp", "timestamp.columns.mapping": r"public\.a.*:[made|changed],public\.b:[at]"},
        {"table.include.list": "a.*", "table.exclude.list": "ab"},
    ],
)
def test_what_is_accepted(options: dict[str, str]) -> None:
    assert errors({**GOOD, **options}) == {}


def test_a_masked_query_is_nowhere() -> None:
    settings = ConfluentJdbcSourceConnector().validate({**GOOD, "query.masked": "SELECT 'secret'"})
    assert "secret" not in repr(settings)


def test_mappings_pick_one_entry_per_table() -> None:
    options = {
        "mode": "timestamp",
        "timestamp.columns.mapping": r"public\.a.*:[made|changed],public\.ab:[at]",
    }
    settings = read_settings(CONFLUENT_OPTIONS, {**GOOD, **options}, own=False)
    assert settings.timestamps_of(TableId(None, "public", "aa")) == ("made", "changed")
    for name in ("ab", "c"):
        with pytest.raises(ConfigError, match=r"timestamp\.columns\.mapping"):
            settings.timestamps_of(TableId(None, "public", name))


def test_names_of_the_connector() -> None:
    registry = Registry()
    java = "io.confluent.connect.jdbc.JdbcSourceConnector"
    assert registry.connector(java) == ("source", ConfluentJdbcSourceConnector)
    assert registry.connector("JdbcSourceConnector") == ("source", JdbcSourceConnector)
    assert registry.connector("JdbcSource") == ("source", JdbcSourceConnector)


# --- names ---


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("name", ["t", "a.b", 'a"b', "a,b", "a`b", " x "])
def test_tables_survive_their_option(name: str) -> None:
    tables = [TableId(None, "public", name), TableId(None, "public", "t2")]
    assert split_tables(join_tables(tables), (False, True)) == tables
    in_mysql = [TableId("db", None, name)]
    assert split_tables(join_tables(in_mysql), (True, False)) == in_mysql


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["a", "b", "x.a"]),
        ({"whitelist": ("a",)}, ["a", "x.a"]),
        ({"whitelist": ("x.a",)}, ["x.a"]),
        ({"whitelist": ('"x"."a"', "db.home.b")}, ["b", "x.a"]),
        ({"blacklist": ("a",)}, ["b"]),
        ({"schema": "ho_e"}, ["a", "b"]),
        ({"schema": "%"}, ["a", "b", "x.a"]),
        ({"include": (r"home\..*",), "exclude": (r".*\.b",)}, ["a"]),
    ],
)
def test_chosen_tables(options: dict[str, Any], expected: list[str]) -> None:
    tables = [
        TableId(None, "home", "a", "db"),
        TableId(None, "home", "b", "db"),
        TableId(None, "x", "a", "db"),
    ]
    chosen = TableFilter(**options).chosen(tables, quote, None)
    assert [str(table).removeprefix("home.") for table in chosen] == expected


def test_other_databases_of_mysql_must_be_named() -> None:
    tables = [TableId("mine", None, "t"), TableId("other", None, "t"), TableId("other", None, "u")]
    assert TableFilter().chosen(tables, quote, "mine") == tables[:1]
    assert TableFilter(whitelist=("t", "other.u")).chosen(tables, quote, "mine") == [tables[0], tables[2]]
    assert TableFilter(catalog="other").chosen(tables, quote, "mine") == tables[1:]


def test_missing_names_are_told() -> None:
    assert TableFilter(whitelist=("t", "u")).missing([TableId(None, "s", "t")], quote) == ["u"]


@pytest.mark.parametrize(("count", "expected"), [(1, [5]), (2, [3, 2]), (3, [2, 2, 1]), (5, [1] * 5)])
def test_groups_are_contiguous(count: int, expected: list[int]) -> None:
    tables = [TableId(None, None, str(n)) for n in range(5)]
    parts = groups(tables, count)
    assert [len(part) for part in parts] == expected
    assert [table for part in parts for table in part] == tables


# --- offsets and SQL ---

MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 678901)


def test_offsets_are_stored_as_the_reference_does() -> None:
    stored = Offset(7, MOMENT).to_map()
    assert list(stored.items()) == [
        ("timestamp_nanos", 678901000), ("incrementing", 7), ("timestamp", 1704164645678)
    ]  # fmt: skip
    assert offset_of(stored) == Offset(7, MOMENT)
    assert offset_of({"timestamp": -1}) == Offset(None, dt.datetime(1969, 12, 31, 23, 59, 59, 999000))
    before = dt.datetime(1960, 1, 1, 0, 0, 0, 123456)
    assert offset_of(Offset(None, before).to_map()) == Offset(None, before)
    with pytest.raises(ConnectError, match="incrementing"):
        offset_of({"incrementing": "7"})


def test_older_partitions_are_known() -> None:
    table = TableId(None, "public", "t", "db")
    assert partition_of(table) == {"protocol": "1", "table": "public.t"}
    assert older_partitions(table) == [{"protocol": "1", "table": "db.public.t"}, {"table": "t"}]
    assert partition_of(None) == {"query": "query"}


def moment_text(moment: dt.datetime) -> str:
    return f"'{moment:%H:%M:%S}'"


ID = Column(name="id", kind=Kind.INT64)
TS = Column(name="ts", kind=Kind.TIMESTAMP, as_written=moment_text)
TS2 = Column(name="t2", kind=Kind.TIMESTAMP, as_written=moment_text)
END = dt.datetime(2024, 1, 2, 4)


@pytest.mark.parametrize(
    ("number", "times", "offset", "expected"),
    [
        (ID, (), Offset(), ' ORDER BY "id" ASC'),
        (ID, (), Offset(4), ' WHERE "id" > 4 ORDER BY "id" ASC'),
        (None, (TS,), Offset(), " WHERE \"ts\" < '04:00:00' ORDER BY \"ts\" ASC"),
        (None, (TS,), Offset(None, MOMENT),
         " WHERE \"ts\" < '04:00:00' AND \"ts\" > '03:04:05' ORDER BY \"ts\" ASC"),
        (None, (TS, TS2), Offset(), ' WHERE COALESCE("ts","t2") < \'04:00:00\' ORDER BY COALESCE("ts","t2") ASC'),
        (ID, (TS,), Offset(4, MOMENT),
         " WHERE \"ts\" < '04:00:00' AND ((\"ts\" = '03:04:05' AND \"id\" > 4) OR \"ts\" > '03:04:05')"
         ' ORDER BY "ts" ASC,"id" ASC'),
        (ID, (TS,), Offset(None, MOMENT),
         " WHERE \"ts\" < '04:00:00' AND \"ts\" >= '03:04:05' ORDER BY \"ts\" ASC,\"id\" ASC"),
    ],
)  # fmt: skip
def test_clauses(number: Column | None, times: tuple[Column, ...], offset: Offset, expected: str) -> None:
    assert Criteria(number, times, quote).clause(offset, END if times else None) == expected


@pytest.mark.parametrize(
    ("partition", "offset", "message"),
    [
        ({"x": 1}, {"incrementing": 1}, "Partition objects must be"),
        ({"protocol": "1", "table": "t"}, {"incrementing": "1"}, "not an integer"),
    ],
)
def test_wrong_offsets_are_refused(partition: Any, offset: Any, message: str) -> None:
    config = {**GOOD, "mode": "incrementing"}
    with pytest.raises(ConnectError, match=message):
        ConfluentJdbcSourceConnector().alter_offsets(config, {"offsets": [(partition, offset)]})


def test_offsets_of_bulk_mode_are_refused() -> None:
    offsets = {"offsets": [({"table": "t"}, {"incrementing": 1})]}
    with pytest.raises(ConnectError, match="bulk"):
        ConfluentJdbcSourceConnector().alter_offsets(GOOD, offsets)
    assert ConfluentJdbcSourceConnector().alter_offsets(GOOD, {"offsets": [({"table": "t"}, None)]})
