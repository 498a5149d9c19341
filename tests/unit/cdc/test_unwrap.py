"""ExtractNewRecordState: every mode, added fields and headers, routing, dropped fields."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.cdc.unwrap import ExtractNewRecordState, parse_reference
from replicator.api.errors import ConfigError, DataError
from replicator.api.record import ConnectRecord, Header, SinkRecord
from replicator.api.schema import (
    INT32,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    STRING,
    array_schema,
    struct_schema,
)
from replicator.api.struct import Struct

ROW = struct_schema([("id", INT32), ("name", OPTIONAL_STRING)], name="p.public.t.Value", optional=True)
KEY = struct_schema([("id", INT32)], name="p.public.t.Key")
SOURCE = struct_schema([("table", STRING), ("ts_ms", OPTIONAL_INT64), ("lsn", OPTIONAL_INT64)])
TRANSACTION = struct_schema([("id", STRING), ("total_order", OPTIONAL_INT64)], optional=True)
ENVELOPE = struct_schema(
    [
        ("before", ROW),
        ("after", ROW),
        ("source", SOURCE),
        ("transaction", TRANSACTION),
        ("op", STRING),
        ("ts_ms", OPTIONAL_INT64),
    ],
    name="p.public.t.Envelope",
)
AFTER = {"id": 1, "name": "new"}
BEFORE = {"id": 1, "name": "old"}


def transform(**options: str) -> ExtractNewRecordState:
    made = ExtractNewRecordState()
    made.configure({name.replace("_", "."): value for name, value in options.items()})
    return made


def event(op: str, **changes: Any) -> ConnectRecord:
    fields = {
        "before": BEFORE if op == "d" else None,
        "after": None if op in "dt" else AFTER,
        "source": {"table": "t", "ts_ms": 7, "lsn": 9},
        "transaction": {"id": "tx", "total_order": 3},
        "op": op,
        "ts_ms": 8,
    } | changes
    key = Struct(KEY, {"id": 1})
    return SinkRecord("p.public.t", 0, KEY, key, ENVELOPE, Struct(ENVELOPE, fields), 5)


def tombstone() -> ConnectRecord:
    return SinkRecord("p.public.t", 0, KEY, Struct(KEY, {"id": 1}), None, None, 6)


MODES: list[tuple[str, Any, Any, Any, bool]] = [
    # mode, value of a delete, its schema, extra field of other rows, tombstone kept
    ("drop", "dropped", None, {}, False),
    ("tombstone", None, ROW, {}, False),
    ("delete-to-tombstone", None, None, {}, False),
    ("rewrite", BEFORE | {"__deleted": "true"}, "built", {"__deleted": "false"}, False),
    ("rewrite-with-tombstone", BEFORE | {"__deleted": "true"}, "built", {"__deleted": "false"}, True),
]


@pytest.mark.parametrize(("mode", "deleted", "schema", "extra", "kept"), MODES)
def test_modes(mode: str, deleted: Any, schema: Any, extra: dict[str, str], kept: bool) -> None:
    subject = transform(delete_tombstone_handling_mode=mode)
    for op in "cru":
        made = subject.apply(event(op))
        assert made is not None
        assert made.value.plain() == AFTER | extra
        assert made.value_schema is made.value.schema
    made = subject.apply(event("d"))
    if deleted == "dropped":
        assert made is None
    elif schema == "built":
        assert made is not None
        assert made.value.plain() == deleted
    else:
        assert made is not None
        assert made.value is None
        assert made.value_schema is schema
    assert (subject.apply(tombstone()) is not None) is kept
    assert subject.apply(event("t")) is None


def test_what_is_no_change_event_passes() -> None:
    subject = transform()
    plain = SinkRecord("t", 0, None, None, ROW, Struct(ROW, AFTER), 0)
    schemaless = SinkRecord("t", 0, None, None, None, {"op": "c", "after": {}}, 0)
    assert subject.apply(plain) is plain
    assert subject.apply(schemaless) is schemaless


def test_added_fields() -> None:
    subject = transform(
        add_fields="op, table,source.lsn:LSN,ts_ms,transaction.id,total_order,absent,source.none"
    )
    made = subject.apply(event("c"))
    assert made is not None
    assert made.value.plain() == AFTER | {
        "__op": "c",
        "__table": "t",
        "__LSN": 9,
        "__ts_ms": 8,
        "__transaction_id": "tx",
        "__total_order": 3,
    }
    assert all(f.schema.optional for f in made.value.schema.fields if f.name.startswith("__"))
    assert made.value.schema.name == "p.public.t.Value"
    without_transaction = subject.apply(event("c", transaction=None))
    assert without_transaction is not None
    assert without_transaction.value.get("__transaction_id") is None
    deleted = subject.apply(event("d"))
    assert deleted is not None
    assert deleted.value is None


def test_added_fields_of_rewritten_deletes() -> None:
    subject = transform(delete_tombstone_handling_mode="rewrite", add_fields="op", add_fields_prefix="")
    made = subject.apply(event("d"))
    assert made is not None
    assert made.value.plain() == BEFORE | {"__deleted": "true", "op": "d"}


def test_added_headers() -> None:
    subject = transform(
        add_headers="op,source.ts_ms", delete_tombstone_handling_mode="rewrite-with-tombstone"
    )
    record = event("c")
    record.headers = [Header("mine", STRING, "x")]
    made = subject.apply(record)
    assert made is not None
    assert [(h.key, h.value) for h in made.headers or ()] == [
        ("mine", "x"),
        ("__op", "c"),
        ("__source_ts_ms", 7),
    ]
    assert len(record.headers) == 1
    kept = subject.apply(tombstone())
    assert kept is not None
    assert [(h.key, h.value) for h in kept.headers or ()] == [("__op", "d")]


def test_routing_by_a_field() -> None:
    subject = transform(route_by_field="name", delete_tombstone_handling_mode="delete-to-tombstone")
    assert [r.topic for r in (subject.apply(event("c")), subject.apply(event("d"))) if r] == ["new", "old"]
    with pytest.raises(DataError, match="absent is not a valid field name"):
        transform(route_by_field="absent").apply(event("c"))


def test_dropped_fields() -> None:
    record = event("u")
    record.headers = [Header("gone", array_schema(STRING), ["name", "id"])]
    made = transform(drop_fields_header_name="gone").apply(record)
    assert made is not None
    assert made.value.plain() == {"id": 1}  # id is required and stays
    assert made.key.plain() == {"id": 1}
    made = transform(
        drop_fields_header_name="gone",
        drop_fields_keep_schema_compatible="false",
        drop_fields_from_key="true",
    ).apply(record)
    assert made is not None
    assert made.value.plain() == {}
    assert made.key.plain() == {}
    assert made.key_schema is made.key.schema


def test_defaults_replace_nulls_in_rewritten_rows_unless_told_otherwise() -> None:
    row = struct_schema([("id", INT32), ("name", OPTIONAL_STRING.evolve(default="d"))], optional=True)
    envelope = struct_schema([("before", row), ("after", row), ("op", STRING)], name="x.Envelope")
    value = Struct(envelope, {"before": None, "after": {"id": 1, "name": None}, "op": "c"})
    record = SinkRecord("t", 0, None, None, envelope, value, 0)
    mode = "rewrite"
    names = [
        made.value.fields["name"]
        for subject in (
            transform(delete_tombstone_handling_mode=mode),
            transform(delete_tombstone_handling_mode=mode, replace_null_with_default="false"),
            transform(),
        )
        if (made := subject.apply(record)) is not None
    ]
    assert names == ["d", None, None]


@pytest.mark.parametrize("text", ["", "a.b.c", ".a", "op:a:b"])
def test_wrong_references(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_reference(text, "__")
