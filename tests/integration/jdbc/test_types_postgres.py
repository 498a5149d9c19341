"""Values through Postgres and SQLite columns made from schemas, read back as text and compared exactly."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.jdbc import evolution
from connectors.jdbc.dialects import (
    Connection,
    Dialect,
    DuplicateKeyError,
    TableName,
    Unrepresentable,
    dialect_for,
    moved,
)
from connectors.jdbc.url import parse_url
from replicator.api import ConfigError, DataError, RetriableError, Schema, SchemaType, StructuralError
from replicator.api import logical as names
from tests.support.jdbc_schemas import schema

INT = Schema(SchemaType.INT32)
T = TableName(None, "Ty`p\"es' %s")


@pytest.fixture
def postgres_target(request: pytest.FixtureRequest) -> Iterator[tuple[Dialect, Connection]]:
    dialect = dialect_for("postgresql")
    connection = dialect.connect(parse_url(request.getfixturevalue("pg_database").url), "test")
    yield dialect, connection
    connection.close()


@pytest.fixture
def sqlite_target(tmp_path: Path) -> Iterator[tuple[Dialect, Connection]]:
    dialect = dialect_for("sqlite")
    connection = dialect.connect(parse_url(f"jdbc:sqlite:{tmp_path}/x.db"), "test")
    yield dialect, connection
    connection.close()


@pytest.fixture(params=["postgres", "sqlite"])
def target(request: pytest.FixtureRequest) -> tuple[Dialect, Connection]:
    made: tuple[Dialect, Connection] = request.getfixturevalue(f"{request.param}_target")
    return made


def column(target: tuple[Dialect, Connection], value_schema: Schema) -> Any:
    dialect, connection = target
    fields = [("id", INT), ("v", value_schema)]
    table = evolution.evolve(dialect, connection, T, None, fields, ["id"], create=True, change=True)
    statement = dialect.upsert(T, dialect.bind(table, fields), ["id"])

    def through(value: Any, expression: str = "v") -> Any:
        connection.run(statement, [statement.row_text({"id": 1, "v": value})])
        (row,) = connection.query(f"SELECT {expression} FROM {dialect.quote_table(T)} WHERE id=1")
        return row[0]

    return through


POSTGRES: list[tuple[Schema, Any, str]] = [
    (schema("int8"), -128, "-128"),
    (schema("int64"), 2**63 - 1, "9223372036854775807"),
    (schema("boolean"), True, "true"),
    (schema("float"), 0.1, "0.1"),
    (schema("float"), math.nan, "NaN"),
    (schema("double"), 5e-324, "5e-324"),
    (schema("double"), -math.inf, "-Infinity"),
    (schema("double"), -0.0, "-0"),
    (schema("string", None, "NUMERIC", 12, 2), "1.50", "1.50"),
    (schema("string", None, "NUMERIC"), "1." + "2" * 100, "1." + "2" * 100),
    (schema("string", None, "NUMERIC"), "NAN", "NaN"),
    (schema("string", None, "NUMERIC"), "NEGATIVE_INFINITY", "-Infinity"),
    (names.decimal_schema(3, optional=True), Decimal("12.345"), "12.345"),
    (
        schema("string", None, "TEXT"),
        "O'Reilly \\ \\' \"x\" %s {0} 😀\n  ",
        "O'Reilly \\ \\' \"x\" %s {0} 😀\n  ",
    ),
    (schema("string", None, "VARCHAR", 5), "😀😀😀😀😀", "😀😀😀😀😀"),
    (schema("string", None, "BPCHAR", 5), "ab", "ab"),
    (schema("bytes"), bytes(range(256)), "\\x" + bytes(range(256)).hex()),
    (schema("string", names.DBZ_ISO_DATE), "infinity", "infinity"),
    (schema("string", names.DBZ_ISO_DATE), "-0043-03-15Z", "0044-03-15 BC"),
    (schema("string", names.DBZ_ISO_DATE), "+12345-01-01Z", "12345-01-01"),
    (schema("int32", names.DBZ_DATE), 2**31 - 1, "infinity"),
    (schema("string", names.DBZ_ISO_TIME), "24:00:00Z", "24:00:00"),
    (names.time_schema(optional=True), dt.time(1, 2, 3, 4000), "01:02:03.004"),
    (schema("string", names.DBZ_ISO_TIMESTAMP), "2020-01-01T12:00:00.123456Z", "2020-01-01 12:00:00.123456"),
    (schema("string", names.DBZ_ISO_TIMESTAMP), "0000-01-01T00:00:00Z", "0001-01-01 00:00:00 BC"),
    (schema("int64", names.DBZ_MICRO_TIMESTAMP), -1, "1969-12-31 23:59:59.999999"),
    (schema("int64", names.DBZ_MICRO_TIMESTAMP), 253402300800000000, "10000-01-01 00:00:00"),
    (schema("string", names.DBZ_ZONED_TIMESTAMP), "2020-01-01T12:00:00.5+05:30", "2020-01-01 06:30:00.5+00"),
    (schema("string", names.DBZ_ZONED_TIMESTAMP), "-infinity", "-infinity"),
    (schema("string", names.DBZ_ZONED_TIME, "TIMETZ"), "12:00:00.5+02:00", "12:00:00.5+02"),
    (schema("string", names.DBZ_INTERVAL), "P1Y2M3DT4H5M6.78S", "1 year 2 mons 3 days 04:05:06.78"),
    (schema("int64", names.DBZ_MICRO_DURATION), -1_500_000, "-00:00:01.5"),
    (
        schema("string", names.DBZ_UUID),
        "C0FFEE00-0000-4000-8000-000000000001",
        "c0ffee00-0000-4000-8000-000000000001",
    ),
    (schema("string", names.DBZ_JSON, "JSON"), '{"b": 1,  "a": 1.50}', '{"b": 1,  "a": 1.50}'),
    (schema("string", names.DBZ_JSON, "JSONB"), "12345678901234567890.123", "12345678901234567890.123"),
    (schema("string", names.DBZ_XML), "<a/>", "<a/>"),
    (schema("string", None, "INET"), "10.0.0.1/8", "10.0.0.1/8"),
    (schema("string", None, "INT4RANGE"), "[1,10)", "[1,10)"),
    (schema("bytes", names.DBZ_BITS, length="10"), b"\x01\x00", "0000000001"),
    (schema("string", None, "VARBIT"), "0010", "0010"),
]


@pytest.mark.parametrize(("value_schema", "value", "expected"), POSTGRES)
def test_postgres_values_come_back_exactly(
    postgres_target: tuple[Dialect, Connection], value_schema: Schema, value: Any, expected: str
) -> None:
    through = column(postgres_target, value_schema)
    assert through(value, "v::text") == expected
    assert through(None) is None


def test_postgres_arrays(postgres_target: tuple[Dialect, Connection]) -> None:
    text = Schema(SchemaType.ARRAY, value_schema=Schema(SchemaType.STRING, optional=True), optional=True)
    value = ["a", None, "", "NULL", 'q"\\', "it's", "{,}"]
    through = column(postgres_target, text)
    assert through(value) == value
    assert through([]) == []


@pytest.mark.parametrize(
    ("value_schema", "value"),
    [
        (schema("string", None, "NUMERIC", 12, 2), "1.505"),
        (schema("int64", names.DBZ_NANO_TIMESTAMP), 1577880000123456789),
    ],
)
def test_postgres_refuses_what_would_be_rounded(
    postgres_target: tuple[Dialect, Connection], value_schema: Schema, value: Any
) -> None:
    with pytest.raises(Unrepresentable):
        column(postgres_target, value_schema)(value)


SQLITE: list[tuple[Schema, Any, Any]] = [
    (schema("int64"), 2**63 - 1, 2**63 - 1),
    (schema("boolean"), True, 1),
    (schema("double"), 5e-324, 5e-324),
    (schema("string", None, "NUMERIC"), "1." + "2" * 100, "1." + "2" * 100),
    (schema("string", None, "TEXT"), "O'Reilly \\ \x00 😀;--", "O'Reilly \\ \x00 😀;--"),
    (schema("bytes"), bytes(range(256)), bytes(range(256))),
    (schema("string", names.DBZ_ISO_DATE), "infinity", "infinity"),
    (schema("string", names.DBZ_ISO_TIMESTAMP), "2020-01-01T12:00:00.5Z", "2020-01-01 12:00:00.5"),
    (schema("string", names.DBZ_JSON, "JSONB"), "12345678901234567890.123", "12345678901234567890.123"),
]


@pytest.mark.parametrize(("value_schema", "value", "expected"), SQLITE)
def test_sqlite_values_come_back_exactly(
    sqlite_target: tuple[Dialect, Connection], value_schema: Schema, value: Any, expected: Any
) -> None:
    through = column(sqlite_target, value_schema)
    assert through(value) == expected
    assert through(None) is None


def test_wrong_values_are_data_errors(target: tuple[Dialect, Connection]) -> None:
    _, connection = target
    through = column(target, schema("int32"))
    for value in ("1); DROP TABLE x; --", 1.5, 2**63):
        with pytest.raises(DataError):
            through(value)
        connection.rollback()


def test_nul_in_postgres_text(postgres_target: tuple[Dialect, Connection]) -> None:
    with pytest.raises(DataError, match="NUL"):
        column(postgres_target, schema("string"))("a\0b")


def test_statements(target: tuple[Dialect, Connection]) -> None:
    dialect, connection = target
    fields = [('a"b', INT), ("sel'ect", schema("string")), ("{v}", INT)]
    keys = [n for n, _ in fields[:2]]
    fields[1] = (fields[1][0], Schema(SchemaType.STRING))
    table = evolution.evolve(dialect, connection, T, None, fields, keys, create=True, change=True)
    assert table.primary_key == tuple(keys)
    bound = dialect.bind(table, fields)
    upsert = dialect.upsert(T, bound, keys)
    rows = [{'a"b': i, "sel'ect": "k", "{v}": i} for i in range(50)]
    connection.begin()
    connection.run(upsert, [upsert.row_text(row) for row in rows])
    connection.run(upsert, [upsert.row_text(row | {"{v}": -1}) for row in rows[:10]])
    update = dialect.update(T, bound, keys)
    assert connection.run(update, [update.row_text(row | {"{v}": -2}) for row in (rows[0], rows[1])]) == 2
    move = dialect.move_key(T, bound[:2])
    values = {
        moved("old", 'a"b'): 2,
        moved("old", "sel'ect"): "k",
        moved("new", 'a"b'): 99,
        moved("new", "sel'ect"): "n",
    }
    assert connection.run(move, [move.row_text(values)]) == 1
    delete = dialect.delete(T, bound[:2])
    assert connection.run(delete, [delete.row_text(row) for row in rows[3:5]]) == 2
    connection.commit()
    quoted = dialect.quote("{v}")
    counts = connection.query(
        f"SELECT {quoted}, COUNT(*) FROM {dialect.quote_table(T)} WHERE {quoted}<0 GROUP BY 1"
    )
    assert sorted(counts) == [(-2, 2), (-1, 6)]
    connection.execute_text(dialect.truncate(T))
    assert connection.query(f"SELECT COUNT(*) FROM {dialect.quote_table(T)}") == [(0,)]


def test_errors_are_translated(target: tuple[Dialect, Connection]) -> None:
    dialect, connection = target
    connection.execute_text("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL, e TEXT UNIQUE)")
    connection.execute_text("INSERT INTO t VALUES (1, 1, 'x')")
    connection.commit()
    for sql, kind in (
        ("INSERT INTO t VALUES (2, 1, 'x')", DuplicateKeyError),
        ("INSERT INTO t (id) VALUES (3)", DataError),
        ("SELECT * FROM missing", StructuralError),
        ("SELECT missing FROM t", StructuralError),
        ("CREATE TABLE t (id INT)", StructuralError),
    ):
        with pytest.raises(kind) as caught:
            connection.execute_text(sql)
        assert type(caught.value) is kind or sql.startswith("CREATE")
        connection.rollback()
    table = dialect.describe_table(connection, TableName(None, "t"))
    assert table is not None
    assert list(table.unique_indexes.values()) == [("e",)]
    assert table.primary_key == ("id",)


def test_columns_are_added(target: tuple[Dialect, Connection]) -> None:
    dialect, connection = target
    fields = [("id", INT), ("v", INT)]
    evolution.evolve(dialect, connection, T, None, fields, ["id"], create=True, change=True)
    table = dialect.describe_table(connection, T)
    more = [*fields, ("n", Schema(SchemaType.INT32, default=5)), ("s", schema("string")), ("r", INT)]
    connection.execute_text(f"INSERT INTO {dialect.quote_table(T)} VALUES (1, 1)")
    connection.commit()
    changed = evolution.evolve(dialect, connection, T, table, more, ["id"], create=True, change=True)
    assert [c.name for c in changed.columns] == ["id", "v", "n", "s", "r"]
    assert connection.query(f"SELECT n, s, r FROM {dialect.quote_table(T)}") == [(5, None, None)]


def test_postgres_identity_columns_take_the_sources_values(
    postgres_target: tuple[Dialect, Connection],
) -> None:
    dialect, connection = postgres_target
    connection.execute_text(
        "CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v INT, "
        "g INT GENERATED ALWAYS AS (v+1) STORED)"
    )
    table = dialect.describe_table(connection, TableName(None, "t"))
    assert table is not None
    fields = [("id", INT), ("v", INT), ("g", INT)]
    statement = dialect.upsert(table.name, dialect.bind(table, fields), ["id"])
    connection.run(statement, [statement.row_text({"id": 7, "v": 1, "g": 2})])
    assert connection.query("SELECT * FROM t") == [(7, 1, 2)]


def test_postgres_enums_and_domains_take_text(postgres_target: tuple[Dialect, Connection]) -> None:
    dialect, connection = postgres_target
    connection.execute_text(
        "CREATE TYPE mood AS ENUM ('ok', 'it''s'); CREATE TABLE t (id INT PRIMARY KEY, m mood, j jsonb)"
    )
    table = dialect.describe_table(connection, TableName(None, "t"))
    assert table is not None
    fields = [("id", INT), ("m", schema("string", names.DBZ_ENUM)), ("j", schema("string"))]
    statement = dialect.upsert(table.name, dialect.bind(table, fields), ["id"])
    connection.run(statement, [statement.row_text({"id": 1, "m": "it's", "j": '{"a": "\'"}'})])
    assert connection.query("SELECT m::text, j FROM t") == [("it's", {"a": "'"})]


def test_postgres_columns_grow(postgres_target: tuple[Dialect, Connection]) -> None:
    dialect, connection = postgres_target
    fields = [("id", INT), ("a", schema("int16")), ("b", schema("string", None, "VARCHAR", 5))]
    table = evolution.evolve(dialect, connection, T, None, fields, ["id"], create=True, change=True)
    more = [("id", INT), ("a", schema("int64")), ("b", schema("string"))]
    table = evolution.evolve(dialect, connection, T, table, more, ["id"], create=True, change=True)
    assert [c.base for c in table.columns] == ["integer", "bigint", "text"]
    assert evolution.evolve(dialect, connection, T, table, fields, ["id"], create=True, change=True) == table


def test_who_may_not_connect(request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("pg_database").url
    dialect = dialect_for("postgresql")
    with pytest.raises(ConfigError):
        dialect.connect(parse_url(url + "_none"), "test")
    server = request.getfixturevalue("postgres")
    with pytest.raises(RetriableError):
        dialect.connect(parse_url(url.replace(f":{server.port}", ":1")), "test")
