"""Cases for Debezium's other transforms of single rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.differential.transforms.events import (
    AFTER,
    BEFORE,
    EVENTS,
    FROM,
    ROW,
    SOURCE,
    TOMBSTONE,
    D,
    envelope,
    event,
)
from tests.differential.transforms.shapes import Node, S, array, case, header, i1, i4, i8, rec, s, st

DEEP: dict[str, Any] = {
    "after.name": {3: "ok"},
    "source.deep.er": {0: "ok", 1: "ok", 3: "ok"},
    "nix.deep": {0: "ok", 1: "ok", 3: "ok"},
}
"""Debezium makes the structs on the way wrongly, or not at all."""
SINK = {13: "ok"}  # Debezium knows source records only


def others() -> Iterator[Node]:
    fields = f"{D}HeaderToValue"
    headers = {
        "headers": [
            header("h", s("string"), "hv"),
            header("n", s("int32"), i4(5)),
            header("x"),
            header("h", s("string"), "second"),
        ]
    }
    for config in (
        {"headers": "h", "fields": "added", "operation": "copy"},
        {"headers": "h,n", "fields": "added,after.number", "operation": "move"},
        {"headers": "h,nix", "fields": "a,b", "operation": "copy"},
        {"headers": "h", "fields": "after.name", "operation": "copy"},
        {"headers": "h", "fields": "source.deep.er", "operation": "copy"},
        {"headers": "h", "fields": "nix.deep", "operation": "copy"},
        {"headers": "x", "fields": "nothing", "operation": "copy"},
        {"headers": "h,n", "fields": "a", "operation": "copy"},
        {"headers": "h", "fields": "a", "operation": "nix"},
        {"headers": "", "fields": "", "operation": "copy"},
        {},
    ):
        yield case(
            fields,
            config,
            event("c", None, AFTER, **headers),
            event("d", BEFORE, **headers),
            {**TOMBSTONE, **headers},
            rec(ROW, S(id=i4(1), name="x"), **headers),
            rec(None, "x", **headers),
            event("c", None, AFTER),
            ours=DEEP.get(config.get("fields", "")),
        )
    routing = f"{D}partitions.PartitionRouting"
    for config in (
        {"partition.payload.fields": "change.id", "partition.topic.num": "7"},
        {"partition.payload.fields": "after.id, before.name", "partition.topic.num": "7"},
        {"partition.payload.fields": "source.table,op", "partition.topic.num": "100"},
        {
            "partition.payload.fields": "change.name",
            "partition.topic.num": "100",
            "partition.hash.function": "murmur",
        },
        {
            "partition.payload.fields": "change.id,change.name",
            "partition.topic.num": "100",
            "partition.hash.function": "MURMUR",
        },
        {"partition.payload.fields": "change.nix", "partition.topic.num": "3"},
        {"partition.payload.fields": "change.nix,source.lsn", "partition.topic.num": "3"},
        {"partition.payload.fields": "change", "partition.topic.num": "3"},
        {"partition.payload.fields": "change.id", "partition.topic.num": "0"},
        {
            "partition.payload.fields": "change.id",
            "partition.topic.num": "3",
            "partition.hash.function": "nix",
        },
        {"partition.payload.fields": "", "partition.topic.num": "3"},
        {"partition.payload.fields": "change.id"},
        {},
    ):
        yield case(routing, config, *({**e, "source": True} for e in EVENTS), EVENTS[0], ours=SINK)
    kinds = st(
        {
            "b": s("boolean"),
            "f": s("double"),
            "g": s("float"),
            "l": s("int64"),
            "i": s("int8"),
            "t": s("string"),
            "y": s("bytes"),
            "a": array(s("int32")),
        },
        o=1,
    )
    values = S(
        b=True,
        f={"f8": "1.5"},
        g={"f4": "-2.25"},
        l=i8(-5_000_000_000),
        i=i1(-3),
        t="grüße😀",
        y={"hex": "00ff"},
        a=[i4(1), i4(-2)],
    )
    for name in ("b", "f", "g", "l", "i", "t", "a"):
        for function in ("java", "murmur"):
            config = {
                "partition.payload.fields": f"change.{name}",
                "partition.topic.num": "1000",
                "partition.hash.function": function,
            }
            yield case(routing, config, event("c", None, values, envelope(kinds), source=True))
    changes = f"{D}SchemaChangeEventFilter"
    change = st(
        {"type": s("string", o=1), "id": s("string", o=1)}, name="io.debezium.connector.schema.Change"
    )
    for number in range(2):
        value = st(
            {
                "source": SOURCE,
                "ts_ms": s("int64"),
                "databaseName": s("string", o=1),
                "ddl": s("string", o=1),
                "tableChanges": array(change, o=1),
            },
            name="io.debezium.connector.mysql.SchemaChangeValue",
            version=1,
        )
        key = st({"databaseName": s("string")}, name="io.debezium.connector.mysql.SchemaChangeKey", version=1)
        made = [
            rec(
                value,
                S(source=FROM, ts_ms=i8(1), databaseName="d", ddl="x", tableChanges=c),
                key_schema=key,
                key=S(databaseName="d"),
            )
            for c in (None, [], [S(type="ALTER")], [S(type="CREATE"), S(type="ALTER")], [S(type="DROP")])
        ]
        yield case(
            changes, {"schema.change.event.exclude.list": ("ALTER,DATABASE", "drop")[number]}, *made, *EVENTS
        )
    yield case(changes, {"schema.change.event.exclude.list": "DATABASE"}, *made)
    for config in ({}, {"schema.change.event.exclude.list": "nix"}, {"schema.change.event.exclude.list": ""}):
        yield case(changes, config, *made)
