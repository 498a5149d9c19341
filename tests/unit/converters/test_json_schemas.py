"""JsonConverter: schemas of all kinds in turn, without schemas, and the schema of schema.content."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replicator.api.errors import DataError
from replicator.api.logical import date_schema, decimal_schema
from replicator.api.schema import (
    BOOLEAN,
    INT32,
    INT64,
    OPTIONAL_BYTES,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT32,
    OPTIONAL_STRING,
    Schema,
    SchemaType,
    map_schema,
    struct_schema,
)
from replicator.api.struct import Struct
from tests.unit.converters.json_samples import CONTENT, PERSON, converter


def test_without_schemas() -> None:
    subject = converter(schemas_enable="false")
    assert subject.from_connect_data("t", PERSON, Struct(PERSON, {"id": 1})) == b'{"id":1,"name":null}'
    assert subject.from_connect_data("t", OPTIONAL_STRING, None) == b"null"
    assert subject.from_connect_data("t", None, {"a": math.nan}) == b'{"a":"NaN"}'
    assert subject.to_connect_data("t", b'{"a":[1,2.0,null,true]}') == (None, {"a": [1, 2.0, None, True]})


def test_interleaved_and_equal_schemas() -> None:
    subject = converter(schemas_cache_size=2)
    schemas = [struct_schema([(f"c{i}", INT32)]) for i in range(5)] * 3
    for number, schema in enumerate(schemas):
        name = schema.fields[0].name
        data = subject.from_connect_data("t", schema.evolve(), Struct(schema, {name: number}))
        assert subject.to_connect_data("t", data) == (schema, Struct(schema, {name: number}))


def test_a_schema_whose_text_holds_the_boundary() -> None:
    schema = Schema(
        SchemaType.STRING, parameters={"a": "b", "payload": 'x},"payload":'}, default=',"payload":'
    )
    subject = converter()
    for _ in range(3):
        data = subject.from_connect_data("t", schema, "v")
        assert subject.to_connect_data("t", data) == (schema, "v")
        assert converter().to_connect_data("t", data) == (schema, "v")


FIELD = st.sampled_from(
    [
        (OPTIONAL_INT32, st.none() | st.integers(-(2**31), 2**31 - 1)),
        (INT64, st.integers(-(2**63), 2**63 - 1)),
        (OPTIONAL_STRING, st.none() | st.text(st.characters(codec="utf-8"))),
        (OPTIONAL_BYTES, st.none() | st.binary()),
        (OPTIONAL_FLOAT64, st.none() | st.floats(allow_nan=False)),
        (decimal_schema(3), st.integers(-(10**40), 10**40).map(lambda i: Decimal(f"{i}e-3"))),
        (date_schema(optional=True), st.none() | st.dates()),
        (
            map_schema(INT32, OPTIONAL_FLOAT64),
            st.dictionaries(st.integers(-5, 5), st.floats(allow_nan=False) | st.none()),
        ),
    ]
)


@given(st.data(), st.booleans())
def test_round_trip(data: st.DataObject, numeric: bool) -> None:
    columns = data.draw(st.lists(FIELD, min_size=0, max_size=6))
    names = data.draw(
        st.lists(
            st.text(st.characters(codec="utf-8"), max_size=8),
            min_size=len(columns),
            max_size=len(columns),
            unique=True,
        )
    )
    row = struct_schema([(n, s) for n, (s, _) in zip(names, columns, strict=True)], optional=True)
    schema = struct_schema([("row", row), ("x", BOOLEAN)])
    fields = {n: data.draw(v) for n, (_, v) in zip(names, columns, strict=True)}
    subject = converter(decimal_format="NUMERIC" if numeric else "BASE64")
    written = subject.from_connect_data("t", schema, Struct(schema, {"row": dict(fields), "x": True}))
    read = subject.to_connect_data("t", written)
    assert read.schema == schema
    assert read.value.fields == {"row": fields, "x": True}


def test_deep_schemas_compile_quickly() -> None:
    schema, value = INT32, 1
    for _ in range(40):
        schema = struct_schema([("a", schema), ("b", OPTIONAL_STRING)])
        value = {"a": value, "b": None}  # type: ignore[assignment]
    subject = converter()
    data = subject.from_connect_data("t", schema, value)
    assert subject.to_connect_data("t", data).value.plain() == value


def test_schema_content_is_the_schema_of_all_messages() -> None:
    made = converter(**{"schema.content": CONTENT})
    schema = struct_schema([("a", INT32)])
    assert made.to_connect_data("t", b'{"a":5}') == (schema, Struct(schema, {"a": 5}))
    assert made.form() is None
    with pytest.raises(DataError, match="Invalid null value for required INT32 field"):
        made.to_connect_data("t", b'{"schema":{"type":"int32"},"payload":5}')
    with pytest.raises(
        DataError, match="Failed to parse schema in converter config due to serialization error: "
    ):
        converter(**{"schema.content": "{"})
    with pytest.raises(DataError, match="Unknown schema type: nope"):
        converter(**{"schema.content": '{"type":"nope"}'})


def test_schema_content_means_nothing_without_schemas() -> None:
    made = converter(**{"schema.content": CONTENT, "schemas.enable": "false"})
    assert made.to_connect_data("t", b'{"a":5}') == (None, {"a": 5})


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"007", 7),
        (b'[-01, 00.5, "007", 10, 1e05]', [-1, 0.5, "007", 10, 1e5]),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b"", None),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (
            b'{"a":["00000000000000000000", -123456789012345678901]}',
            {"a": ["0" * 20, -123456789012345678901]},
        ),
    ],
)
def test_plain_payloads_that_need_care(data: bytes, value: Any) -> None:
    assert converter(**{"schemas.enable": "false"}).to_connect_data("t", data) == (None, value)
