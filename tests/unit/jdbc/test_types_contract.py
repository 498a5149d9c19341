"""What schemas mean, and plain forms of values."""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jdbc.dialects.mysql_columns import MARIADB, MYSQL, column_type, parse_type, sizes
from connectors.jdbc.types.contract import Kind, contract_of
from connectors.jdbc.types.decode import decimal_text, decoder
from connectors.jdbc.types.decode_times import timestamp_text
from replicator.api import DataError, Schema, SchemaType, StructuralError
from replicator.api import logical as names
from tests.support.jdbc_schemas import schema

ASCII = "CHARACTER SET ascii COLLATE ascii_bin"
BINARY = "CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"

COLUMNS: list[tuple[Schema, str]] = [
    (schema("int8"), "TINYINT"),
    (schema("int64", None, "INT8"), "BIGINT"),
    (schema("boolean"), "TINYINT(1)"),
    (schema("float"), "DOUBLE"),
    (schema("string", None, "NUMERIC"), "DECIMAL(65,30)"),
    (schema("string", None, "NUMERIC", 65, 30), "DECIMAL(65,30)"),
    (schema("string", None, "NUMERIC", 66, 0), f"VARCHAR(69) {ASCII}"),
    (schema("string", None, "NUMERIC", 5, -2), "DECIMAL(7,0)"),
    (schema("string", None, "NUMERIC", 3, 5), "DECIMAL(5,5)"),
    (schema("string", None, "MONEY"), "DECIMAL(19,2)"),
    (names.decimal_schema(4, precision=10), "DECIMAL(10,4)"),
    (names.decimal_schema(4), "DECIMAL(65,4)"),
    (Schema(SchemaType.STRUCT, name=names.DBZ_VARIABLE_SCALE_DECIMAL), "DECIMAL(65,30)"),
    (schema("string"), f"LONGTEXT {BINARY}"),
    (schema("string", None, "VARCHAR", 16383), f"VARCHAR(16383) {BINARY}"),
    (schema("string", None, "VARCHAR", 16384), f"LONGTEXT {BINARY}"),
    (schema("string", None, "VARCHAR"), f"LONGTEXT {BINARY}"),
    (schema("string", None, "BPCHAR", 255), f"CHAR(255) {BINARY}"),
    (schema("string", None, "BPCHAR", 256), f"VARCHAR(256) {BINARY}"),
    (schema("string", None, "CITEXT"), "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_ci"),
    (schema("string", names.DBZ_UUID), f"CHAR(36) {ASCII}"),
    (schema("string", names.DBZ_JSON, "JSON"), f"LONGTEXT {BINARY}"),
    (schema("string", names.DBZ_JSON, "JSONB"), "JSON"),
    (schema("string", names.DBZ_JSON, "_INT4"), "JSON"),
    (schema("string", names.DBZ_JSON, "HSTORE"), "JSON"),
    (schema("string", names.DBZ_INTERVAL), f"VARCHAR(64) {ASCII}"),
    (schema("string", names.DBZ_ZONED_TIMESTAMP), "DATETIME(6)"),
    (schema("string", names.DBZ_ENUM), f"VARCHAR(255) {BINARY}"),
    (schema("string", None, "INET"), f"VARCHAR(43) {ASCII}"),
    (schema("bytes", names.DBZ_BITS, "BIT", length="9"), "BIT(9)"),
    (schema("bytes", names.DBZ_BITS, "BIT", length="65"), f"VARCHAR(65) {ASCII}"),
    (schema("string", None, "VARBIT", 12), f"VARCHAR(12) {ASCII}"),
    (schema("bytes"), "LONGBLOB"),
]


@pytest.mark.parametrize(("value_schema", "sql"), COLUMNS)
def test_columns_of_mysql(value_schema: Schema, sql: str) -> None:
    assert column_type(value_schema, MYSQL).sql == sql


def test_columns_of_mariadb() -> None:
    assert (
        column_type(schema("string"), MARIADB).sql
        == "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
    )
    assert column_type(schema("string", names.DBZ_JSON, "JSONB"), MARIADB).sql.startswith("LONGTEXT")
    assert column_type(schema("string", None, "NUMERIC"), MARIADB).sql == "DECIMAL(65,38)"


def test_policies_are_stated() -> None:
    assert "BC" in column_type(schema("string", names.DBZ_ISO_DATE), MYSQL).policy
    assert "NaN" in column_type(schema("double"), MYSQL).policy
    assert column_type(schema("int32"), MYSQL).policy == ""


def test_a_malformed_parameter() -> None:
    with pytest.raises(StructuralError, match="not a number"):
        contract_of(schema("string", None, "VARCHAR").evolve(parameters={names.SOURCE_LENGTH_PARAMETER: "x"}))


@pytest.mark.parametrize(
    ("sql", "row", "key"),
    [("DECIMAL(65,30)", 30, 30), ("DECIMAL(10,2)", 5, 5), ("BIGINT", 8, 8), (f"VARCHAR(768) {BINARY}", 3074, 3074),
     (f"VARCHAR(769) {BINARY}", 3078, 0), ("LONGTEXT", 12, 0), ("BIT(9)", 2, 2)],
)  # fmt: skip
def test_sizes(sql: str, row: int, key: int) -> None:
    assert (sizes(sql)[0], sizes(sql)[2]) == (row, key)


def test_types_of_the_catalog() -> None:
    column = parse_type("x", "enum('A','b,c')")
    assert (column.base, column.type) == ("enum", "enum('A','b,c')")
    assert parse_type("x", "bigint(20) unsigned").base == "bigint"
    assert parse_type("x", "datetime").fraction == 0


def decoded(value_schema: Schema, value: Any) -> Any:
    return decoder(contract_of(value_schema))(value)


@given(st.datetimes())
def test_integer_timestamps(moment: dt.datetime) -> None:
    micros = (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)
    text = decoded(schema("int64", names.DBZ_MICRO_TIMESTAMP), micros)
    assert dt.datetime.fromisoformat(text.replace(" ", "T").ljust(26, "0") if "." in text else text) == moment


@given(st.dates())
def test_integer_dates(date: dt.date) -> None:
    assert decoded(schema("int32", names.DBZ_DATE), (date - dt.date(1970, 1, 1)).days) == date.isoformat()


@pytest.mark.parametrize(
    ("days", "text"),
    [(-719163, "0000-12-31"), (-719162 - 366, "0000-01-01"), (-719162 - 367, "-0001-12-31"), (2932897, "+10000-01-01"),
     (2**31 - 1, "infinity"), (-(2**31), "-infinity")],
)  # fmt: skip
def test_dates_out_of_pythons_range(days: int, text: str) -> None:
    assert decoded(schema("int32", names.DBZ_DATE), days) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2020-01-01T00:30:00+01:00", "2019-12-31 23:30:00"),
        ("2020-01-01T00:30:00.123456789-01:00", "2020-01-01 01:30:00.123456789"),
        ("2020-01-01 00:30:00+05", "2019-12-31 19:30:00"),
        ("2020-01-01T00:00:00Z", "2020-01-01 00:00:00"),
        ("infinity", "infinity"),
        (dt.datetime(2020, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=5))), "2020-01-01 07:00:00"),
    ],
)
def test_timestamps(value: Any, text: str) -> None:
    assert timestamp_text(value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_decimals(value: Decimal) -> None:
    assert Decimal(decimal_text(value)) == value
    assert "E" not in decimal_text(str(value))
    scale = -int(value.as_tuple().exponent)
    unscaled = int(value.scaleb(scale, Context(prec=500)))
    raw = unscaled.to_bytes((unscaled.bit_length() + 8) // 8, "big", signed=True)
    assert Decimal(decimal_text({"scale": scale, "value": raw})) == value


@pytest.mark.parametrize("value", ["abc", "", "1.2.3", None, b"1", True])
def test_what_is_no_decimal(value: Any) -> None:
    with pytest.raises(DataError):
        decimal_text(value)


def test_json_of_lists_loses_nothing() -> None:
    floats = Schema(SchemaType.ARRAY, value_schema=Schema(SchemaType.FLOAT64))
    assert decoded(floats, [1.5, float("nan"), float("-inf"), None]) == '[1.5,"nan","-inf",null]'
    assert decoded(floats, [Decimal("1.10")]) == "[1.10]"
    assert contract_of(floats).kind is Kind.ARRAY
