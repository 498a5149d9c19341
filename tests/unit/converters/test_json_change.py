"""Changes written from their parts equal the envelopes a JsonConverter writes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replicator.api import ChangeOrigin, ChangeRecord, Header, Particulars, SinkRecord, SourceRecord
from replicator.api.change import ChangeSinkRecord
from replicator.api.schema import INT64, OPTIONAL_STRING, STRING, Schema, SchemaType, struct_schema
from replicator.converters.json import JsonConverter
from replicator.converters.json_change import ChangeJson

ROW = struct_schema((("id", INT64), ("note", OPTIONAL_STRING)), name="t.Value", optional=True)
KEY = struct_schema((("id", INT64),), name="t.Key")
BLOCK = struct_schema((("id", STRING),), name="event.block", optional=True)
SOURCE = struct_schema((("table", STRING), ("lsn", INT64)), name="source")
ENVELOPE = struct_schema(
    (
        ("before", ROW),
        ("after", ROW),
        ("source", SOURCE),
        ("transaction", BLOCK),
        ("op", STRING),
        ("ts_ms", INT64),
        ("ts_us", INT64),
        ("ts_ns", INT64),
    ),
    name="t.Envelope",
)


class Origin(ChangeOrigin):
    """A source block of two fields."""

    __slots__ = ()

    def source(self, detail: int) -> dict[str, Any]:
        return {"table": "t", "lsn": detail}

    def source_json(self, detail: int) -> tuple[bytes, bytes]:
        whole = orjson.dumps(self.source(detail))
        return whole[:-1], whole[-1:]

    def offset(self, change: ChangeRecord) -> Any:
        return {"lsn": change.detail}


def origin(key: Schema | None = KEY, value: Schema = ENVELOPE, headers: list[Header] | None = None) -> Origin:
    return Origin("t", key, value, {"server": "a"}, ("s", "log", 7), 1_600_000_000_123_456, headers or [])


def converter(**options: str) -> JsonConverter:
    made = JsonConverter()
    made.configure({"replace.null.with.default": "false", **options}, is_key=False)
    return made


def _row(number: int, note: str | None) -> dict[str, Any]:
    return {"id": number, "note": note}


rows = st.none() | st.builds(_row, st.integers(-(2**63), 2**63 - 1), st.none() | st.text())


@given(
    st.sampled_from("crudt"),
    rows,
    rows,
    st.integers(0, 2**60),
    st.sampled_from([None, {"id": "1:2"}]),
    st.booleans(),
)
def test_the_text_is_the_converters(
    op: str, before: Any, after: Any, lsn: int, block: dict[str, Any] | None, schemas: bool
) -> None:
    row = after or before
    key_fields = None if op == "t" else {"id": 1 if row is None else row["id"]}
    also = None if block is None else Particulars(block)
    change = ChangeRecord(origin(), op, before, after, key_fields, lsn, 3, also=also)
    ours = converter(**{"schemas.enable": str(schemas).lower()})
    writer = ChangeJson(ours, ours)
    assert writer.turn_to(change.origin)
    expected = ours.from_connect_data("t", change.value_schema, change.value)
    assert writer.prefix + b"".join(writer.value(change)) == expected
    assert writer.key(change) == ours.from_connect_data("t", change.key_schema, change.key)


def test_origins_in_turn() -> None:
    ours = converter()
    writer = ChangeJson(ours, ours)
    wide = struct_schema((("id", INT64), ("note", OPTIONAL_STRING), ("more", INT64)), optional=True)
    fields = [(f.name, wide if f.name in ("before", "after") else f.schema) for f in ENVELOPE.fields]
    wider = struct_schema(fields, name="t.Envelope")
    for schema, row in [(ENVELOPE, {"id": 1, "note": "a"}), (wider, {"id": 1, "note": "a", "more": 2})] * 2:
        change = ChangeRecord(origin(None, schema), "c", None, row, None, 5, 0)
        assert writer.turn_to(change.origin)
        assert writer.prefix + b"".join(writer.value(change)) == ours.from_connect_data(
            "t", schema, change.value
        )
        assert writer.key(change) == ours.from_connect_data("t", None, None)


@pytest.mark.parametrize(
    ("field", "options", "plain"),
    [
        (Schema(SchemaType.BYTES, optional=True), {}, False),
        (Schema(SchemaType.FLOAT64, optional=True), {}, False),
        (Schema(SchemaType.STRING, optional=True, default="x"), {}, True),
        (Schema(SchemaType.STRING, optional=True, default="x"), {"replace.null.with.default": "true"}, False),
        (OPTIONAL_STRING, {"replace.null.with.default": "true"}, True),
    ],
)
def test_rows_that_need_more_than_json(field: Schema, options: dict[str, str], plain: bool) -> None:
    row = struct_schema((("f", field),), optional=True)
    schema = struct_schema((("before", row), ("after", row)), name="Envelope")
    ours = converter(**options)
    assert ChangeJson(ours, ours).turn_to(origin(None, schema)) is plain


def test_a_change_is_an_ordinary_record_to_everybody_else() -> None:
    moved = Header("moved", STRING, "x")
    more = Header("more", STRING, "y")
    change = ChangeRecord(
        origin(headers=[more]),
        "c",
        None,
        {"id": 1, "note": None},
        {"id": 1},
        5,
        2,
        also=Particulars(header=moved),
    )
    plain = change.plain()
    assert type(plain) is SourceRecord
    assert [h.key for h in plain.headers or []] == ["__replicator.position", "moved", "more"]
    assert change.position_text == "s:log:7:2:0" == change.position.encode()
    assert (plain.topic, plain.source_partition, plain.source_offset) == ("t", {"server": "a"}, {"lsn": 5})
    renamed = change.evolve(topic="other")
    assert (renamed.topic, renamed.value) == ("other", change.value)
    delivered = ChangeSinkRecord(change, "t", 0, 9, 4)
    assert (delivered.kafka_offset, delivered.original_kafka_offset, delivered.timestamp) == (9, 9, 4)
    moved_on = delivered.evolve(topic="other")
    assert type(moved_on) is SinkRecord
    assert (moved_on.topic, moved_on.original_topic) == ("other", "t")
    assert (moved_on.key, moved_on.value, moved_on.timestamp_type) == (change.key, change.value, "CreateTime")
