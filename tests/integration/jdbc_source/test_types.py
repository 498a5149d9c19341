"""Types of the SQL source on real servers: schemas and values, in Confluent's form and in our own."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from replicator.api import ConfigError, DataError, Schema, StructuralError
from replicator.converters.json import JsonConverter
from tests.support.fix_servers import Database
from tests.support.jdbc_source import config, read, rows
from tests.support.jdbc_source_rows import MYSQL, MYSQL_ROW, POSTGRES, POSTGRES_ROW

KAFKA = "org.apache.kafka.connect.data."


MOMENT = dt.datetime(2024, 2, 29, 12, 34, 56, 789000)


def shown(schema: Schema | None) -> dict[str, str]:
    assert schema is not None
    return {
        f.name: (f.schema.name or f.schema.type.name.lower()).removeprefix(KAFKA)
        + "".join(f"({v})" for v in f.schema.parameters.values())
        + ("?" if f.schema.optional else "")
        for f in schema.fields
    }


def one(database: Database, *, own: bool = False, **options: str) -> tuple[dict[str, str], dict[str, Any]]:
    found = read(config(database, "bulk", **options), own=own)
    assert len(found) == 1
    # What is emitted must be what a converter takes, and what comes back.
    converter = JsonConverter()
    converter.configure({}, is_key=False)
    there = converter.from_connect_data("t", found[0].value_schema, found[0].value)
    back = converter.to_connect_data("t", there)
    assert back.value.plain().keys() == found[0].value.plain().keys()
    return shown(found[0].value_schema), rows(found)[0]


def test_postgres(pg_database: Database) -> None:
    pg_database.execute("CREATE TYPE mood AS ENUM ('sad')", POSTGRES, POSTGRES_ROW)
    schema, row = one(pg_database)
    assert schema == {
        "a": "int16", "b": "int32?", "c": "int64?", "d": "float32?", "e": "float64?", "f": "boolean?", "g": "string?",
        "h": "string?", "i": "bytes?", "j": "Decimal(2)?", "k": "Date?", "l": "Time?", "m": "Timestamp?",
        "n": "Timestamp?", "o": "string?", "p": "string?", "q": "string?", "r": "string?", "s": "string?",
        "v": "boolean?", "w": "int8?", "x": "bytes?", "y": "string?", "z": "int64?", "free": "Decimal(127)?",
    }  # fmt: skip
    assert row.pop("free").compare(Decimal("12.345")) == 0
    assert row == {
        "a": -32768, "b": 2147483647, "c": 9223372036854775807, "d": 1.1, "e": 0.1, "f": True, "g": "é", "h": "ab ",
        "i": b"\x00\xff", "j": Decimal("12345678.90"), "k": dt.date(2024, 2, 29),
        "l": dt.time(12, 34, 56, 789000), "m": MOMENT, "n": MOMENT - dt.timedelta(hours=2), "o": '{"a": 1}',
        "p": '{"b": 2}', "q": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "r": "<a/>", "s": "sad", "v": True, "w": 5,
        "x": b"\x08\x01", "y": "n", "z": 4294967295,
    }  # fmt: skip
    own_schema, own_row = one(pg_database, own=True)
    assert {name: own_schema[name] for name in ("odd", "odder", "free")} == {
        "odd": "string?", "odder": "string?", "free": "io.debezium.data.VariableScaleDecimal?"
    }  # fmt: skip
    assert (own_row["odd"], own_row["odder"]) == ("{1,2}", "1 day 02:00:00")
    assert own_row["free"] == {"scale": 3, "value": (12345).to_bytes(2, "big")}
    with pytest.raises(StructuralError, match=r"Column odd of t is int4\[\]"):
        one(pg_database, unsupported_types="fail")


def test_mysql_and_mariadb(request: pytest.FixtureRequest) -> None:
    for fixture in ("mysql_database", "mariadb_database"):
        database: Database = request.getfixturevalue(fixture)
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET time_zone='+00:00'")
            cursor.execute(MYSQL)
            cursor.execute(MYSQL_ROW)
        schema, row = one(database)
        assert schema == {
            "a": "int8", "b": "int16?", "c": "int32?", "d": "int32?", "e": "int64?", "f": "int16?", "g": "int32?",
            "h": "int64?", "i": "int64?", "j": "float32?", "k": "float64?", "l": "Decimal(2)?", "m": "string?",
            "n": "string?", "o": "bytes?", "p": "bytes?", "q": "Date?", "r": "Time?", "s": "Timestamp?",
            "t": "Timestamp?", "u": "Date?", "v": "int8?", "w": "int8?", "x": "bytes?", "y": "string?",
            "z": "string?",
        }  # fmt: skip
        assert row == {
            "a": -128, "b": -32768, "c": 8388607, "d": 2147483647, "e": 9223372036854775807, "f": 255, "g": 65535,
            "h": 4294967295, "i": 9223372036854775807, "j": 1.5, "k": 0.1, "l": Decimal("12345678.90"), "m": "é",
            "n": "long", "o": b"\x00\xff", "p": b"\x01", "q": dt.date(2024, 2, 29),
            "r": dt.time(12, 34, 56, 789000), "s": MOMENT, "t": MOMENT, "u": dt.date(2024, 1, 1), "v": 1, "w": 5,
            "x": b"\x08\x01", "y": "y", "z": '{"a": 1}',
        }  # fmt: skip


@pytest.mark.parametrize("fixture", ["mysql_database", "mariadb_database"])
def test_floats_of_mysql_keep_their_digits(request: pytest.FixtureRequest, fixture: str) -> None:
    database: Database = request.getfixturevalue(fixture)
    database.execute(
        "CREATE TABLE t (f float, d double, id int auto_increment primary key)",
        "INSERT INTO t VALUES (16777215, 1.1, 1), (1.23456789, 2.2, 2), (-1.1e-30, 3, 3)",
    )
    expected = [16777215.0, 1.2345679, -1.1e-30]
    query = "SELECT id, f FROM t WHERE id > 0"
    asked = {"query": query, "incrementing.column.name": "id", "validate.non.null": "false", "tables": ""}
    for settings in (config(database, "incrementing"), config(database, "bulk"),
                     config(database, "incrementing") | asked):  # fmt: skip
        found = read(settings)
        assert [row["f"] for row in rows(found)] == expected
        assert shown(found[0].value_schema)["f"] == "float32?"


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (
            "none",
            [
                "Decimal(0)",
                "Decimal(0)",
                "Decimal(0)",
                "Decimal(0)",
                "Decimal(0)",
                "Decimal(2)",
                "Decimal(2)",
            ],
        ),
        ("precision_only", ["int8", "int16", "int32", "int64", "Decimal(0)", "Decimal(2)", "Decimal(2)"]),
        ("best_fit", ["int8", "int16", "int32", "int64", "Decimal(0)", "float64", "Decimal(2)"]),
        ("best_fit_eager_double", ["int8", "int16", "int32", "int64", "Decimal(0)", "float64", "float64"]),
    ],
)
def test_numeric_mapping(pg_database: Database, mapping: str, expected: list[str]) -> None:
    pg_database.execute(
        "CREATE TABLE t (a numeric(2), b numeric(4), c numeric(9), d numeric(18), e numeric(19), f numeric(18,2),"
        " g numeric(30,2))",
        "INSERT INTO t VALUES (1,2,3,4,5,6.5,7.5)",
    )
    schema, row = one(pg_database, numeric_mapping=mapping)
    assert list(schema.values()) == [f"{name}?" for name in expected]
    assert [float(v) for v in row.values()] == [1, 2, 3, 4, 5, 6.5, 7.5]
    if mapping == "precision_only":
        assert one(pg_database, numeric_precision_mapping="true")[0] == schema


def test_decimals_of_mysql_are_mapped_by_our_own_source(mysql_database: Database) -> None:
    mysql_database.execute("CREATE TABLE t (a decimal(4), b decimal(6,2))", "INSERT INTO t VALUES (1, 2.5)")
    assert list(one(mysql_database, numeric_mapping="best_fit")[0].values()) == ["Decimal(0)?", "Decimal(2)?"]
    schema, row = one(mysql_database, own=True, numeric_mapping="best_fit")
    assert (list(schema.values()), row) == (["int16?", "float64?"], {"a": 1, "b": 2.5})


@pytest.mark.parametrize(
    ("granularity", "type_", "value"),
    [
        ("connect_logical", "Timestamp", dt.datetime(2024, 2, 29, 12, 34, 56, 789000)),
        ("micros_long", "int64", 1709210096789123),
        ("micros_string", "string", "1709210096789123"),
        ("micros_iso_datetime_string", "string", "2024-02-29T12:34:56.789123"),
        ("nanos_long", "int64", 1709210096789123000),
        ("nanos_string", "string", "1709210096789123000"),
        ("nanos_iso_datetime_string", "string", "2024-02-29T12:34:56.789123000"),
    ],
)
def test_granularity(pg_database: Database, granularity: str, type_: str, value: Any) -> None:
    pg_database.execute(
        "CREATE TABLE t (m timestamp NOT NULL)", "INSERT INTO t VALUES ('2024-02-29 12:34:56.789123')"
    )
    assert one(pg_database, timestamp_granularity=granularity) == ({"m": type_}, {"m": value})


@pytest.mark.parametrize(
    ("type_", "value"),
    [("timestamp", "infinity"), ("date", "0044-03-15 BC"), ("numeric(5,2)", "NaN"), ("time", "24:00")],
)
def test_what_connect_cannot_say_stops_the_task(pg_database: Database, type_: str, value: str) -> None:
    pg_database.execute(f"CREATE TABLE t (v {type_})", f"INSERT INTO t VALUES ('{value}')")
    with pytest.raises(DataError, match="Column v"):
        one(pg_database)


def test_zero_dates_and_huge_numbers_of_mysql(mysql_database: Database) -> None:
    with mysql_database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode=''")
        cursor.execute("CREATE TABLE t (d datetime)")
        cursor.execute("INSERT INTO t VALUES ('0000-00-00')")
    with pytest.raises(DataError, match="zeroDateTimeBehavior=CONVERT_TO_NULL"):
        one(mysql_database)
    settings = config(mysql_database, "bulk")
    settings["connection.url"] += "?zeroDateTimeBehavior=CONVERT_TO_NULL"
    assert rows(read(settings)) == [{"d": None}]
    mysql_database.execute(
        "DROP TABLE t", "CREATE TABLE t (n bigint unsigned)", "INSERT INTO t VALUES (1<<63)"
    )
    with pytest.raises(DataError, match="Column n: 9223372036854775808 is beyond"):
        one(mysql_database)


def test_names_that_need_quotes(pg_database: Database) -> None:
    pg_database.execute(
        'CREATE TABLE "a ""b, c" ("I d" int primary key)', 'INSERT INTO "a ""b, c" VALUES (1)'
    )
    found = read(config(pg_database, "incrementing", 'a "b, c', incrementing_column_name="I d"))
    assert (rows(found), found[0].topic) == ([{"I d": 1}], 'p-a "b, c')


def test_accounts_are_checked(pg_database: Database) -> None:
    url = f"jdbc:postgresql://127.0.0.1:{pg_database.server.port}/nosuch"
    with pytest.raises(ConfigError, match="nosuch"):
        read(config(pg_database, "bulk") | {"connection.url": url})
