"""Cases for transforms that put facts and literals into fields and headers."""

from __future__ import annotations

from tests.differential.transforms.samples import ALL, EVERY, FULL, INT32, NOT_STRUCT, NULLS, STR
from tests.differential.transforms.shapes import M, P, S, both, case, header, i4, i8, rec, s, src, st

NARROWED = ("1.1", "[]", "{}", "1,5", "[1.5,2]")
"""Texts that Java reads with a loss, or as an array of no type; we do not."""


def inserts():
    everything = {
        "topic.field": "topic",
        "partition.field": "part!",
        "offset.field": "off?",
        "timestamp.field": "at!",
        "static.field": "st",
        "static.value": "hello",
    }
    small = st({"a": s("int32", o=1, d=i4(4))}, name="small", o=1, d=S(a=i4(1)), doc="x")
    values = [rec(small, S(a=None)), rec(None, M(a=i8(1))), *NULLS, *NOT_STRUCT]
    yield from both("InsertField", everything, *values)
    yield from both(
        "InsertField",
        {"static.field": "st!", "static.value": "x", "replace.null.with.default": "false"},
        *values,
    )
    yield from both(
        "InsertField",
        {"timestamp.field": "at", "partition.field": "p"},
        src(small, S(a=i4(1))),
        src(None, M()),
        src(small, S(a=i4(1)), partition=0, timestamp=0),
    )
    yield case(f"{P}InsertField$Value", {"timestamp.field": "at!"}, src(small, S(a=i4(1))))
    yield case(f"{P}InsertField$Value", {"offset.field": "o"}, src(small, S(a=i4(1))), src(None, M()))
    yield case(f"{P}InsertField$Value", {"topic.field": "a"}, rec(small, S(a=i4(1))), rec(None, M(a="x")))
    for config in ({}, {"static.field": "x"}, {"static.field": "x!"}, {"static.value": "x"}):
        differ = {"config": "*"} if "static.field" in config else None  # Java prints an object's address
        yield case(f"{P}InsertField$Value", config, rec(None, M()), ours=differ)
    with_headers = {"headers": [header("a", STR, "1"), header("h", INT32, i4(1)), header("a", None, "2")]}
    for config in (
        {"fields": "i32,i64", "headers": "a,b", "operation": "move"},
        {"fields": "i32,i64", "headers": "a,b", "operation": "copy"},
        {"fields": "i64,f64", "headers": "a,b", "operation": "move", "replace.null.with.default": "false"},
        {"fields": "in,arr", "headers": "a,b", "operation": "move"},
    ):
        yield from both(
            "HeaderFrom",
            config,
            *EVERY,
            rec(ALL, FULL, **with_headers),
            rec(None, M(i32=i8(1)), **with_headers),
        )
    missing = {"fields": "nix", "headers": "a", "operation": "move"}
    yield case(
        f"{P}HeaderFrom$Value",
        missing,
        rec(ALL, FULL),
        rec(None, M(x="y")),
        ours={0: "Field does not exist: nix"},
    )
    for config in (
        {"fields": "a,b", "headers": "x", "operation": "copy"},
        {"fields": "a", "headers": "x", "operation": "Move"},
        {"fields": "", "headers": "x", "operation": "copy"},
        {"fields": "a", "headers": "", "operation": "copy"},
        {"fields": "a", "headers": "b"},
        {},
    ):
        yield case(f"{P}HeaderFrom$Value", config)
    yield case(
        f"{P}DropHeaders", {"headers": "a,nix"}, rec(**with_headers), rec(), rec(headers=[header("b")])
    )
    yield case(f"{P}DropHeaders", {"headers": ""})
    yield case(f"{P}DropHeaders", {})
    for literal in (
        "text",
        "1",
        "1000",
        "70000",
        "5000000000",
        "1.5",
        "1.1",
        "1e400",
        "true",
        "null",
        "[1,2,3]",
        "[1,a]",
        '{"a":1}',
        '{"a":"b"}',
        "2020-01-02",
        "2020-01-02T03:04:05.678Z",
        "03:04:05.678Z",
        '"quoted"',
        "a,b",
        " x ",
        "-5",
        "[]",
        "{}",
        '["a","b"]',
        "{a:1}",
        "0",
        "1,5",
        "123456789012345678901234567890",
        "3.0",
        "-0.0",
        "0x10",
        "TRUE",
        "[true,false]",
        "[1.5,2]",
        "NaN",
    ):
        yield case(
            f"{P}InsertHeader",
            {"header": "h", "value.literal": literal},
            rec(**with_headers),
            ours={0: "ok"} if literal in NARROWED else None,
        )
    for config in (
        {"header": "", "value.literal": "x"},
        {"header": "x", "value.literal": ""},
        {"header": "x"},
        {},
    ):
        yield case(f"{P}InsertHeader", config, rec())
    yield case(f"{P}Filter", {}, rec(ALL, FULL), rec())
