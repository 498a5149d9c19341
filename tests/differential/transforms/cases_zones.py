"""Cases for Debezium's TimezoneConverter."""

from __future__ import annotations

from collections.abc import Iterator

from tests.differential.transforms.events import (
    AFTER,
    BEFORE,
    ENVELOPE,
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
