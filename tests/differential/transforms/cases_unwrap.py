"""Cases for Debezium's transforms that turn change events into rows, or tell what changed in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.differential.transforms.shapes import (
    Node,
    S,
    array,
    case,
    header,
    i1,
    i4,
    i8,
    mapping,
    rec,
    s,
    st,
)

D = "io.debezium.transforms."
ROW = st(
    {"id": s("int32"), "name": s("string", o=1), "qty": s("int32", o=1, d=i4(7))}, name="p.s.t.Value", o=1
)
KEY = st({"id": s("int32")}, name="p.s.t.Key")
SOURCE = st(
    {
        "version": s("string", o=1),
        "connector": s("string"),
        "name": s("string"),
        "ts_ms": s("int64"),
        "db": s("string"),
        "schema": s("string"),
        "table": s("string"),
        "lsn": s("int64", o=1),
    },
    name="io.debezium.connector.postgresql.Source",
)
TRANSACTION = st(
    {"id": s("string"), "total_order": s("int64"), "data_collection_order": s("int64")},
    name="event.block",
    o=1,
)


def envelope(row: Node = ROW, name: str = "p.s.t.Envelope") -> Node:
    fields = {
        "before": row,
        "after": row,
        "source": SOURCE,
        "transaction": TRANSACTION,
        "op": s("string"),
        "ts_ms": s("int64", o=1),
        "ts_us": s("int64", o=1),
        "ts_ns": s("int64", o=1),
    }
    return st(fields, name=name, version=2)


ENVELOPE = envelope()
BEFORE = S(id=i4(1), name="old", qty=i4(5))
AFTER = S(id=i4(1), name="new", qty=None)
FROM = S(
    version="3.3", connector="postgresql", name="p", ts_ms=i8(11), db="d", schema="s", table="t", lsn=i8(99)
)
IN = S(id="tx:1", total_order=i8(2), data_collection_order=i8(3))


def event(op: str, before: Any = None, after: Any = None, schema: Node = ENVELOPE, **attributes: Any) -> Node:
    value = S(
        before=before,
        after=after,
        source=FROM,
        transaction=IN,
        op=op,
        ts_ms=i8(12),
        ts_us=i8(13),
        ts_ns=i8(14),
    )
    at = {"topic": "p.s.t", "key_schema": KEY, "key": S(id=i4(1))}
    return rec(schema, value, **{**at, **attributes})


TOMBSTONE = rec(topic="p.s.t", key_schema=KEY, key=S(id=i4(1)))
EVENTS = [
    event("c", None, AFTER),
    event("u", BEFORE, AFTER),
    event("r", None, AFTER),
    event("d", BEFORE),
    event("d"),
    event("t"),
    event("m"),
    TOMBSTONE,
    rec(ROW, S(id=i4(1)), topic="p.s.t"),
    rec(None, "text"),
    rec(envelope(name="xEnvelope"), S(op="c", source=FROM, after=AFTER)),
    rec(envelope(name="x.Envelope"), S(op="u", source=FROM, after=AFTER)),
    rec(s("string"), "x"),
]
DEEP: dict[str, Any] = {
    "after.name": {3: "ok"},
    "source.deep.er": {0: "ok", 1: "ok", 3: "ok"},
    "nix.deep": {0: "ok", 1: "ok", 3: "ok"},
}
"""Debezium makes the structs on the way wrongly, or not at all."""
SINK = {13: "ok"}  # Debezium knows source records only
NOT_A_LIST = "Header drop must hold a list of field names"
NO_BEFORE = "The delete event has no before image, which mode rewrite needs"
MODES = ("drop", "tombstone", "delete-to-tombstone", "rewrite", "rewrite-with-tombstone")


def differing(config: dict[str, Any]) -> dict[Any, str]:
    """Where we differ: Debezium drops deletes without a before image, and says less of wrong options."""
    mode = config.get("delete.tombstone.handling.mode", "tombstone").lower()
    if mode not in MODES or config.get("add.fields") == "a.b.c":
        return {"config": "*"}
    return {4: NO_BEFORE if mode.startswith("rewrite") else "ok"} if mode != "drop" else {}


def cases() -> Iterator[Node]:
    unwrap = f"{D}ExtractNewRecordState"
    for mode in MODES:
        alone = {"delete.tombstone.handling.mode": mode}
        yield case(unwrap, alone, *EVENTS, ours=differing(alone))
        added = {
            "add.fields": "op,source.table,ts_ms,lsn,transaction.id:tx,nix,total_order",
            "add.headers": "op,db,source.lsn:L,name",
        }
        yield case(unwrap, alone | added, *EVENTS, ours=differing(alone))
    for config in (
        {"add.fields": "op", "add.fields.prefix": ""},
        {
            "add.fields": "op,table",
            "add.fields.prefix": "x_",
            "add.headers": "op",
            "add.headers.prefix": "h_",
        },
        {"add.fields": "op:OP, source.ts_ms:TS"},
        {"add.fields": "qty,source.nix,after.id,before.id"},
        {"add.fields": "a.b.c"},
        {"add.fields": "op:"},
        {"add.fields": "op:a:b"},
        {"route.by.field": "name"},
        {"route.by.field": "name", "delete.tombstone.handling.mode": "rewrite"},
        {"route.by.field": "id"},
        {"route.by.field": "nix"},
        {"delete.tombstone.handling.mode": "REWRITE"},
        {"delete.tombstone.handling.mode": "nix"},
        {"replace.null.with.default": "false"},
        {"replace.null.with.default": "false", "add.fields": "op"},
        {"replace.null.with.default": "false", "delete.tombstone.handling.mode": "rewrite"},
    ):
        unnamed = event("c", None, S(id=i4(1)))
        yield case(unwrap, config, *EVENTS, unnamed, ours=differing(config))
    strings = array(s("string"))
    dropped = {"headers": [header("drop", strings, ["name", "id"])]}
    for config in (
        {"drop.fields.header.name": "drop"},
        {"drop.fields.header.name": "drop", "drop.fields.from.key": "true"},
        {
            "drop.fields.header.name": "drop",
            "drop.fields.from.key": "true",
            "drop.fields.keep.schema.compatible": "false",
        },
        {
            "drop.fields.header.name": "drop",
            "drop.fields.keep.schema.compatible": "false",
            "add.fields": "op",
        },
        {"drop.fields.header.name": "drop", "delete.tombstone.handling.mode": "rewrite"},
        {"drop.fields.header.name": "nix"},
    ):
        yield case(
            unwrap,
            config,
            event("u", BEFORE, AFTER, **dropped),
            event("d", BEFORE, **dropped),
            event("c", None, AFTER, headers=[header("drop", strings, [])]),
            event("c", None, AFTER, headers=[header("drop", None, "x")]),
            event("c", None, AFTER),
            {**TOMBSTONE, **dropped},
            ours=None if config["drop.fields.header.name"] == "nix" else {3: NOT_A_LIST},
        )  # fmt: skip
    changed = f"{D}ExtractChangedRecordState"
    for config in (
        {"header.changed.name": "c", "header.unchanged.name": "u"},
        {"header.changed.name": "c"},
        {"header.unchanged.name": "u"},
        {},
    ):
        wide = st(
            {
                "id": s("int32"),
                "a": s("string", o=1),
                "l": array(s("int32"), o=1),
                "m": mapping(s("string"), s("int8"), o=1),
            },
            name="v",
            o=1,
        )
        one = S(id=i4(1), a="x", l=[i4(1)], m={"map": [["k", i1(1)]]})
        two = S(id=i4(2), a="x", l=[i4(1), i4(2)], m={"map": [["k", i1(1)]]})
        yield case(
            changed,
            config,
            *EVENTS,
            event("u", one, two, envelope(wide)),
            event("u", None, two, envelope(wide)),
            event("u", one, one, envelope(wide), headers=[header("c", None, "x")]),
        )
    yield from others()


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
