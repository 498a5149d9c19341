"""Cases for Debezium's outbox router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.differential.transforms.events import TOMBSTONE, D, envelope, event
from tests.differential.transforms.shapes import Node, S, case, i4, i8, rec, s, st

OUTBOX = st(
    {
        "id": s("string"),
        "aggregatetype": s("string"),
        "aggregateid": s("string"),
        "type": s("string"),
        "payload": s("string", o=1),
        "version": s("int32", o=1),
        "at": s("int64", o=1, name="io.debezium.time.Timestamp", version=1),
        "at_us": s("int64", o=1, name="io.debezium.time.MicroTimestamp", version=1),
        "at_ns": s("int64", o=1, name="io.debezium.time.NanoTimestamp", version=1),
        "at_zoned": s("string", o=1, name="io.debezium.time.ZonedTimestamp", version=1),
        "plain": s("int64", o=1),
        "part": s("int32", o=1),
        "deleted": s("boolean", o=1),
    },
    name="p.s.outbox.Value",
    o=1,
)


def entry(op: str = "c", schema: Node = OUTBOX, **changes: Any) -> Node:
    values: dict[str, Any] = {
        "id": "e1",
        "aggregatetype": "order",
        "aggregateid": "42",
        "type": "OrderCreated",
        "payload": '{"a":1}',
        "version": i4(3),
        "at": i8(1500000000000),
        "at_us": i8(1500000000001002),
        "at_ns": i8(1500000000001002003),
        "at_zoned": "2017-07-14T02:40:00Z",
        "plain": i8(7),
        "part": i4(5),
        "deleted": False,
    }
    image = S(**(values | changes))
    parts = {"before": None if op == "c" else image, "after": None if op == "d" else image}
    return event(op, parts["before"], parts["after"], envelope(schema, "p.s.outbox.Envelope"), topic="p.s.outbox",
                 key_schema=st({"id": s("string")}), key=S(id="e1"), source=True)  # fmt: skip


def outbox() -> Iterator[Node]:
    router = f"{D}outbox.EventRouter"
    records = [
        entry(),
        entry(payload=None),
        entry(payload=""),
        entry(aggregatetype="a b/c"),
        entry("d"),
        entry("u"),
        entry("r"),
        TOMBSTONE,
        rec(None, "x"),
        rec(OUTBOX, S(id="e1")),
        entry(version=None, at=None, part=None),
    ]
    for config in (
        {},
        {"table.field.event.schema.version": "version"},
        {"table.field.event.timestamp": "at"},
        {"table.field.event.timestamp": "at_us"},
        {"table.field.event.timestamp": "at_ns"},
        {"table.field.event.timestamp": "at_zoned"},
        {"table.field.event.timestamp": "plain"},
        {"table.field.event.timestamp": "nix"},
        {"table.fields.additional.placement": "type:header"},
        {"table.fields.additional.placement": "type:header:eventType,version:envelope,deleted:envelope:gone"},
        {"table.fields.additional.placement": "part:partition"},
        {"table.fields.additional.placement": "part:partition,type:envelope"},
        {"table.fields.additional.placement": "nix:header"},
        {
            "table.fields.additional.placement": "nix:header,nix2:envelope",
            "table.fields.additional.error.on.missing": "false",
        },
        {
            "table.fields.additional.placement": "nix:header,type:header,version:envelope",
            "table.field.additional.missing": "ignore",
        },
        {
            "table.fields.additional.placement": "nix:header,type:header",
            "table.field.additional.missing": "nix",
        },
        {"table.fields.additional.placement": "type"},
        {"table.fields.additional.placement": "type:nix"},
        {"table.fields.additional.placement": "type:header:a:b"},
        {
            "table.fields.additional.placement": "version:envelope",
            "table.field.event.schema.version": "version",
        },
        {"route.by.field": "type"},
        {"route.by.field": "nix"},
        {"route.topic.regex": "(?<routedByValue>.*)r", "route.topic.replacement": "x.${routedByValue}"},
        {"route.topic.replacement": "fixed"},
        {"route.topic.regex": "("},
        {"route.tombstone.on.empty.payload": "true"},
        {"route.tombstone.on.empty.payload": "true", "table.fields.additional.placement": "type:envelope"},
        {"table.op.invalid.behavior": "error"},
        {"table.op.invalid.behavior": "fatal"},
        {"table.op.invalid.behavior": "nix"},
        {"table.field.event.id": "version"},
        {"table.field.event.id": "nix"},
        {"table.field.event.key": "type"},
        {"table.field.event.key": "nix"},
        {"table.field.event.payload": "type"},
        {"table.field.event.payload": "nix"},
        {"table.field.event.type": "nix"},
    ):
        differ: dict[Any, str] = {}
        if (
            config.get("table.fields.additional.placement") == "type:nix"
            or config.get("route.topic.regex") == "("
        ):
            differ = {"config": "*"}
        if "table.fields.additional.error.on.missing" in config:  # an option that Debezium 3.7 has renamed
            differ = dict.fromkeys((0, 1, 2, 3, 6, 10), "ok")
        yield case(router, config, *records, ours=differ)


def outbox_json() -> Iterator[Node]:
    router = f"{D}outbox.EventRouter"
    texts = (
        '{"a":1,"b":"x","c":true,"d":1.5,"e":null,"f":[1,2],"g":{"h":"i"},"j":[],"k":[{"l":1},{"l":2}]}',
        '[{"a":1},{"a":2,"b":"x"}]',
        "[1,2,3]",
        '["a",1]',
        '{"a":[1,1.5]}',
        '{"a":[1,99999999999]}',
        '{"a":99999999999}',
        '{"a":[null,1]}',
        '{"a":[[1],[2]]}',
        '{"a":{}}',
        "{}",
        "[]",
        "not json",
        "{broken",
        '"text"',
        "7",
        ' {"a":1}',
        '{"a":[{"x":1},{"x":"y"}]}',
        '{"a":[{"x":1},{"y":null}]}',
    )
    records = [entry(payload=text) for text in texts]
    for config in (
        {"table.expand.json.payload": "true"},
        {"table.expand.json.payload": "true", "table.json.payload.null.behavior": "optional_bytes"},
        {"table.expand.json.payload": "true", "table.json.payload.empty.array.behavior": "optional_bytes"},
        {"table.expand.json.payload": "true", "table.json.payload.empty.array.behavior": "nix"},
        {"table.expand.json.payload": "true", "table.fields.additional.placement": "type:envelope"},
        {"table.expand.json.payload": "true", "table.json.payload.null.behavior": "nix"},
    ):
        # Debezium gives arrays on top, and those of structs of different shape, a schema but leaves the text.
        yield case(
            router,
            config,
            *records,
            entry(payload=None),
            entry(),
            ours=dict.fromkeys((1, 2, 11, 17, 18), "ok"),
        )
