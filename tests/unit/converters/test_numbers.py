"""Converters of text, bytes, numbers and booleans, by tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replicator.api.converter import Converter
from replicator.api.errors import ConfigError, DataError
from replicator.api.schema import INT32, STRING, SchemaType, struct_schema
from replicator.api.struct import Struct
from replicator.converters.numbers import (
    BooleanConverter,
    DoubleConverter,
    FloatConverter,
    IntegerConverter,
    LongConverter,
    ShortConverter,
)
from replicator.converters.text import ByteArrayConverter, StringConverter

TABLE: list[tuple[type[Converter], Any, bytes]] = [
    (ShortConverter, 300, b"\x01\x2c"),
    (IntegerConverter, -2, b"\xff\xff\xff\xfe"),
    (LongConverter, 1, b"\x00\x00\x00\x00\x00\x00\x00\x01"),
    (FloatConverter, 1.5, b"\x3f\xc0\x00\x00"),
    (DoubleConverter, 1.5, b"\x3f\xf8\x00\x00\x00\x00\x00\x00"),
    (BooleanConverter, True, b"\x01"),
    (BooleanConverter, False, b"\x00"),
    (StringConverter, "\u20ac", b"\xe2\x82\xac"),
    (ByteArrayConverter, b"\x00\xff", b"\x00\xff"),
]


@pytest.mark.parametrize(("cls", "value", "data"), TABLE)
def test_writes_and_reads(cls: type[Converter], value: Any, data: bytes) -> None:
    subject = cls()
    assert subject.from_connect_data("t", None, value) == data
    read = subject.to_connect_data("t", data)
    assert read.value == value
    assert read.schema is not None
    assert read.schema.optional


@pytest.mark.parametrize("cls", sorted({row[0] for row in TABLE}, key=lambda c: c.__name__))
def test_null_stays_null(cls: type[Converter]) -> None:
    assert cls().from_connect_data("t", None, None) is None
    assert cls().to_connect_data("t", None).value is None


UNREADABLE: list[tuple[type[Converter], bytes]] = [
    (ShortConverter, b"\x00"),
    (IntegerConverter, b"\x00" * 5),
    (LongConverter, b""),
    (FloatConverter, b"\x00" * 8),
    (DoubleConverter, b"\x00" * 4),
    (BooleanConverter, b"\x02"),
    (BooleanConverter, b"\x00\x00"),
    (StringConverter, b"\xff"),
]


@pytest.mark.parametrize(("cls", "data"), UNREADABLE)
def test_unreadable(cls: type[Converter], data: bytes) -> None:
    with pytest.raises(DataError):
        cls().to_connect_data("t", data)


UNWRITABLE: list[tuple[type[Converter], Any, Any]] = [
    (ShortConverter, None, 2**15),
    (IntegerConverter, None, "1"),
    (LongConverter, None, True),
    (DoubleConverter, None, "x"),
    (BooleanConverter, None, 1),
    (BooleanConverter, STRING, True),
    (ByteArrayConverter, STRING, b""),
    (ByteArrayConverter, None, "text"),
    (StringConverter, None, b"bytes"),
    (StringConverter, None, "\ud800"),
]


@pytest.mark.parametrize(("cls", "schema", "value"), UNWRITABLE)
def test_unwritable(cls: type[Converter], schema: Any, value: Any) -> None:
    with pytest.raises(DataError):
        cls().from_connect_data("t", schema, value)


STRUCT = struct_schema([("a", INT32), ("b", STRING)])
TEXTS: list[tuple[Any, str]] = [
    (True, "true"),
    (12, "12"),
    (Decimal("1.50"), "1.50"),
    (1.5, "1.5"),
    (float("-inf"), "-Infinity"),
    ([1, "x", None], "[1, x, null]"),
    ({"k": 1}, "{k=1}"),
    (Struct(STRUCT, {"a": 1, "b": "x"}), "Struct{a=1,b=x}"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_text_of_other_values(value: Any, text: str) -> None:
    assert StringConverter().from_connect_data("t", None, value) == text.encode()


def test_other_encodings() -> None:
    subject = StringConverter()
    subject.configure({"converter.encoding": "ISO-8859-1"}, is_key=True)
    assert subject.from_connect_data("t", None, "\u00e9") == b"\xe9"
    assert subject.to_connect_data("t", b"\xe9").value == "\u00e9"
    with pytest.raises(DataError):
        subject.from_connect_data("t", None, "\u20ac")
    with pytest.raises(ConfigError, match="no-such-charset"):
        subject.configure({"converter.encoding": "no-such-charset"}, is_key=True)


def test_they_are_header_converters_too() -> None:
    assert LongConverter().from_connect_header("t", "h", None, 1) == b"\x00" * 7 + b"\x01"
    assert StringConverter().to_connect_header("t", "h", b"1").value == "1"


@given(st.integers(-(2**63), 2**63 - 1))
def test_longs_round_trip(value: int) -> None:
    subject = LongConverter()
    assert subject.to_connect_data("t", subject.from_connect_data("t", None, value)).value == value


@given(st.floats(allow_nan=False))
def test_doubles_round_trip(value: float) -> None:
    subject = DoubleConverter()
    read = subject.to_connect_data("t", subject.from_connect_data("t", None, value))
    assert read.value == value
    assert read.schema is not None
    assert read.schema.type is SchemaType.FLOAT64
