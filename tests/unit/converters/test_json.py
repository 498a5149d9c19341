"""JsonConverter: tables of JSON in and out, exactness, nulls and defaults."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

import orjson
import pytest

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
    OPTIONAL_BYTES,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT32,
    OPTIONAL_STRING,
    STRING,
    Schema,
    SchemaType,
    array_schema,
    map_schema,
    struct_schema,
)
from replicator.api.struct import Struct
from tests.unit.converters.json_samples import NESTED, PERSON, converter

TABLE: list[tuple[Schema, Any, str, str]] = [
    (BOOLEAN, True, '{"type":"boolean","optional":false}', "true"),
    (INT8, 12, '{"type":"int8","optional":false}', "12"),
    (INT16, -12, '{"type":"int16","optional":false}', "-12"),
    (INT32, 0, '{"type":"int32","optional":false}', "0"),
    (INT64, 2**63 - 1, '{"type":"int64","optional":false}', "9223372036854775807"),
    (INT64, -(2**63), '{"type":"int64","optional":false}', "-9223372036854775808"),
    (FLOAT32, 12.5, '{"type":"float","optional":false}', "12.5"),
    (FLOAT64, 0.1, '{"type":"double","optional":false}', "0.1"),
    (FLOAT64, math.inf, '{"type":"double","optional":false}', '"Infinity"'),
    (FLOAT64, -math.inf, '{"type":"double","optional":false}', '"-Infinity"'),
    (STRING, 'a"\\\n\u20ac\x00', '{"type":"string","optional":false}', '"a\\"\\\\\\n\u20ac\\u0000"'),
    (BYTES, b"test-string", '{"type":"bytes","optional":false}', '"dGVzdC1zdHJpbmc="'),
    (OPTIONAL_STRING, None, '{"type":"string","optional":true}', "null"),
    (
        array_schema(INT32),
        [1, 2, 3],
        '{"type":"array","items":{"type":"int32","optional":false},"optional":false}',
        "[1,2,3]",
    ),
    (
        map_schema(STRING, INT32),
        {"k": 12},
        '{"type":"map","keys":{"type":"string","optional":false},'
        '"values":{"type":"int32","optional":false},"optional":false}',
        '{"k":12}',
    ),
    (
        map_schema(INT32, OPTIONAL_BYTES),
        {1: b"a", 2: None},
        '{"type":"map","keys":{"type":"int32","optional":false},'
        '"values":{"type":"bytes","optional":true},"optional":false}',
        '[[1,"YQ=="],[2,null]]',
    ),
    (
        PERSON,
        Struct(PERSON, {"id": 1, "name": None}),
        '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},'
        '{"type":"string","optional":true,"field":"name"}],"optional":false,"name":"db.Customer"}',
        '{"id":1,"name":null}',
    ),
    (
        Schema(SchemaType.STRING, name="n", version=2, doc="d", parameters={"a": "b"}, default="x"),
        "y",
        '{"type":"string","optional":false,"name":"n","version":2,"doc":"d","parameters":{"a":"b"},"default":"x"}',
        '"y"',
    ),
    (
        decimal_schema(2),
        Decimal("1.56"),
        '{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal",'
        '"version":1,"parameters":{"scale":"2"}}',
        '"AJw="',
    ),
    (
        date_schema(),
        dt.date(1970, 4, 11),
        '{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1}',
        "100",
    ),
    (
        time_schema(),
        dt.time(4, 0, 0, 7000),
        '{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1}',
        "14400007",
    ),
    (
        timestamp_schema(),
        dt.datetime(1969, 12, 31, 23, 59, 59, 999000),
        '{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1}',
        "-1",
    ),
]


@pytest.mark.parametrize(("schema", "value", "schema_text", "payload"), TABLE)
def test_writes_and_reads(schema: Schema, value: Any, schema_text: str, payload: str) -> None:
    text = f'{{"schema":{schema_text},"payload":{payload}}}'.encode()
    subject = converter()
    assert subject.from_connect_data("t", schema, value) == text
    for _ in range(3):  # unknown schema, then known
        assert subject.to_connect_data("t", text) == (schema, value)


@pytest.mark.parametrize(("schema", "value", "schema_text", "payload"), TABLE)
def test_reads_text_laid_out_differently(schema: Schema, value: Any, schema_text: str, payload: str) -> None:
    message = {"payload": json.loads(payload), "schema": json.loads(schema_text)}
    subject = converter()
    for _ in range(2):
        assert subject.to_connect_data("t", json.dumps(message, indent=1).encode()) == (schema, value)


def test_nan_survives() -> None:
    subject = converter()
    schema = struct_schema([("x", OPTIONAL_FLOAT64), ("y", OPTIONAL_STRING)])
    fields = {"x": math.nan, "y": "a"}
    data = subject.from_connect_data("t", schema, Struct(schema, fields))
    assert data is not None
    assert data.endswith(b'"payload":{"x":"NaN","y":"a"}}')
    assert math.isnan(fields["x"])  # type: ignore[arg-type]  # the record itself is not touched
    assert math.isnan(subject.to_connect_data("t", data).value.get("x"))


def test_nothing_and_tombstones() -> None:
    subject = converter()
    assert subject.from_connect_data("t", None, None) is None
    assert subject.to_connect_data("t", None) == (None, None)
    assert subject.from_connect_data("t", None, {"a": [1, 2.5, b"x"]}) == (
        b'{"schema":null,"payload":{"a":[1,2.5,"eA=="]}}'
    )
    assert subject.to_connect_data("t", b'{"schema":null,"payload":{"a":1}}') == (None, {"a": 1})


def test_nested_structs_as_dicts_and_as_structs() -> None:
    subject = converter()
    row = {"id": 1, "name": "x"}
    plain = subject.from_connect_data("t", NESTED, Struct(NESTED, {"before": None, "after": row, "op": "c"}))
    wrapped = subject.from_connect_data(
        "t", NESTED, Struct(NESTED, {"op": "c", "after": Struct(PERSON, {"name": "x", "id": 1})})
    )
    assert plain == wrapped
    assert plain is not None
    value = subject.to_connect_data("t", plain).value
    assert value.get("after") == Struct(PERSON.as_optional(), row)
    assert list(value.fields) == ["before", "after", "op"]


def test_reading_puts_names_in_order_and_leaves_unknown_ones_out() -> None:
    subject = converter()
    data = subject.from_connect_data("t", PERSON, Struct(PERSON, {"id": 1, "name": "x"}))
    assert data is not None
    odd = data.replace(b'{"id":1,"name":"x"}', b'{"more":3,"name":"x","id":1}')
    assert list(subject.to_connect_data("t", odd).value.fields.items()) == [("id", 1), ("name", "x")]
    absent = data.replace(b'{"id":1,"name":"x"}', b'{"id":1}')
    assert subject.to_connect_data("t", absent).value.fields == {"id": 1, "name": None}


def test_one_bytes_column_converts_only_itself() -> None:
    row = struct_schema([("id", INT64), ("blob", OPTIONAL_BYTES), ("name", OPTIONAL_STRING)], optional=True)
    schema = struct_schema([("before", row), ("after", row)])
    after = {"id": 1, "blob": b"\x00\xff", "name": "n"}
    subject = converter()
    data = subject.from_connect_data("t", schema, Struct(schema, {"before": None, "after": after}))
    assert after["blob"] == b"\x00\xff"
    assert subject.to_connect_data("t", data).value.fields["after"] == after


def test_arrays_of_structs_come_back_as_structs() -> None:
    schema = array_schema(PERSON)
    subject = converter()
    value = [Struct(PERSON, {"id": 1, "name": "a"})]
    data = subject.from_connect_data("t", schema, value)
    assert subject.to_connect_data("t", data).value == value


WITH_DEFAULT = struct_schema([("a", OPTIONAL_INT32.evolve(default=5)), ("b", INT32.evolve(default=6))])


def test_defaults_replace_nulls_unless_told_otherwise() -> None:
    data = converter().from_connect_data("t", WITH_DEFAULT, Struct(WITH_DEFAULT, {"a": None}))
    assert data is not None
    assert orjson.loads(data)["payload"] == {"a": 5, "b": 6}
    keeping = converter(replace_null_with_default="false")
    data = keeping.from_connect_data("t", WITH_DEFAULT, Struct(WITH_DEFAULT, {"a": None, "b": 1}))
    assert data is not None
    assert orjson.loads(data)["payload"] == {"a": None, "b": 1}
    assert keeping.to_connect_data("t", data).value.fields == {"a": None, "b": 1}
    assert converter().to_connect_data("t", data).value.fields == {"a": 5, "b": 1}


def test_numeric_decimals_keep_every_digit() -> None:
    text = "123456789012345678901234567890.123456789012345678901234567890"
    schema = struct_schema([("d", decimal_schema(30)), ("f", FLOAT64), ("i", INT64)])
    subject = converter(decimal_format="numeric")
    data = subject.from_connect_data("t", schema, Struct(schema, {"d": Decimal(text), "f": 0.5, "i": 3}))
    assert data is not None
    assert text.encode() in data
    for _ in range(2):
        fields = subject.to_connect_data("t", data).value.fields
        assert fields == {"d": Decimal(text), "f": 0.5, "i": 3}
        assert type(fields["f"]) is float


def test_what_becomes_of_nulls_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    row = struct_schema([("a", OPTIONAL_STRING.evolve(default="x")), ("b", OPTIONAL_STRING)], name="Row")
    schema = struct_schema([("before", row), ("after", row), ("op", STRING)], name="t.Envelope")
    value = Struct(schema, {"before": {"a": None, "b": None}, "after": {"a": None, "b": None}, "op": "c"})
    for kept, texts in (("true", 1), ("false", 0)):
        caplog.clear()
        json = converter(**{"replace.null.with.default": kept})
        for _ in range(2):
            json.from_connect_data("t", schema, value)
        told = [r.getMessage() for r in caplog.records]
        assert len(told) == texts
        assert all("Nulls in a of t.Envelope are written as the default" in text for text in told)
