"""Cases for the transform of Debezium's Postgres connector that decodes logical messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.differential.transforms.cases_unwrap import MODES
from tests.differential.transforms.events import (
    EVENTS,
    FROM,
    IN,
    SOURCE,
    TOMBSTONE,
    TRANSACTION,
    D,
)
from tests.differential.transforms.shapes import Node, S, case, hx, i8, rec, s, st

CLASS = "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"
BLOCK = st(
    {"prefix": s("string", o=1), "content": s("bytes", o=1)}, name="io.debezium.connector.postgresql.Message"
)
MESSAGE = st(
    {
        "op": s("string"),
        "ts_ms": s("int64", o=1),
        "source": SOURCE,
        "transaction": TRANSACTION,
        "message": BLOCK,
    },
    name="io.debezium.connector.postgresql.MessageValue",
    version=1,
)
TEXTS = (
    '{"id":1,"item":"Debezium","status":"ENTERED","price":1.5,"tags":["a","b"],"nested":{"x":true},"none":null}',
    "{}",
    '{"a":[]}',
    '{"big":99999999999,"huge":123456789012345678901234567890}',
    '[{"a":1}]',
    "not json",
    '"text"',
    "",
    '{"broken"',
    '{"a":[1,"x"]}',
    '{"a":[{"x":1},{"y":2}]}',
)


DIFFERENT: dict[Any, str] = {
    **dict.fromkeys((3, 4, 8, 9, 11), "*"),  # errors of the JSON reader
    **dict.fromkeys((10, 19, 21, 25), "ok"),  # a schema that is not optional; null pointers
}


def message(text: str | None, operation: str = "m") -> Node:
    content = None if text is None else hx(text.encode().hex())
    value = S(op=operation, ts_ms=i8(5), source=FROM, transaction=IN, message=S(prefix="p", content=content))
    key = st({"prefix": s("string", o=1)}, name="io.debezium.connector.postgresql.MessageKey", version=1)
    return rec(MESSAGE, value, topic="p.message", key_schema=key, key=S(prefix="p"))


def cases() -> Iterator[Node]:
    given = [message(text) for text in TEXTS]
    for config in ({}, {"fields.null.include": "true"}, {"fields.null.include": "nix"}):
        refused = {"config": "*"} if config.get("fields.null.include") == "nix" else DIFFERENT
        yield case(CLASS, config, *given, message(None), *EVENTS, TOMBSTONE, ours=refused)
    one = [message("{}"), {**message("{}"), "source": True}]
    for mode in MODES:
        config = {"delete.tombstone.handling.mode": mode, "add.fields": "op", "add.headers": "op"}
        yield case(f"{D}ExtractNewRecordState", config, *one)
    yield case(f"{D}ExtractNewRecordState", {"route.by.field": "x"}, *one)
    yield case(f"{D}ExtractChangedRecordState", {"header.changed.name": "c"}, *one)
    yield case(f"{D}ByLogicalTableRouter", {"topic.regex": "(.*)", "topic.replacement": "x.$1"}, *one)
    yield case(f"{D}TimezoneConverter", {"converted.timezone": "+01:00"}, *one)
    yield case(f"{D}HeaderToValue", {"headers": "h", "fields": "message.x", "operation": "copy"}, *one)
    yield case(
        f"{D}partitions.PartitionRouting",
        {"partition.payload.fields": "source.table", "partition.topic.num": "5"},
        *one,
    )
    yield case(f"{D}outbox.EventRouter", {}, *one)
    yield case(f"{D}SchemaChangeEventFilter", {"schema.change.event.exclude.list": "DROP"}, *one)
