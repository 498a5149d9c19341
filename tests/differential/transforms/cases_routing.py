"""Cases for Debezium's routers, the outbox and time zones."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.transforms.cases_outbox import outbox, outbox_json
from tests.differential.transforms.cases_zones import zones
from tests.differential.transforms.events import EVENTS, TOMBSTONE, D, envelope, event
from tests.differential.transforms.shapes import Node, S, case, i4, rec, s, st


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
