"""JsonConverter: tables of JSON in and out, exactness, errors, caches."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replicator.api.errors import DataError
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
from replicator.converters.json import ENVELOPE_ERROR, JsonConverter


def converter(**options: Any) -> JsonConverter:
    made = JsonConverter()
    made.configure({k.replace("_", "."): v for k, v in options.items()}, is_key=False)
    return made


PERSON = struct_schema([("id", INT32), ("name", OPTIONAL_STRING)], name="db.Customer")
NESTED = struct_schema([("before", PERSON.as_optional()), ("after", PERSON.as_optional()), ("op", STRING)])

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


NULLS: list[tuple[Schema, Any]] = [
    (STRING, None),
    (PERSON, Struct(PERSON, {"id": None, "name": "x"})),
    (array_schema(INT32), [None]),
    (NESTED, Struct(NESTED, {"before": {"id": None, "name": None}, "after": None, "op": "d"})),
]


@pytest.mark.parametrize(("schema", "value"), NULLS)
def test_null_where_a_value_is_required(schema: Schema, value: Any) -> None:
    with pytest.raises(DataError, match="null value for field that is required and has no default value"):
        converter().from_connect_data("t", schema, value)


def test_required_null_when_reading() -> None:
    subject = converter()
    data = subject.from_connect_data("t", PERSON, Struct(PERSON, {"id": 1, "name": "x"}))
    assert data is not None
    subject.to_connect_data("t", data)
    with pytest.raises(DataError, match="Invalid null value for required INT32 field"):
        subject.to_connect_data("t", data.replace(b'"id":1', b'"id":null'))


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


BAD: list[tuple[bytes, str]] = [
    (b"{}", ENVELOPE_ERROR),
    (b"[]", ENVELOPE_ERROR),
    (b'{"schema":null}', ENVELOPE_ERROR),
    (b'{"schema":null,"payload":1,"more":2}', ENVELOPE_ERROR),
    (b"not json", "Converting byte[] to Kafka Connect data failed due to serialization error: "),
    (b"", ENVELOPE_ERROR),
    (
        b'{"schema":{"type":"int32"},"payload":"x"}',
        "Invalid type for INT32: expected an integer but was STRING",
    ),
    (
        b'{"schema":{"type":"int32"},"payload":1.5}',
        "Invalid type for INT32: expected an integer but was NUMBER",
    ),
    (
        b'{"schema":{"type":"int64"},"payload":123456789012345678901}',
        "Invalid type for INT64: expected an integer",
    ),
    (
        b'{"schema":{"type":"string"},"payload":5}',
        "Invalid type for STRING: expected a string but was NUMBER",
    ),
    (
        b'{"schema":{"type":"boolean"},"payload":1}',
        "Invalid type for BOOLEAN: expected a boolean but was NUMBER",
    ),
    (
        b'{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":{"a":true}}',
        "Invalid type for INT32: expected an integer but was BOOLEAN",
    ),
    (
        b'{"schema":{"type":"array","items":{"type":"string","optional":true}},"payload":[5]}',
        "Invalid type for STRING",
    ),
    (
        b'{"schema":{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}},"payload":{"a":"x"}}',
        "Invalid type for INT8",
    ),
    (
        b'{"schema":{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"int8","field":"a"}]},"payload":{}}',
        "Cannot create field because of field name duplication a",
    ),
    (
        b'{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date"},"payload":3000000000}',
        "Invalid type for Date, underlying representation should be integer but was NUMBER",
    ),
    (b'{"schema":{},"payload":1}', "Schema must contain 'type' field"),
    (b'{"schema":{"type":"duck"},"payload":1}', "Unknown schema type: duck"),
    (b'{"schema":{"type":"array"},"payload":1}', "Array schema did not specify the element type"),
    (b'{"schema":{"type":"struct"},"payload":1}', 'Struct schema\'s "fields" argument is not an array.'),
    (
        b'{"schema":{"type":"struct","fields":[{"type":"int8"}]},"payload":1}',
        "Struct schema's field name not specified properly",
    ),
    (
        b'{"schema":{"type":"string","parameters":{"a":1}},"payload":"x"}',
        "Schema parameters must have string values.",
    ),
]


@pytest.mark.parametrize(("data", "message"), BAD)
def test_bad_messages(data: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        converter().to_connect_data("t", data)
    assert caught.value.message.startswith(message)


def test_a_known_schema_does_not_hide_bad_ends() -> None:
    subject = converter()
    good = subject.from_connect_data("t", STRING, "x")
    assert good is not None
    subject.to_connect_data("t", good)
    assert subject.to_connect_data("t", good + b"\n").value == "x"
    for bad in (good[:-1], good[:-1] + b',"more":1}', good + b"}", good[:-1] + b"1"):
        with pytest.raises(DataError):
            subject.to_connect_data("t", bad)


UNWRITABLE: list[tuple[Schema | None, Any]] = [
    (STRING, "\ud800"),
    (INT64, 2**70),
    (STRING, Decimal(1)),
    (STRING, dt.datetime(2020, 1, 1)),
    (None, Decimal(1)),
    (decimal_schema(2), Decimal("1.5")),
    (decimal_schema(2), Decimal("NaN")),
    (date_schema(), dt.datetime(2020, 1, 1)),
    (PERSON, "text"),
    (PERSON, Struct(PERSON, {"id": 1, "unknown": 2})),
]


@pytest.mark.parametrize(("schema", "value"), UNWRITABLE)
def test_values_without_a_json_form(schema: Schema | None, value: Any) -> None:
    with pytest.raises(DataError):
        converter().from_connect_data("t", schema, value)


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


CONTENT = '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false}'


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


def test_a_whole_number_may_come_as_a_float() -> None:
    data = b'{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":{"a":1.0}}'
    found = converter().to_connect_data("t", data).value.fields["a"]
    assert (type(found), found) == (int, 1)
