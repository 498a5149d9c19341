"""Cases for Debezium's routers, the outbox and time zones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.differential.transforms.cases_unwrap import (
    AFTER,
    BEFORE,
    ENVELOPE,
    EVENTS,
    FROM,
    SOURCE,
    TOMBSTONE,
    D,
    envelope,
    event,
)
from tests.differential.transforms.shapes import (
    DATE,
    TIME,
    TIMESTAMP,
    Node,
    S,
    array,
    case,
    header,
    i4,
    i8,
    ms,
    opt,
    rec,
    s,
    st,
)


def cases() -> Iterator[Node]:
    yield from logical_tables()
    yield from outbox()
    yield from outbox_json()
    yield from zones()


SHARD = {"topic.regex": "(.*)\\.t_shard_(.*)", "topic.replacement": "$1.all"}
WRONG: list[dict[str, str]] = [
    {**SHARD, "key.field.regex": "(.*)"},
    {"topic.regex": ".*shard.*", "topic.replacement": ""},
    {"topic.regex": "(", "topic.replacement": "x"},
    {"topic.regex": "x"},
    {"topic.replacement": "x"},
    {},
]


def logical_tables() -> Iterator[Node]:
    router = f"{D}ByLogicalTableRouter"
    key = st({"id": s("int32")}, name="p.s.t_shard_7.Key")
    row = st({"id": s("int32"), "name": s("string", o=1)}, name="p.s.t_shard_7.Value", o=1)
    schema = envelope(row, "p.s.t_shard_7.Envelope")
    at = {"topic": "p.s.t_shard_7", "key_schema": key, "key": S(id=i4(1))}
    image = S(id=i4(1), name="x")
    records = [
        event("c", None, image, schema, **at),
        event("u", image, image, schema, **at),
        event("d", image, None, schema, **at),
        rec(**at),
        rec(row, image, **at),
        event("c", None, image, schema, **{**at, "key_schema": None, "key": None}),
        event("c", None, image, schema, **{**at, "key_schema": s("string"), "key": "k"}),
        rec(None, "x", topic="p.s.t_shard_7"),
        *EVENTS[:2],
        TOMBSTONE,
        rec(**{**at, "key_schema": None, "key": None}),
    ]
    for config in (
        SHARD,
        {**SHARD, "key.enforce.uniqueness": "false"},
        {**SHARD, "key.field.name": "src"},
        {**SHARD, "key.field.regex": "(.*)\\.t_(.*)", "key.field.replacement": "$2"},
        {**SHARD, "key.field.regex": "nix", "key.field.replacement": "$0"},
        {**SHARD, "key.field.name": "id"},
        {"topic.regex": "(.*)t_shard_7", "topic.replacement": "a-b c.1x"},
        {
            "topic.regex": "(.*)t_shard_7",
            "topic.replacement": "a-b c.1x",
            "schema.name.adjustment.mode": "avro",
        },
        {
            "topic.regex": "(.*)t_shard_(?<n>\\d)",
            "topic.replacement": "x${n}",
            "logical.table.cache.size": "1",
        },
        *WRONG,
    ):
        refused = {"config": "*"} if config in WRONG else None  # Debezium's message names no option
        yield case(router, config, *records, ours=refused)
    yield case(f"{D}ToLogicalTopicRouter", SHARD, *records)


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


TIMES = st(
    {
        "id": s("int32"),
        "ts": s("int64", o=1, name="io.debezium.time.Timestamp", version=1),
        "us": s("int64", o=1, name="io.debezium.time.MicroTimestamp", version=1),
        "ns": s("int64", o=1, name="io.debezium.time.NanoTimestamp", version=1),
        "zts": s("string", o=1, name="io.debezium.time.ZonedTimestamp", version=1),
        "zt": s("string", o=1, name="io.debezium.time.ZonedTime", version=1),
        "cts": opt(TIMESTAMP),
        "cdate": opt(DATE),
        "ctime": opt(TIME),
        "date": s("int32", o=1, name="io.debezium.time.Date", version=1),
        "text": s("string", o=1),
    },
    name="p.s.t.Value",
    o=1,
)
AT = 1500000000123
MOMENTS = S(
    id=i4(1),
    ts=i8(AT),
    us=i8(AT * 1000 + 456),
    ns=i8(AT * 10**6 + 456789),
    zts="2017-07-14T02:40:00.123456Z",
    zt="02:40:00Z",
    cts=ms(AT),
    cdate=ms(86400000 * 17361),
    ctime=ms(9600123),
    date=i4(17361),
    text="x",
)
ODD = S(id=i4(1), zts="2017-07-14T02:40:00+05:00", zt="02:40:00.5+02:00", ts=None)


def zones() -> Iterator[Node]:
    converter = f"{D}TimezoneConverter"
    schema = envelope(TIMES)
    wide = {**SOURCE}
    records = [
        event("c", None, MOMENTS, schema),
        event("u", MOMENTS, ODD, schema),
        event("d", MOMENTS, None, schema),
        rec(TIMES, MOMENTS, topic="p.s.t"),
        rec(TIMES, MOMENTS, topic="other"),
        TOMBSTONE,
        rec(None, "x"),
        rec(wide, FROM),
        event("u", BEFORE, AFTER, ENVELOPE),
        rec(None, None, headers=[header("h", array(s("string")), ["x"])]),
    ]
    zone = {"converted.timezone": "America/Bogota"}
    summer = S(
        id=i4(1), ts=i8(AT), us=i8(1478408400000000), zts="2016-11-06T05:30:00Z", cts=ms(1457839800000)
    )
    for name in ("America/New_York", "Europe/Berlin", "Asia/Kathmandu"):
        # Debezium takes the offset of the hours around a change from the wall clock of UTC.
        hours = {0: "ok"} if name == "America/New_York" else None
        yield case(converter, {"converted.timezone": name}, event("c", None, summer, schema), ours=hours)
    for config in (
        zone,
        {"converted.timezone": "+05:30"},
        {"converted.timezone": "-03:00"},
        {"converted.timezone": "UTC"},
        {"converted.timezone": "Nix/Nowhere"},
        {"converted.timezone": "+5"},
        {**zone, "include.list": "source:t"},
        {**zone, "include.list": "source:t:ts"},
        {**zone, "include.list": "source:other"},
        {**zone, "include.list": "topic:p.s.t"},
        {**zone, "include.list": "topic:p.s.t:zts,topic:p.s.t:cts"},
        {**zone, "include.list": "t:ts"},
        {**zone, "include.list": "p.s.t:us"},
        {**zone, "include.list": "t"},
        {**zone, "include.list": "source:t:before.ts"},
        {**zone, "exclude.list": "source:t"},
        {**zone, "exclude.list": "source:t:ts"},
        {**zone, "exclude.list": "topic:p.s.t:zts,topic:p.s.t:zt"},
        {**zone, "exclude.list": "t:ns"},
        {**zone, "exclude.list": "topic:other"},
        {**zone, "include.list": "source:t", "exclude.list": "topic:x"},
        {**zone, "include.list": "!bad!"},
        {},
    ):
        lists = config.get("include.list", "") + config.get("exclude.list", "")
        several = {"config": "ok"} if "," in lists else None
        yield case(converter, config, *records, ours=several)
