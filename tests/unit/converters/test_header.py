"""SimpleHeaderConverter: inference by a table, round trips."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replicator.api.logical import date_schema, decimal_schema, time_schema, timestamp_schema
from replicator.api.schema import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    array_schema,
    map_schema,
    struct_schema,
)
from replicator.api.struct import Struct
from replicator.converters.header import SimpleHeaderConverter

INFERENCE: list[tuple[bytes, Any, Any]] = [
    (b"null", None, None),
    (b"", STRING, ""),
    (b"true", BOOLEAN, True),
    (b"false", BOOLEAN, False),
    (b"True", STRING, "True"),
    (b"1", INT8, 1),
    (b"-128", INT8, -128),
    (b"128", INT16, 128),
    (b"40000", INT32, 40000),
    (b"3000000000", INT64, 3000000000),
    (b"1.0", INT8, 1),
    (b"1.5", FLOAT32, 1.5),
    (b"0.1", FLOAT32, 0.1),
    (b"3.4028235E38", FLOAT32, 3.4028235e38),
    (b"1.23456789", FLOAT64, 1.23456789),
    (b".5", STRING, ".5"),
    (b"[1,2.5]", array_schema(FLOAT32), [1.0, 2.5]),
    (b"[1,]", array_schema(INT8), [1]),
    (b"9223372036854775808", decimal_schema(0), Decimal(2**63)),
    (b"3.14159265358979323846", decimal_schema(20), Decimal("3.14159265358979323846")),
    (b"1e999999999", decimal_schema(-999999999), Decimal("1e999999999")),
    (b"2019-08-23", date_schema(), dt.date(2019, 8, 23)),
    (b"2019-02-30", STRING, "2019-02-30"),
    (b"1970-01-01", date_schema(), dt.date(1970, 1, 1)),
    (b"12:30", STRING, "12:30"),
    (b"1,2", STRING, "1,2"),
    (b"[1]x", STRING, "[1]x"),
    (b"14:34:54.346Z", time_schema(), dt.time(14, 34, 54, 346000)),
    (b"2019-08-23T14:34:54.346Z", timestamp_schema(), dt.datetime(2019, 8, 23, 14, 34, 54, 346000)),
    (b"[1, 2, 3]", array_schema(INT8), [1, 2, 3]),
    (b"[1, 300]", array_schema(INT16), [1, 300]),
    (b'["a,b", "c\\"d"]', array_schema(STRING), ["a,b", 'c"d']),
    (b'[1, "x"]', None, [1, "x"]),
    (b"[]", None, []),
    (b'{"a":1,"b":2}', map_schema(STRING, INT8), {"a": 1, "b": 2}),
    (b"[bare]", STRING, "[bare]"),
    (b"[1,2", STRING, "[1,2"),
    (b"[1] more", STRING, "[1] more"),
    (b"a string", STRING, "a string"),
    (b'"quoted"', STRING, '"quoted"'),
    (b"\xff\xfe", BYTES, b"\xff\xfe"),
]


@pytest.mark.parametrize(("data", "schema", "value"), INFERENCE)
def test_inference(data: bytes, schema: Any, value: Any) -> None:
    read = SimpleHeaderConverter().to_connect_header("t", "h", data)
    assert read == (schema, value)
    assert type(read.value) is type(value)


STRUCT = struct_schema([("a", INT32), ("b", STRING)])
WRITING: list[tuple[Any, bytes | None]] = [
    (None, None),
    ("plain", b"plain"),
    (True, b"true"),
    (12, b"12"),
    (1e10, b"1.0E10"),
    (-1.5e-5, b"-1.5E-5"),
    (9999999.0, b"9999999.0"),
    (0.001, b"0.001"),
    (b"\x00", b"AA=="),
    (dt.date(2020, 1, 2), b"2020-01-02"),
    (dt.date(1970, 1, 1), b"1970-01-01"),
    (dt.datetime(2020, 1, 2, 3, 4, 5, 6000), b"2020-01-02T03:04:05.006Z"),
    (["a", 1, None], b'["a",1,null]'),
    ({"k": [1]}, b'{"k":[1]}'),
    (Struct(STRUCT, {"a": 1, "b": "x"}), b'{"a":1,"b":"x"}'),
]


@pytest.mark.parametrize(("value", "data"), WRITING)
def test_writing(value: Any, data: bytes | None) -> None:
    assert SimpleHeaderConverter().from_connect_header("t", "h", None, value) == data


def test_deep_nesting_is_a_string() -> None:
    text = "[" * 100_000
    assert SimpleHeaderConverter().to_connect_header("t", "h", text.encode()).value == text


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_can_be_read(text: str) -> None:
    SimpleHeaderConverter().to_connect_header("t", "h", text.encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@given(st.lists(VALUES))
def test_containers_round_trip(value: list[Any]) -> None:
    subject = SimpleHeaderConverter()
    data = subject.from_connect_header("t", "h", None, value)
    assert subject.to_connect_header("t", "h", data).value == value
