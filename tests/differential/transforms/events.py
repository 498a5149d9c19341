"""Change events as Debezium makes them, for the cases of its transforms."""

from __future__ import annotations

from typing import Any

from tests.differential.transforms.shapes import Node, S, i4, i8, rec, s, st

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
