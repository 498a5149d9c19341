"""Envelopes whose source block stays text: they mean what fully read ones mean, whatever stands in their strings."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jdbc.change import Change
from connectors.jdbc.plan import Planner
from replicator.api import ConnectError, DataError, Schema, SinkRecord, Struct, UnreadEnvelope
from replicator.api.schema import (
    INT64,
    OPTIONAL_BYTES,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    STRING,
    array_schema,
    map_schema,
    struct_schema,
)
from replicator.broker.message import Message
from replicator.converters.header import SimpleHeaderConverter
from replicator.converters.json import JsonConverter
from replicator.runtime.chain import Chain
from replicator.runtime.clock import SystemClock
from replicator.runtime.sink_records import RecordReader
from replicator.runtime.tolerance import ErrorHandler, ErrorPolicy
from replicator.transforms.headers import InsertHeader
from tests.unit.jdbc.test_plan import settings

_KEY = struct_schema([("id", INT64)], name="Key")
_SOURCE = struct_schema([("db", STRING), ("lsn", OPTIONAL_INT64), ("table", STRING)], name="Source")
_BLOCK = struct_schema([("id", STRING)], optional=True)
_PAYLOAD = b'"payload":'
# Texts that look like what is searched for, as far as JSON lets them.
_TRAPS = st.sampled_from(
    [
        'x,"source":{',
        '},"transaction":',
        ',"source":{"db":"',
        '"},"transaction":null',
        "\\",
        '\\"',
        "}",
        "a}b{",
    ]
)
_TEXTS = st.one_of(_TRAPS, st.text(max_size=12), st.none())


def envelope(*more: tuple[str, Schema]) -> Schema:
    fields = [("id", INT64), ("note", OPTIONAL_STRING), ("data", OPTIONAL_BYTES), *more]
    row = struct_schema(fields, optional=True, name="Row")
    return struct_schema(
        [
            ("before", row),
            ("after", row),
            ("source", _SOURCE),
            ("transaction", _BLOCK),
            ("op", STRING),
            ("ts_ms", OPTIONAL_INT64),
        ],
        name="t.Envelope",
    )


def message(schema: Schema, fields: dict[str, Any], offset: int = 0) -> Message:
    json = JsonConverter()
    text = json.from_connect_data("t", schema, Struct(schema, fields))
    assert text is not None
    cut = text.index(_PAYLOAD) + len(_PAYLOAD)
    key = json.from_connect_data("t", _KEY, Struct(_KEY, {"id": 1}))
    return Message("t", 0, offset, 5, key, text[cut:], None, text[:cut])


def fields_of(op: str = "u", note: str | None = "n", db: str = "d", **more: Any) -> dict[str, Any]:
    row = {"id": 1, "note": note, "data": b"\x00\xff"}
    return {
        "before": {**row, "note": None} if op in "ud" else None,
        "after": None if op == "d" else row,
        "source": {"db": db, "lsn": None, "table": "users"},
        "transaction": None,
        "op": op,
        "ts_ms": 7,
        **more,
    }


def reader(*steps: Any) -> RecordReader:
    json = JsonConverter()
    errors = ErrorHandler(ErrorPolicy(), [], SystemClock(), threading.Event())
    return RecordReader(Chain(steps), json, json, SimpleHeaderConverter(), errors)


def unread(*messages: Message) -> list[SinkRecord]:
    # The first message of a schema is read whole, to learn the schema.
    taught = reader()
    taught.leave_source_unread()
    taught.convert(messages[:1])
    return taught.convert(messages)


def the_same(change: Change) -> tuple[Any, ...]:
    return change.op, change.plan.table, change.plan.keys, change.key, change.row, change.other


@given(
    st.sampled_from("crud"),
    _TEXTS,
    st.one_of(_TRAPS, st.text(max_size=8)),
    st.booleans(),
    st.sampled_from("ab"),
)
def test_it_means_what_the_whole_record_means(
    op: str, note: str | None, db: str, in_transaction: bool, tx: str
) -> None:
    block = {"id": tx + db} if in_transaction else None
    sent = message(envelope(), fields_of(op, note, db, transaction=block))
    (whole,), (lazy,) = reader().convert([sent]), unread(sent)
    assert type(lazy.value) is UnreadEnvelope
    for naming in ({"table_naming": "format", "table_format": "users"}, {"table_naming": "source"}):
        expected, found = (Planner(settings(**naming)).plan(record) for record in (whole, lazy))
        assert expected is not None
        assert found is not None
        assert the_same(found) == the_same(expected)
    assert list(lazy.value.fields.items()) == list(whole.value.fields.items())
    assert lazy.value == whole.value


@pytest.mark.parametrize(
    "more",
    [
        ("inner", struct_schema([("source", _SOURCE)], optional=True)),
        ("inner", map_schema(STRING, _SOURCE, optional=True)),
        ("inner", array_schema(_SOURCE, optional=True)),
    ],
    ids=["struct", "map", "array"],
)
def test_rows_with_objects_of_their_own_are_read_whole(more: tuple[str, Schema]) -> None:
    (record,) = unread(message(envelope(more), fields_of()))
    assert type(record.value) is Struct


def test_records_for_transforms_are_read_whole() -> None:
    step = InsertHeader()
    step.configure({"header": "h", "value.literal": "v"})
    transforms = reader((step, None, False))
    transforms.leave_source_unread()
    sent = message(envelope(), fields_of())
    transforms.convert([sent])
    assert [type(r.value) for r in transforms.convert([sent])] == [Struct]


def test_an_envelope_without_its_source_block_is_a_converters_error() -> None:
    good = message(envelope(), fields_of())
    assert good.body is not None
    begin, end = good.body.index(b'"source"'), good.body.index(b'"transaction"')
    bad = Message("t", 0, 1, 5, good.key, good.body[:begin] + good.body[end:], None, good.prefix)
    with pytest.raises(ConnectError, match="VALUE_CONVERTER"):
        unread(good, bad)


@pytest.mark.parametrize(
    "source", [b'{"db":5,"lsn":null,"table":"users"}', b'{"db":nonsense}', b'{"db":null}']
)
def test_a_bad_source_block_is_told_when_it_is_looked_at(source: bytes) -> None:
    good = message(envelope(), fields_of())
    assert good.body is not None
    found = orjson.dumps(orjson.loads(good.body[:-1])["source"])
    bad = Message("t", 0, 1, 5, good.key, good.body.replace(found, source), None, good.prefix)
    record = unread(good, bad)[1]
    by_topic = Planner(settings(table_naming="format", table_format="users")).plan(record)
    assert by_topic is not None
    assert by_topic.row["note"] == "n"
    with pytest.raises(DataError):
        Planner(settings(table_naming="source")).plan(record)
    assert reader().commit_times([record]) == ()  # only a figure
