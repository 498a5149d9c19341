"""Postgres types: schema and value of each type in each mode, extremes included."""

# ruff: noqa: E501  (a table of cases reads best with one case per line)

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.cdc.codec import ColumnCodec
from connectors.cdc.selection import Patterns
from connectors.cdc.tables import Column, Table, TypeFacts
from connectors.postgres.options import TypeOptions
from connectors.postgres.types import column_codec, table_codecs
from replicator.api import DataError, SchemaType, logical

DEFAULT = TypeOptions()
SYNC = TypeOptions(
    decimals="string",
    times="isostring",
    intervals="string",
    arrays="json",
    geometry="text",
    varbits="text",
    include_unknown=True,
    propagate_types=Patterns("datatype.propagate.source.type", ".+"),
)
PLACEHOLDER = "__debezium_unavailable_value"


def numeric(precision: int, scale: int) -> int:
    return (precision << 16 | (scale & 0x7FF)) + 4


def codec(
    type_name: str,
    options: TypeOptions = DEFAULT,
    typmod: int = -1,
    facts: TypeFacts | None = None,
    **column: Any,
) -> ColumnCodec:
    made = column_codec(
        Column("c", 0, type_name, typmod, type_facts=facts or TypeFacts(), **column), options, "public.t"
    )
    assert made is not None
    return made


def values(made: ColumnCodec, text: str) -> Any:
    """The value by both ways, which must agree."""
    value = made.value(text)
    if made.inline is not None:
        compiled = eval(made.inline.format("text", "decode"), {"text": text, "decode": made.decode})
        assert repr(compiled) == repr(value)
    return value


CONNECT = replace(DEFAULT, times="connect")
ISO = replace(DEFAULT, times="isostring")
MICROS = replace(DEFAULT, times="microseconds")
NANOS = replace(DEFAULT, times="nanoseconds")
ADAPTIVE_MICROS = replace(DEFAULT, times="adaptive_time_microseconds")
DOUBLE = replace(DEFAULT, decimals="double")
STRINGS = replace(DEFAULT, decimals="string")

VALUES: list[tuple[str, int, TypeOptions, str, SchemaType, str | None, Any]] = [
    ("bool", -1, DEFAULT, "t", SchemaType.BOOLEAN, None, True),
    ("bool", -1, SYNC, "f", SchemaType.BOOLEAN, None, False),
    ("int2", -1, DEFAULT, "-32768", SchemaType.INT16, None, -32768),
    ("int4", -1, DEFAULT, "2147483647", SchemaType.INT32, None, 2147483647),
    ("int8", -1, SYNC, "-9223372036854775808", SchemaType.INT64, None, -(2**63)),
    ("oid", -1, DEFAULT, "4294967295", SchemaType.INT64, None, 4294967295),
    ("float4", -1, DEFAULT, "0.1", SchemaType.FLOAT32, None, 0.1),
    ("float8", -1, DEFAULT, "-Infinity", SchemaType.FLOAT64, None, -math.inf),
    ("float8", -1, DEFAULT, "1e-320", SchemaType.FLOAT64, None, 1e-320),
    ("numeric", numeric(10, 2), DEFAULT, "-1.50", SchemaType.BYTES, logical.DECIMAL, Decimal("-1.50")),
    ("numeric", numeric(5, -2), DEFAULT, "12300", SchemaType.BYTES, logical.DECIMAL, Decimal(12300)),
    ("numeric", numeric(3, 5), DEFAULT, "0.00123", SchemaType.BYTES, logical.DECIMAL, Decimal("0.00123")),
    ("numeric", numeric(10, 2), STRINGS, "1.50", SchemaType.STRING, None, "1.50"),
    ("numeric", -1, STRINGS, "NaN", SchemaType.STRING, None, "NAN"),
    ("numeric", -1, STRINGS, "Infinity", SchemaType.STRING, None, "POSITIVE_INFINITY"),
    ("numeric", -1, SYNC, "-Infinity", SchemaType.STRING, None, "NEGATIVE_INFINITY"),
    ("numeric", -1, DOUBLE, "1e5", SchemaType.FLOAT64, None, 100000.0),
    ("money", -1, DEFAULT, "-$1,234.56", SchemaType.BYTES, logical.DECIMAL, Decimal("-1234.56")),
    ("money", -1, DEFAULT, "($1.00)", SchemaType.BYTES, logical.DECIMAL, Decimal("-1.00")),
    ("money", -1, SYNC, "$92,233,720,368,547,758.07", SchemaType.STRING, None, "92233720368547758.07"),
    ("money", -1, SYNC, "1.234,56 €", SchemaType.STRING, None, "1234.56"),
    ("money", -1, SYNC, "¥1,234", SchemaType.STRING, None, "1234.00"),
    ("money", -1, DOUBLE, "$0.50", SchemaType.FLOAT64, None, 0.5),
    ("text", -1, DEFAULT, "été\t", SchemaType.STRING, None, "été\t"),
    ("bpchar", 7, DEFAULT, "a  ", SchemaType.STRING, None, "a  "),
    ("name", -1, DEFAULT, "n", SchemaType.STRING, None, "n"),
    ("bytea", -1, DEFAULT, "\\x00ff", SchemaType.BYTES, None, b"\x00\xff"),
    ("bytea", -1, SYNC, "\\x", SchemaType.BYTES, None, b""),
    ("bytea", -1, DEFAULT, "a\\\\b\\000", SchemaType.BYTES, None, b"a\\b\0"),
    ("bytea", -1, replace(DEFAULT, binary="base64"), "\\xfbff", SchemaType.STRING, None, "+/8="),
    ("bytea", -1, replace(DEFAULT, binary="base64-url-safe"), "\\xfbff", SchemaType.STRING, None, "-_8="),
    ("bytea", -1, replace(DEFAULT, binary="hex"), "\\xfbff", SchemaType.STRING, None, "fbff"),
    ("bit", 1, DEFAULT, "1", SchemaType.BOOLEAN, None, True),
    ("bit", -1, DEFAULT, "101", SchemaType.BYTES, logical.DBZ_BITS, b"\x05"),
    ("bit", -1, SYNC, "0101", SchemaType.STRING, None, "0101"),
    ("bit", 10, DEFAULT, "1000000001", SchemaType.BYTES, logical.DBZ_BITS, b"\x01\x02"),
    ("varbit", 9, DEFAULT, "101", SchemaType.BYTES, logical.DBZ_BITS, b"\x05"),
    ("varbit", -1, SYNC, "", SchemaType.STRING, None, ""),
    ("varbit", 9, SYNC, "0010", SchemaType.STRING, None, "0010"),
    ("date", -1, DEFAULT, "1969-12-31", SchemaType.INT32, logical.DBZ_DATE, -1),
    ("date", -1, DEFAULT, "0001-01-01", SchemaType.INT32, logical.DBZ_DATE, -719162),
    ("date", -1, DEFAULT, "0001-12-31 BC", SchemaType.INT32, logical.DBZ_DATE, -719163),
    ("date", -1, DEFAULT, "4713-01-01 BC", SchemaType.INT32, logical.DBZ_DATE, -2440550),
    ("date", -1, DEFAULT, "5874897-12-31", SchemaType.INT32, logical.DBZ_DATE, 2145042905),
    ("date", -1, DEFAULT, "infinity", SchemaType.INT32, logical.DBZ_DATE, 2**31 - 1),
    ("date", -1, DEFAULT, "-infinity", SchemaType.INT32, logical.DBZ_DATE, -(2**31)),
    ("date", -1, CONNECT, "2017-09-15", SchemaType.INT32, logical.DATE, dt.date(2017, 9, 15)),
    ("date", -1, ISO, "2017-09-15", SchemaType.STRING, logical.DBZ_ISO_DATE, "2017-09-15Z"),
    ("date", -1, SYNC, "0044-03-15 BC", SchemaType.STRING, logical.DBZ_ISO_DATE, "-0043-03-15Z"),
    ("date", -1, SYNC, "12345-01-01", SchemaType.STRING, logical.DBZ_ISO_DATE, "+12345-01-01Z"),
    ("date", -1, SYNC, "-infinity", SchemaType.STRING, logical.DBZ_ISO_DATE, "-infinity"),
    ("time", 3, DEFAULT, "12:00:00.123", SchemaType.INT32, logical.DBZ_TIME, 43200123),
    ("time", -1, DEFAULT, "24:00:00", SchemaType.INT64, logical.DBZ_MICRO_TIME, 86400000000),
    ("time", 3, ADAPTIVE_MICROS, "00:00:00.001", SchemaType.INT64, logical.DBZ_MICRO_TIME, 1000),
    ("time", -1, NANOS, "00:00:00.000001", SchemaType.INT64, logical.DBZ_NANO_TIME, 1000),
    ("time", -1, CONNECT, "01:02:03.999999", SchemaType.INT32, logical.TIME, dt.time(1, 2, 3, 999000)),
    ("time", -1, SYNC, "12:00:00.1", SchemaType.STRING, logical.DBZ_ISO_TIME, "12:00:00.1Z"),
    ("timestamp", 0, DEFAULT, "1970-01-01 00:00:01", SchemaType.INT64, logical.DBZ_TIMESTAMP, 1000),
    ("timestamp", 3, DEFAULT, "1969-12-31 23:59:59.999", SchemaType.INT64, logical.DBZ_TIMESTAMP, -1),
    ("timestamp", -1, DEFAULT, "1970-01-01 00:00:00.5", SchemaType.INT64, logical.DBZ_MICRO_TIMESTAMP, 500000),
    ("timestamp", -1, DEFAULT, "294276-12-31 23:59:59.999999", SchemaType.INT64, logical.DBZ_MICRO_TIMESTAMP, 9224318015999999999),
    ("timestamp", -1, DEFAULT, "4714-11-24 00:00:00 BC", SchemaType.INT64, logical.DBZ_MICRO_TIMESTAMP, -210866803200000000),
    ("timestamp", -1, DEFAULT, "infinity", SchemaType.INT64, logical.DBZ_MICRO_TIMESTAMP, 9223372036825200000),
    ("timestamp", 3, DEFAULT, "-infinity", SchemaType.INT64, logical.DBZ_TIMESTAMP, -9223372036832400),
    ("timestamp", 3, MICROS, "1970-01-01 00:00:00.001", SchemaType.INT64, logical.DBZ_MICRO_TIMESTAMP, 1000),
    ("timestamp", -1, NANOS, "1970-01-01 00:00:00.000001", SchemaType.INT64, logical.DBZ_NANO_TIMESTAMP, 1000),
    ("timestamp", -1, NANOS, "infinity", SchemaType.INT64, logical.DBZ_NANO_TIMESTAMP, 2**63 - 1),
    ("timestamp", -1, CONNECT, "2020-01-01 12:00:00.123456", SchemaType.INT64, logical.TIMESTAMP, dt.datetime(2020, 1, 1, 12, 0, 0, 123000)),
    ("timestamp", -1, SYNC, "2020-01-01 12:00:00.12", SchemaType.STRING, logical.DBZ_ISO_TIMESTAMP, "2020-01-01T12:00:00.12Z"),
    ("timestamp", -1, SYNC, "0044-03-15 12:00:00.5 BC", SchemaType.STRING, logical.DBZ_ISO_TIMESTAMP, "-0043-03-15T12:00:00.5Z"),
    ("timestamp", -1, SYNC, "12345-01-01 00:00:00", SchemaType.STRING, logical.DBZ_ISO_TIMESTAMP, "+12345-01-01T00:00:00Z"),
    ("timestamp", -1, SYNC, "infinity", SchemaType.STRING, logical.DBZ_ISO_TIMESTAMP, "infinity"),
    ("timestamptz", -1, DEFAULT, "2020-01-01 12:00:00.5+00", SchemaType.STRING, logical.DBZ_ZONED_TIMESTAMP, "2020-01-01T12:00:00.500000Z"),
    ("timestamptz", 0, DEFAULT, "2020-01-01 12:00:00+00", SchemaType.STRING, logical.DBZ_ZONED_TIMESTAMP, "2020-01-01T12:00:00Z"),
    ("timestamptz", -1, SYNC, "2020-01-01 12:00:00.5+00", SchemaType.STRING, logical.DBZ_ZONED_TIMESTAMP, "2020-01-01T12:00:00.500000Z"),
    ("timestamptz", -1, SYNC, "0044-03-15 12:00:00.5+00 BC", SchemaType.STRING, logical.DBZ_ZONED_TIMESTAMP, "-0043-03-15T12:00:00.500000Z"),
    ("timestamptz", -1, DEFAULT, "-infinity", SchemaType.STRING, logical.DBZ_ZONED_TIMESTAMP, "-infinity"),
    ("timetz", -1, DEFAULT, "12:00:00.1+05:30:15", SchemaType.STRING, logical.DBZ_ZONED_TIME, "06:29:45.1Z"),
    ("timetz", -1, DEFAULT, "01:00:00+02", SchemaType.STRING, logical.DBZ_ZONED_TIME, "23:00:00Z"),
    ("timetz", -1, DEFAULT, "24:00:00-02", SchemaType.STRING, logical.DBZ_ZONED_TIME, "02:00:00Z"),
    ("timetz", -1, DEFAULT, "24:00:00+00", SchemaType.STRING, logical.DBZ_ZONED_TIME, "24:00:00Z"),
    ("timetz", -1, SYNC, "12:00:00.123456+02", SchemaType.STRING, logical.DBZ_ZONED_TIME, "12:00:00.123456+02:00"),
    ("timetz", -1, SYNC, "12:00:00-05:30:15", SchemaType.STRING, logical.DBZ_ZONED_TIME, "12:00:00-05:30:15"),
    ("interval", -1, DEFAULT, "1 mon", SchemaType.INT64, logical.DBZ_MICRO_DURATION, 2629800000000),
    ("interval", -1, DEFAULT, "-00:00:00.000001", SchemaType.INT64, logical.DBZ_MICRO_DURATION, -1),
    ("interval", -1, DEFAULT, "2562047788:00:00", SchemaType.INT64, logical.DBZ_MICRO_DURATION, 9223372036800000000),
    ("interval", -1, SYNC, "1 year 2 mons 3 days 04:05:06.78", SchemaType.STRING, logical.DBZ_INTERVAL, "P1Y2M3DT4H5M6.78S"),
    ("interval", -1, SYNC, "00:00:00", SchemaType.STRING, logical.DBZ_INTERVAL, "P0Y0M0DT0H0M0S"),
    ("interval", -1, SYNC, "-1 years -2 mons +3 days -04:05:06.78", SchemaType.STRING, logical.DBZ_INTERVAL, "P-1Y-2M3DT-4H-5M-6.78S"),
    ("interval", -1, SYNC, "178000000 years", SchemaType.STRING, logical.DBZ_INTERVAL, "P178000000Y0M0DT0H0M0S"),
    ("interval", -1, SYNC, "P-1Y-2M3DT-4H-5M-6.78S", SchemaType.STRING, logical.DBZ_INTERVAL, "P-1Y-2M3DT-4H-5M-6.78S"),
    ("interval", -1, SYNC, "PT0S", SchemaType.STRING, logical.DBZ_INTERVAL, "P0Y0M0DT0H0M0S"),
    ("uuid", -1, DEFAULT, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", SchemaType.STRING, logical.DBZ_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", -1, DEFAULT, '{"a":  1}', SchemaType.STRING, logical.DBZ_JSON, '{"a":  1}'),
    ("jsonb", -1, SYNC, '{"a": 1}', SchemaType.STRING, logical.DBZ_JSON, '{"a": 1}'),
    ("xml", -1, DEFAULT, "<a/>", SchemaType.STRING, logical.DBZ_XML, "<a/>"),
    ("tsvector", -1, DEFAULT, "'a':1", SchemaType.STRING, logical.DBZ_TSVECTOR, "'a':1"),
    ("ltree", -1, DEFAULT, "a.b", SchemaType.STRING, logical.DBZ_LTREE, "a.b"),
    ("inet", -1, DEFAULT, "10.0.0.0/8", SchemaType.STRING, None, "10.0.0.0/8"),
    ("int4range", -1, DEFAULT, "[1,3)", SchemaType.STRING, None, "[1,3)"),
    ("hstore", -1, DEFAULT, '"a"=>"1", "b\\"c"=>NULL, "d"=>"x, \\\\y"', SchemaType.STRING, logical.DBZ_JSON, '{"a":"1","b\\"c":null,"d":"x, \\\\y"}'),
    ("hstore", -1, replace(DEFAULT, hstore="map"), '"a"=>NULL', SchemaType.MAP, None, {"a": None}),
    ("hstore", -1, SYNC, "", SchemaType.STRING, logical.DBZ_JSON, "{}"),
    ("point", -1, SYNC, "(1.5,-2)", SchemaType.STRING, None, "(1.5,-2)"),
    ("circle", -1, SYNC, "<(1,2),3>", SchemaType.STRING, None, "<(1,2),3>"),
    ("vector", 3, DEFAULT, "[1,2.5,-3e-05]", SchemaType.ARRAY, "io.debezium.data.DoubleVector", [1, 2.5, -3e-05]),
    ("vector", 3, SYNC, "[1,2]", SchemaType.STRING, logical.DBZ_JSON, "[1,2]"),
    ("oidvector", -1, DEFAULT, "1 2 3", SchemaType.ARRAY, None, [1, 2, 3]),
    ("_int4", -1, DEFAULT, "{1,NULL,-3}", SchemaType.ARRAY, None, [1, None, -3]),
    ("_int4", -1, DEFAULT, "[0:1]={1,2}", SchemaType.ARRAY, None, [1, 2]),
    ("_text", -1, DEFAULT, '{"a,b","c\\"d","NULL",NULL,"","x\\\\y"," a"}', SchemaType.ARRAY, None, ["a,b", 'c"d', "NULL", None, "", "x\\y", " a"]),
    ("_numeric", numeric(5, 1), DEFAULT, "{1.0,2.5}", SchemaType.ARRAY, None, [Decimal("1.0"), Decimal("2.5")]),
    ("_bytea", -1, DEFAULT, '{"\\\\x00ff"}', SchemaType.ARRAY, None, [b"\x00\xff"]),
    ("_bit", 3, DEFAULT, "{101,NULL}", SchemaType.ARRAY, None, [b"\x05", None]),
    ("_time", -1, DEFAULT, "{00:00:00.000001}", SchemaType.ARRAY, None, [1]),
    ("_int4", -1, SYNC, "{{1,2},{3,NULL}}", SchemaType.STRING, logical.DBZ_JSON, "[[1,2],[3,null]]"),
    ("_int4", -1, SYNC, "{}", SchemaType.STRING, logical.DBZ_JSON, "[]"),
    ("_numeric", -1, SYNC, "{1.50,NaN,12345678901234567890.5}", SchemaType.STRING, logical.DBZ_JSON, '[1.50,"NaN",12345678901234567890.5]'),
    ("_float8", -1, SYNC, "{1e+300,-Infinity,-0}", SchemaType.STRING, logical.DBZ_JSON, '[1e+300,"-Infinity",-0]'),
    ("_bool", -1, SYNC, "{t,f,NULL}", SchemaType.STRING, logical.DBZ_JSON, "[true,false,null]"),
    ("_text", -1, SYNC, '{"a\\"b",é,"NULL"}', SchemaType.STRING, logical.DBZ_JSON, '["a\\"b","é","NULL"]'),
    ("_jsonb", -1, SYNC, '{"{\\"a\\": 1}"}', SchemaType.STRING, logical.DBZ_JSON, '[{"a": 1}]'),
    ("_timestamp", -1, SYNC, '{"2020-01-01 10:00:00",infinity}', SchemaType.STRING, logical.DBZ_JSON, '["2020-01-01T10:00:00","infinity"]'),
    ("_timestamptz", -1, SYNC, '{"2020-01-01 10:00:00+00","0044-03-15 12:00:00+00 BC"}', SchemaType.STRING, logical.DBZ_JSON, '["2020-01-01T10:00:00+00:00","0044-03-15T12:00:00+00:00 BC"]'),
    ("_box", -1, SYNC, "{(3,4),(1,2);(1,1),(0,0)}", SchemaType.STRING, logical.DBZ_JSON, '["(3,4),(1,2)","(1,1),(0,0)"]'),
    ("_pg_lsn", -1, SYNC, "{0/1}", SchemaType.STRING, logical.DBZ_JSON, '["0/1"]'),
    ("pg_lsn", -1, SYNC, "0/16B3748", SchemaType.STRING, None, "0/16B3748"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("type_name", "typmod", "options", "text", "type_", "name", "expected"),
    VALUES,
    ids=[f"{i}-{v[0]}" for i, v in enumerate(VALUES)],
)
def test_value(
    type_name: str,
    typmod: int,
    options: TypeOptions,
    text: str,
    type_: SchemaType,
    name: str | None,
    expected: Any,
) -> None:
    made = codec(type_name, options, typmod)
    assert (made.schema.type, made.schema.name) == (type_, name)
    value = values(made, text)
    assert value == expected
    assert type(value) is type(expected) or isinstance(value, float)


def test_nan_of_doubles() -> None:
    assert math.isnan(values(codec("float8"), "NaN"))
    assert math.isnan(values(codec("numeric", DOUBLE), "NaN"))


@pytest.mark.parametrize(
    ("text", "scale", "unscaled"),
    [("0", 0, 0), ("1.500", 1, 15), ("-128", 0, -128), ("100", 0, 100), ("0.000", 0, 0), ("-0.01", 2, -1)],
)
def test_numeric_without_precision_is_a_variable_scale_decimal(text: str, scale: int, unscaled: int) -> None:
    made = codec("numeric")
    assert made.schema.name == logical.DBZ_VARIABLE_SCALE_DECIMAL
    value = made.value(text)
    assert value["scale"] == scale
    assert int.from_bytes(value["value"], "big", signed=True) == unscaled


def test_variable_scale_decimal_uses_as_few_bytes_as_java() -> None:
    made = codec("numeric")
    sizes = {
        text: len(made.value(text)["value"]) for text in ("0", "127", "128", "-128", "-129", "32767", "32768")
    }
    assert sizes == {"0": 1, "127": 1, "128": 2, "-128": 1, "-129": 2, "32767": 2, "32768": 3}


def test_the_widest_numeric_keeps_every_digit() -> None:
    text = "9" * 131072 + "." + "9" * 500
    assert codec("numeric", typmod=numeric(1000, 500)).value(text) == Decimal(text)
    value = codec("numeric").value(text)
    assert value["scale"] == 500
    assert Decimal(int.from_bytes(value["value"], "big", signed=True)) == Decimal("9" * 131572)


@pytest.mark.parametrize(
    ("type_name", "typmod", "options", "text"),
    [
        ("numeric", numeric(10, 2), DEFAULT, "NaN"),
        ("numeric", -1, DEFAULT, "Infinity"),
        ("_numeric", -1, DEFAULT, "{1,NaN}"),
        ("_int4", -1, DEFAULT, "{{1,2},{3,4}}"),
        ("_int4", -1, DEFAULT, "[0:1][0:0]={{1},{2}}"),
        ("_int4", -1, SYNC, "{1,2"),
        ("_text", -1, SYNC, '{"a}'),
        ("_text", -1, SYNC, "{a}}"),
        ("interval", -1, DEFAULT, "178000000 years"),
        ("interval", -1, DEFAULT, "infinity"),
        ("interval", -1, SYNC, "@ 1 hour ago"),
        ("date", -1, CONNECT, "0044-03-15 BC"),
        ("date", -1, DEFAULT, "15.09.2017"),
        ("time", -1, CONNECT, "24:00:00"),
        ("timestamp", -1, CONNECT, "infinity"),
        ("timestamp", -1, NANOS, "2500-01-01 00:00:00"),
        ("timestamptz", -1, SYNC, "2020-01-01 12:00:00+02"),
        ("timestamptz", -1, DEFAULT, "2020-01-01 12:00:00+05:30"),
        ("hstore", -1, DEFAULT, "a=>1"),
        ("bytea", -1, DEFAULT, "\\x0g"),
        ("money", -1, DEFAULT, "$"),
    ],
)
def test_what_has_no_place_is_an_error(type_name: str, typmod: int, options: TypeOptions, text: str) -> None:
    with pytest.raises(DataError):
        codec(type_name, options, typmod).value(text)


def test_geometry_structs() -> None:
    point = values(codec("point"), "(1.5,-2)")
    assert (point["x"], point["y"], point["srid"]) == (1.5, -2.0, None)
    assert point["wkb"].hex() == "0101000000000000000000f83f00000000000000c0"
    assert codec("line").value("{1,2,3}") == {"a": 1, "b": 2, "c": 3}
    assert codec("circle").value("<(1,2),3>")["radius"] == 3
    assert codec("path").value("[(1,2),(3,4)]")["extensions"] == {"type": "path", "closed": "false"}
    assert len(codec("polygon").value("((0,0),(1,0),(1,1))")["wkb"]) == 13 + 4 * 16
    geometry = codec("geometry").value("0101000020E6100000000000000000F03F0000000000000040")
    assert geometry == {"wkb": bytes.fromhex("0101000000000000000000F03F0000000000000040"), "srid": 4326}
    assert codec("sparsevec").value("{1:1.5,3:2}/5") == {"dimensions": 5, "vector": {1: 1.5, 3: 2.0}}


def test_enum() -> None:
    facts = TypeFacts("enum", "public", name="mood", labels=("sad", "ok"))
    made = codec("mood", SYNC, facts=facts)
    assert made.schema.name == logical.DBZ_ENUM
    assert made.schema.parameters["allowed"] == "sad,ok"
    assert (made.decode, made.filler) == (None, "sad")
    array = codec("_mood", DEFAULT, facts=TypeFacts("array", "public", element=facts))
    assert array.schema.value_schema is not None
    assert array.schema.value_schema.name == logical.DBZ_ENUM
    assert array.value("{sad,NULL}") == ["sad", None]


def test_domains_are_their_base_types() -> None:
    amount = TypeFacts("domain", "public", base_name="numeric", base_oid=1700, base_typmod=numeric(6, 2))
    made = codec("amount", facts=amount)
    assert made.schema.parameters["scale"] == "2"
    assert made.value("1.25") == Decimal("1.25")
    enum = TypeFacts("enum", "public", name="mood", labels=("sad",))
    over_enum = TypeFacts("domain", "public", base_name="mood", base_oid=9, base=enum)
    assert codec("moods", facts=over_enum).schema.name == logical.DBZ_ENUM
    of_domain = TypeFacts("array", "public", element=replace(amount, name="amount"))
    assert codec("_amount", facts=of_domain).value("{1.25}") == [Decimal("1.25")]
    over_array = TypeFacts(
        "domain", base_name="_int4", base=TypeFacts("array", element=TypeFacts(name="int4"))
    )
    assert codec("ints", facts=over_array).value("{1}") == [1]


def test_propagated_parameters() -> None:
    assert codec("varchar", SYNC, 24).schema.parameters == {
        "__debezium.source.column.type": "VARCHAR",
        "__debezium.source.column.length": "20",
        "__debezium.source.column.name": "c",
    }
    parameters = codec("numeric", SYNC, numeric(10, 2)).schema.parameters
    assert parameters["__debezium.source.column.length"] == "10"
    assert parameters["__debezium.source.column.scale"] == "2"
    assert codec("_int4", SYNC).schema.parameters["__debezium.source.column.type"] == "_INT4"
    bits = codec("bit", SYNC, 9).schema.parameters
    assert (bits["length"], bits["__debezium.source.column.length"]) == ("9", "9")
    assert codec("text", DEFAULT).schema.parameters == {}
    domain = TypeFacts("domain", base_name="varchar", base_typmod=9)
    assert codec("word", SYNC, facts=domain).schema.parameters["__debezium.source.column.length"] == "5"
    only = TypeOptions(propagate_columns=Patterns("p", r"public\.t\.c"))
    assert codec("text", only).schema.parameters["__debezium.source.column.type"] == "TEXT"


def test_placeholders() -> None:
    assert codec("text").placeholder == PLACEHOLDER
    assert codec("bytea").placeholder == PLACEHOLDER.encode()
    assert codec("json").placeholder == PLACEHOLDER
    assert codec("_text").placeholder == [PLACEHOLDER]
    assert codec("_bytea").placeholder == [PLACEHOLDER.encode()]
    assert codec("_int4").placeholder == list(PLACEHOLDER.encode())
    assert codec("_date").placeholder == list(PLACEHOLDER.encode())
    assert codec("_uuid").placeholder[0][14] == "3"
    assert codec("hstore").placeholder == json.dumps({PLACEHOLDER: PLACEHOLDER}, separators=(",", ":"))
    assert codec("hstore", replace(DEFAULT, hstore="map")).placeholder == {PLACEHOLDER: PLACEHOLDER}
    for type_name in ("_int4", "_text", "hstore", "numeric", "json", "tsvector", "pg_node_tree"):
        assert codec(type_name, SYNC).placeholder == PLACEHOLDER
    assert codec("bytea", replace(DEFAULT, binary="hex")).placeholder == PLACEHOLDER
    decimal = codec("numeric", typmod=numeric(10, 2)).placeholder
    assert decimal.as_tuple().exponent == -2
    assert TypeOptions.from_config({"unavailable.value.placeholder": "hex:5f5f"}).placeholder == "__"


@pytest.mark.parametrize("options", [DEFAULT, SYNC], ids=["default", "sync"])
def test_fillers_fit_their_schemas(options: TypeOptions) -> None:
    from replicator.api.struct import check_value

    for type_name in sorted({v[0] for v in VALUES} | {"point", "box", "polygon", "path", "lseg", "line"}):
        made = codec(type_name, replace(options, include_unknown=True), optional=False)
        check_value(made.schema, made.filler, type_name)
        assert made.filler is not None


def test_unknown_types(caplog: pytest.LogCaptureFixture) -> None:
    column = Column("c", 1, "pg_lsn")
    assert column_codec(column, DEFAULT, "public.t") is None
    assert "public.t.c has type pg_lsn and is left out" in caplog.text
    assert codec("pg_lsn", SYNC).schema.type is SchemaType.STRING
    composite = TypeFacts("composite", "public", name="pair")
    assert column_codec(Column("c", 1, "pair", type_facts=composite), DEFAULT) is None


def test_key_columns_are_never_left_out_and_generated_ones_always() -> None:
    table = Table(
        "public",
        "t",
        (
            Column("id", 1, "pg_lsn", optional=False, key_position=1),
            Column("other", 1, "pg_lsn"),
            Column("twice", 23, "int4", generated=True),
            Column("n", 23, "int4"),
        ),
    )
    assert list(table_codecs(table, DEFAULT)) == ["id", "n"]


def test_options_of_a_configuration() -> None:
    assert TypeOptions.from_config({}) == DEFAULT
    options = TypeOptions.from_config(
        {"decimal.handling.mode": "string", "include.unknown.datatypes": True, "money.fraction.digits": 0}
    )
    assert (options.decimals, options.include_unknown, options.money_digits) == ("string", True, 0)
    assert options.propagate_types is None
