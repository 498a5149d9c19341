"""JsonConverter: messages that are not what the schema says, and values that have no JSON form."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from replicator.api.errors import DataError
from replicator.api.logical import date_schema, decimal_schema
from replicator.api.schema import (
    INT64,
    STRING,
    Schema,
)
from replicator.api.struct import Struct
from replicator.converters.json import ENVELOPE_ERROR
from tests.unit.converters.json_samples import NULLS, PERSON, converter


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


def test_a_whole_number_may_come_as_a_float() -> None:
    data = b'{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":{"a":1.0}}'
    found = converter().to_connect_data("t", data).value.fields["a"]
    assert (type(found), found) == (int, 1)
