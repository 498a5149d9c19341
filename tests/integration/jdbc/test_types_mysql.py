"""Every kind of value through a table made from its schema, on the real servers, read back and compared exactly."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.jdbc.dialects import Connection, Dialect, TableName, Unrepresentable, dialect_for
from connectors.jdbc.evolution import Evolution, compare
from connectors.jdbc.url import parse_url
from replicator.api import DataError, Schema, SchemaType
from replicator.api import logical as names
from tests.support.jdbc_schemas import schema

KEY = Schema(SchemaType.INT64)
T = TableName(None, "types")


@pytest.fixture(params=["mysql", "mariadb"])
def target(request: pytest.FixtureRequest) -> Iterator[tuple[Dialect, Connection]]:
    database = request.getfixturevalue(f"{request.param}_database")
    dialect = dialect_for(request.param)
    connection = dialect.connect(parse_url(database.url), "test")
    yield dialect, connection
    connection.close()


def column(target: tuple[Dialect, Connection], value_schema: Schema) -> Any:
    """Makes a table with one column of the schema; returns a function that stores and reads back."""
    dialect, connection = target
    fields = [("id", KEY), ("v", value_schema)]
    connection.execute_text(f"DROP TABLE IF EXISTS {dialect.quote_table(T)}")
    connection.execute_text(dialect.create_table(T, dialect.plan_columns(fields, ["id"])))
    table = dialect.describe_table(connection, T)
    assert table is not None
    assert compare(dialect, table, fields) == Evolution()
    statement = dialect.upsert(T, dialect.bind(table, fields), ["id"])

    def through(value: Any, expression: str = "v") -> Any:
        connection.run(statement, [statement.row_text({"id": 1, "v": value})])
        (row,) = connection.query(f"SELECT {expression} FROM {dialect.quote_table(T)} WHERE id=1")
        return row[0]

    return through


DECIMAL_12_2 = schema("string", None, "NUMERIC", 12, 2)
DECIMAL_ANY = schema("string", None, "NUMERIC")
TEXT = schema("string", None, "TEXT")
ISO_TIMESTAMP = schema("string", names.DBZ_ISO_TIMESTAMP, "TIMESTAMP")
ZONED = schema("string", names.DBZ_ZONED_TIMESTAMP, "TIMESTAMPTZ")
ISO_DATE = schema("string", names.DBZ_ISO_DATE, "DATE")
ISO_TIME = schema("string", names.DBZ_ISO_TIME, "TIME")
JSONB = schema("string", names.DBZ_JSON, "JSONB")
VARIABLE = Schema(SchemaType.STRUCT, name=names.DBZ_VARIABLE_SCALE_DECIMAL, optional=True)

EXACT: list[tuple[Schema, Any, Any]] = [
    (schema("int8"), -128, -128),
    (schema("int16"), 32767, 32767),
    (schema("int32"), -(2**31), -(2**31)),
    (schema("int64"), 2**63 - 1, 2**63 - 1),
    (schema("int64", None, "OID"), 4294967295, 4294967295),
    (schema("boolean"), True, 1),
    (schema("boolean"), False, 0),
    (schema("float"), 0.1, 0.1),
    (schema("float"), 3.4028235e38, 3.4028235e38),
    (schema("double"), 5e-324, 5e-324),
    (schema("double"), 1.7976931348623157e308, 1.7976931348623157e308),
    (schema("double"), 0.1 + 0.2, 0.1 + 0.2),
    (schema("double"), 123456789012345680.0, 123456789012345680.0),
    (schema("double"), 7, 7.0),
    (DECIMAL_12_2, "9999999999.99", Decimal("9999999999.99")),
    (DECIMAL_12_2, "-0.01", Decimal("-0.01")),
    (DECIMAL_12_2, "1.5000", Decimal("1.50")),
    (DECIMAL_12_2, "00012", Decimal("12.00")),
    (DECIMAL_12_2, "1e3", Decimal("1000.00")),
    (DECIMAL_ANY, "9" * 27 + "." + "1" * 30, Decimal("9" * 27 + "." + "1" * 30)),
    (schema("string", None, "NUMERIC", 5, 7), "0.0012345", Decimal("0.0012345")),
    (schema("string", None, "NUMERIC", 3, -2), "12300", Decimal("12300")),
    (schema("string", None, "NUMERIC", 100, 40), "1." + "2" * 40, "1." + "2" * 40),
    (schema("string", None, "MONEY"), "-92233720368547758.08", Decimal("-92233720368547758.08")),
    (names.decimal_schema(3, optional=True), Decimal("12.345"), Decimal("12.345")),
    (VARIABLE, {"scale": 3, "value": b"\xff\x85"}, Decimal("-0.123")),
    (TEXT, "", ""),
    (TEXT, "O'Reilly \\ \\' \"x\" `y` %s %% {0} \n\r\t\x00\x1a;--", None),
    (TEXT, "é ü 日本 😀  trailing  ", None),
    (TEXT, "a" * 100_000, None),
    (schema("string", None, "VARCHAR", 5), "😀😀😀😀😀", None),
    (schema("string", None, "BPCHAR", 5), "ab   ", "ab"),
    (schema("string", None, "CITEXT"), "Ab", None),
    (schema("string", None, "NAME"), "n" * 63, None),
    (schema("string", None, "INET"), "2001:0db8:85a3:0000:0000:8a2e:0370:7334/128", None),
    (schema("string", None, "INT4RANGE"), "[1,10)", None),
    (schema("string", names.DBZ_ENUM, "MOOD", allowed="a,b"), "it's", None),
    (schema("string", names.DBZ_XML), "<a b='c'/>", None),
    (schema("bytes", None, "BYTEA"), b"", None),
    (schema("bytes", None, "BYTEA"), bytes(range(256)), None),
    (ISO_DATE, "2017-09-15Z", dt.date(2017, 9, 15)),
    (ISO_DATE, "0001-01-01Z", dt.date(1, 1, 1)),
    (ISO_DATE, "9999-12-31Z", dt.date(9999, 12, 31)),
    (schema("int32", names.DBZ_DATE), -719162, dt.date(1, 1, 1)),
    (names.date_schema(optional=True), dt.date(2024, 2, 29), dt.date(2024, 2, 29)),
    (ISO_TIME, "12:00:00.123456Z", dt.timedelta(hours=12, microseconds=123456)),
    (ISO_TIME, "24:00:00Z", dt.timedelta(hours=24)),
    (schema("int64", names.DBZ_MICRO_TIME), 86_399_999_999, dt.timedelta(microseconds=86_399_999_999)),
    (schema("int32", names.DBZ_TIME), 1500, dt.timedelta(milliseconds=1500)),
    (
        names.time_schema(optional=True),
        dt.time(1, 2, 3, 4000),
        dt.timedelta(hours=1, minutes=2, seconds=3.004),
    ),
    (ISO_TIMESTAMP, "2020-01-01T12:00:00.123456Z", dt.datetime(2020, 1, 1, 12, 0, 0, 123456)),
    (ISO_TIMESTAMP, "2020-01-01T12:00:00.5Z", dt.datetime(2020, 1, 1, 12, 0, 0, 500000)),
    (ISO_TIMESTAMP, "0001-01-01T00:00:00Z", dt.datetime(1, 1, 1)),
    (ISO_TIMESTAMP, "9999-12-31T23:59:59.999999Z", dt.datetime.max),
    (schema("int64", names.DBZ_MICRO_TIMESTAMP), -1, dt.datetime(1969, 12, 31, 23, 59, 59, 999999)),
    (schema("int64", names.DBZ_TIMESTAMP), 1577880000123, dt.datetime(2020, 1, 1, 12, 0, 0, 123000)),
    (
        schema("int64", names.DBZ_NANO_TIMESTAMP),
        1577880000123456000,
        dt.datetime(2020, 1, 1, 12, 0, 0, 123456),
    ),
    (names.timestamp_schema(optional=True), dt.datetime(2020, 1, 1, 12), dt.datetime(2020, 1, 1, 12)),
    (ZONED, "2020-01-01T12:00:00.123456Z", dt.datetime(2020, 1, 1, 12, 0, 0, 123456)),
    (ZONED, "2020-01-01T12:00:00.123456+05:30", dt.datetime(2020, 1, 1, 6, 30, 0, 123456)),
    (schema("string", names.DBZ_ZONED_TIME, "TIMETZ"), "12:00:00.123456+02:00", None),
    (schema("string", names.DBZ_INTERVAL, "INTERVAL"), "P1Y2M3DT4H5M6.78S", None),
    (schema("int64", names.DBZ_MICRO_DURATION), -(10**15), None),
    (schema("int32", names.DBZ_YEAR), 2155, None),
    (
        schema("string", names.DBZ_UUID, "UUID"),
        "C0FFEE00-0000-4000-8000-000000000001",
        "c0ffee00-0000-4000-8000-000000000001",
    ),
    (schema("string", names.DBZ_JSON, "JSON"), '{"b": 1,  "a": 1.50, "b":2}', None),
    (schema("string", names.DBZ_LTREE), "a.b", None),
    (
        schema("bytes", names.DBZ_BITS, "BIT", length="64"),
        b"\x01" + bytes(6) + b"\x80",
        b"\x80" + bytes(6) + b"\x01",
    ),
    (schema("bytes", names.DBZ_BITS, "BIT", length="70"), b"\x01" + bytes(8), "0" * 69 + "1"),
    (schema("string", None, "VARBIT"), "0010", None),
    (schema("array"), None, None),
]


@pytest.mark.parametrize(
    ("value_schema", "value", "expected"),
    EXACT,
    ids=[f"{i}-{s.name or s.type.value}" for i, (s, _, _) in enumerate(EXACT)],
)
def test_values_come_back_exactly(
    target: tuple[Dialect, Connection], value_schema: Schema, value: Any, expected: Any
) -> None:
    if value_schema.type is SchemaType.ARRAY:
        value_schema = Schema(SchemaType.ARRAY, value_schema=Schema(SchemaType.INT32), optional=True)
    if value_schema.type is SchemaType.STRUCT:
        fields = [("scale", Schema(SchemaType.INT32)), ("value", Schema(SchemaType.BYTES))]
        value_schema = value_schema.evolve(fields=fields)
    through = column(target, value_schema)
    wanted = value if expected is None else expected
    got = through(value)
    assert got == wanted
    assert type(got) is type(wanted) or isinstance(wanted, (bool, int))
    assert through(None) is None


def test_negative_zero_keeps_its_sign_where_the_server_can(target: tuple[Dialect, Connection]) -> None:
    dialect, _ = target
    stored = column(target, schema("double"))(-0.0)
    # MariaDB has no form for it that keeps the sign.
    assert (stored, math.copysign(1, stored)) == (0.0, -1.0 if dialect.kind == "mysql" else 1.0)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2.5, null, true, "x\\"y\\\\ 😀"]}',
        "[]",
        '"s"',
        "18446744073709551615",
        "-9223372036854775808",
        "0.1",
        "1e300",
    ],
)
def test_json_means_the_same(target: tuple[Dialect, Connection], text: str) -> None:
    import orjson

    assert orjson.loads(column(target, JSONB)(text)) == orjson.loads(text)


@pytest.mark.parametrize(
    "number", ["12345678901234567890.123", "18446744073709551616", "0.12345678901234567890", "1e400"]
)
def test_json_numbers_that_would_change_are_refused(target: tuple[Dialect, Connection], number: str) -> None:
    dialect, _ = target
    through = column(target, JSONB)
    if dialect.kind == "mariadb":  # keeps the text
        assert through(f'{{"n": {number}}}') == f'{{"n": {number}}}'
    else:
        with pytest.raises(Unrepresentable, match="v: JSON would change"):
            through(f'{{"n": {number}, "s": "12345678901234567890.123"}}')


def test_digits_inside_json_strings_are_no_numbers(target: tuple[Dialect, Connection]) -> None:
    text = '{"s": "12345678901234567890.123", "t": "\\"12345678901234567890.1"}'
    import orjson

    assert orjson.loads(column(target, JSONB)(text)) == orjson.loads(text)


def test_lists_and_structs_become_json(target: tuple[Dialect, Connection]) -> None:
    import orjson

    array = Schema(SchemaType.ARRAY, value_schema=Schema(SchemaType.STRING, optional=True), optional=True)
    assert orjson.loads(column(target, array)(["a'b", None, '"'])) == ["a'b", None, '"']
    map_ = Schema(
        SchemaType.MAP,
        key_schema=Schema(SchemaType.STRING),
        value_schema=Schema(SchemaType.STRING),
        optional=True,
    )
    assert orjson.loads(column(target, map_)({"k": "v"})) == {"k": "v"}


LOST: list[tuple[Schema, Any]] = [
    (DECIMAL_12_2, "NAN"),
    (DECIMAL_12_2, "POSITIVE_INFINITY"),
    (DECIMAL_12_2, "10000000000"),
    (DECIMAL_12_2, "1.505"),
    (DECIMAL_ANY, "1" + "0" * 40),
    (schema("double"), math.nan),
    (schema("double"), -math.inf),
    (schema("float"), math.inf),
    (ISO_DATE, "infinity"),
    (ISO_DATE, "-0043-03-15Z"),
    (ISO_DATE, "+12345-01-01Z"),
    (schema("int32", names.DBZ_DATE), 2**31 - 1),
    (ISO_TIMESTAMP, "-infinity"),
    (ISO_TIMESTAMP, "0000-01-01T00:00:00Z"),
    (ZONED, "infinity"),
    (ZONED, "+12345-01-01T00:00:00Z"),
    (schema("int64", names.DBZ_MICRO_TIMESTAMP), 9223372036825200000),
    (schema("int64", names.DBZ_NANO_TIMESTAMP), 1577880000123456789),
]


@pytest.mark.parametrize(("value_schema", "value"), LOST, ids=[f"{v}" for _, v in LOST])
def test_what_does_not_fit_is_refused_or_lost_by_policy(
    target: tuple[Dialect, Connection], value_schema: Schema, value: Any
) -> None:
    dialect, connection = target
    through = column(target, value_schema)
    with pytest.raises(Unrepresentable, match=r"^v: "):
        through(value)
    table = dialect.describe_table(connection, T)
    assert table is not None
    fields = [("id", KEY), ("v", value_schema)]
    bound = dialect.bind(table, fields)
    statement = dialect.upsert(T, bound, ["id"])
    lost: list[str] = []
    connection.run(statement, [statement.lossy_text({"id": 1, "v": value}, lost)])
    assert lost == ["v"]
    # The same into a column that takes no NULL: the substitute must be storable.
    connection.execute_text("DELETE FROM types")
    connection.execute_text("ALTER TABLE types MODIFY v " + table.columns[1].type + " NOT NULL")
    table = dialect.describe_table(connection, T)
    assert table is not None
    statement = dialect.upsert(T, dialect.bind(table, fields), ["id"])
    assert connection.run(statement, [statement.lossy_text({"id": 1, "v": value}, [])]) >= 1


WRONG: list[tuple[Schema, Any]] = [
    (schema("string", None, "VARCHAR", 5), "123456"),
    (schema("string", None, "BPCHAR", 5), "123456"),
    (TEXT, 5),
    (TEXT, ["x'); DROP TABLE types; --"]),
    (schema("int32"), "1); DROP TABLE types; --"),
    (schema("int32"), 1.5),
    (schema("int32"), 2**31),
    (schema("int8"), 128),
    (schema("boolean"), "x"),
    (DECIMAL_12_2, "abc"),
    (ISO_DATE, "2020-02-30Z"),
    (ISO_DATE, "no date"),
    (ISO_TIMESTAMP, "2020-01-01T25:00:00Z"),
    (schema("string", names.DBZ_UUID), "not a uuid"),
    (schema("string", None, "INET"), "é"),
    (schema("bytes", names.DBZ_BITS, "BIT", length="4"), b"\x10"),
    (schema("int32", names.DBZ_YEAR), 1800),
    (TEXT, "\ud800"),
]


@pytest.mark.parametrize(("value_schema", "value"), WRONG, ids=[ascii(v) for _, v in WRONG])
def test_wrong_values_are_data_errors(
    target: tuple[Dialect, Connection], value_schema: Schema, value: Any
) -> None:
    with pytest.raises(DataError):
        column(target, value_schema)(value)
    dialect, connection = target
    assert dialect.describe_table(connection, T) is not None


def test_invalid_json_is_a_data_error_in_mysql(target: tuple[Dialect, Connection]) -> None:
    dialect, _ = target
    if dialect.kind == "mysql":
        with pytest.raises(DataError):
            column(target, JSONB)("{not json")
    else:
        assert column(target, JSONB)("{not json") == "{not json"


def test_deep_json_is_refused_and_not_cut(target: tuple[Dialect, Connection]) -> None:
    deep = "[" * 101 + "]" * 101
    through = column(target, JSONB)
    if target[0].kind == "mysql":
        with pytest.raises(DataError):
            through(deep)
    else:
        assert through(deep) == deep


def test_statement_is_lossless_for_keys_alike_but_for_case_accents_and_blanks(
    target: tuple[Dialect, Connection],
) -> None:
    dialect, connection = target
    fields = [("k", Schema(SchemaType.STRING)), ("v", schema("int32"))]
    connection.execute_text(dialect.create_table(T, dialect.plan_columns(fields, ["k"])))
    table = dialect.describe_table(connection, T)
    assert table is not None
    bound = dialect.bind(table, fields)
    statement = dialect.upsert(T, bound, ["k"])
    keys = ["a", "A", "á", "a ", " a", "a\u0301", "", " ", "\x00", "😀", "x" * 768]
    connection.run(statement, [statement.row_text({"k": k, "v": i}) for i, k in enumerate(keys)])
    assert sorted(connection.query("SELECT k, v FROM types")) == sorted((k, i) for i, k in enumerate(keys))
    delete = dialect.delete(T, [c for c in bound if c.column == "k"])
    assert connection.run(delete, [delete.row_text({"k": "a"}), delete.row_text({"k": "x" * 768})]) == 2
    with pytest.raises(DataError, match="769 characters"):
        statement.row_text({"k": "y" * 769, "v": 1})
