"""Cases for Kafka Connect's own transforms and predicates."""

from __future__ import annotations

from typing import Any

from tests.differential.transforms.cases_timestamps import timestamps
from tests.differential.transforms.shapes import (
    DATE,
    TIME,
    TIMESTAMP,
    M,
    P,
    S,
    array,
    both,
    case,
    dec,
    decimal,
    f4,
    f8,
    header,
    hx,
    i1,
    i2,
    i4,
    i8,
    mapping,
    ms,
    opt,
    rec,
    s,
    src,
    st,
)

INT32, STR, OSTR, BOOL = s("int32"), s("string"), s("string", o=1), s("boolean")
INNER = st({"x": s("int32"), "y": s("string", o=1, d="why")}, name="inner", version=2)
ALL = st(
    {
        "i8": s("int8"),
        "i16": s("int16", o=1),
        "i32": s("int32", doc="number", parameters={"p": "q"}, name="n", version=3),
        "i64": s("int64", d=i8(5)),
        "f32": s("float"),
        "f64": s("double", o=1, d=f8("1.5")),
        "b": BOOL,
        "s": OSTR,
        "by": s("bytes", o=1),
        "dec": decimal(2, o=1),
        "date": opt(DATE),
        "time": opt(TIME),
        "ts": opt(TIMESTAMP),
        "arr": array(INT32, o=1),
        "map": mapping(STR, INT32, o=1),
        "in": {**INNER, "optional": True},
    },
    name="all",
    version=7,
    doc="everything",
    parameters={"a": "b"},
)
FULL = S(
    i8=i1(1),
    i16=i2(2),
    i32=i4(3),
    i64=i8(4),
    f32=f4("1.25"),
    f64=f8("2.5"),
    b=True,
    s="12",
    by=hx("00ff10"),
    dec=dec("12.34"),
    date=ms(86400000 * 3),
    time=ms(3723004),
    ts=ms(1483425001864),
    arr=[i4(1), i4(2)],
    map=M(k=i4(1)),
    **{"in": S(x=i4(9), y=None)},
)
SPARSE = S(i8=i1(1), i32=i4(3), i64=None, f32=f4("1.25"), b=False)
SCHEMALESS = M(
    i8=i8(4), f64=f8("2.5"), b=True, s="12", n=None, arr=[i8(1)], map=M(k=i8(1), deep=M(z="z")), by=hx("00ff")
)
NOT_STRUCT = [rec(INT32, i4(5)), rec(STR, "x"), rec(None, "x"), rec(None, i8(1)), rec(None, [i8(1)])]
NULLS = [rec(None, None), rec(opt(ALL), None)]
EVERY = [rec(ALL, FULL), rec(ALL, SPARSE), rec(opt(ALL), FULL), rec(None, SCHEMALESS), *NULLS, *NOT_STRUCT]


TYPES = ("int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string")
NUMBERS = [
    rec(s("int8"), i1(-5)),
    rec(s("int16"), i2(300)),
    rec(s("int32"), i4(70000)),
    rec(s("int64"), i8(-9007199254740993)),
    rec(s("float"), f4("1.1")),
    rec(s("float"), f4("3.4E38")),
    rec(s("double"), f8("-129.9")),
    rec(s("double"), f8("1.0E20")),
    rec(s("double"), f8("NaN")),
    rec(s("double"), f8("1234567.0")),
    rec(s("double"), f8("12345678.9")),
    rec(s("double"), f8("0.00012")),
    rec(s("double"), f8("-0.0")),
    rec(BOOL, True),
    rec(STR, "42"),
    rec(STR, "-0042"),
    rec(STR, "4.5"),
    rec(STR, " 1e3 "),
    rec(STR, "300"),
    rec(STR, "TRUE"),
    rec(STR, "x"),
    rec(STR, "Infinity"),
    rec(s("string", o=1, d="7", name="n", version=2, doc="d"), "9"),
    rec(s("bytes"), hx("00ff10")),
    rec(decimal(2), dec("300.75")),
    rec(DATE, ms(86400000 * 3)),
    rec(DATE, ms(0)),
    rec(TIME, ms(3723004)),
    rec(TIMESTAMP, ms(1483425001864)),
    rec(TIMESTAMP, ms(-5)),
    rec(opt(TIMESTAMP), ms(86400000)),
    rec(array(INT32), [i4(1)]),
    rec(mapping(STR, INT32), M(a=i4(1))),
    rec(INNER, S(x=i4(1))),
    rec(None, i8(300)),
    rec(None, f8("3.7")),
    rec(None, True),
    rec(None, "12"),
    rec(None, "zwölf"),
    rec(None, hx("00ff")),
    rec(None, [i8(1)]),
    rec(None, M(a=i8(1))),
    rec(None, ms(5)),
    rec(None, None),
    rec(opt(INT32), None),
]


def casts():
    for target in TYPES:
        yield case(f"{P}Cast$Value", {"spec": target}, *NUMBERS)
    fields = (
        "i8:int64,i16:string,i32:int8,i64:string,f32:int32,f64:float32,b:string,s:int32,by:string,dec:float64"
    )
    yield from both("Cast", {"spec": fields + ",date:int32,time:string,ts:int64"}, *EVERY)
    yield case(f"{P}Cast$Value", {"spec": "date:string,ts:string,time:int64"}, *EVERY[:2])
    yield case(
        f"{P}Cast$Value",
        {"spec": " i8 : INT16 , f64:string", "replace.null.with.default": "false"},
        *EVERY[:3],
    )
    yield case(f"{P}Cast$Value", {"spec": "missing:int8"}, rec(ALL, FULL), rec(None, SCHEMALESS))
    yield case(f"{P}Cast$Value", {"spec": "arr:string"}, rec(ALL, FULL), rec(None, SCHEMALESS))
    yield case(f"{P}Cast$Value", {"spec": "in:string"}, rec(ALL, FULL), rec(ALL, SPARSE))
    defaults = st({"a": s("int32", d=i4(5)), "b": s("string", d="8", o=1)}, d=S(a=i4(1), b="2"))
    yield case(f"{P}Cast$Value", {"spec": "a:string,b:int8"}, rec(defaults, S(a=None, b=None)))
    yield case(
        f"{P}Cast$Value",
        {"spec": "a:string,b:int8", "replace.null.with.default": False},
        rec(st({"a": s("int32", d=i4(5)), "b": s("string", d="8", o=1)}), S(a=i4(1), b=None)),
    )
    yield case(f"{P}Cast$Value", {"spec": "string"}, rec(s("int32", d=i4(5), name="n"), i4(1)))
    for spec in (
        "",
        "a:b:c",
        "a:int9",
        "a:bytes",
        "a:struct",
        "int8,int16",
        "int8,a:int8",
        "a:int8,a:string",
    ):
        yield case(f"{P}Cast$Value", {"spec": spec}, rec(None, M(a="1")))
    yield case(f"{P}Cast$Value", {"spec": "bytes"})
    yield case(
        f"{P}Cast$Value", {"spec": "int9"}, ours={"config": "Invalid type found in casting spec: int9"}
    )
    yield case(f"{P}Cast$Value", {})


def extracts():
    for field in ("i32", "i64", "f64", "in", "arr", "map", "b", "dec", "ts"):
        yield from both("ExtractField", {"field": field}, *EVERY)
    yield case(f"{P}ExtractField$Value", {"field": "i64", "replace.null.with.default": "false"}, *EVERY[:2])
    yield case(f"{P}ExtractField$Value", {"field": "nix"}, *EVERY)
    nested = [rec(ALL, FULL), rec(ALL, SPARSE), rec(None, SCHEMALESS), rec(opt(ALL), None), rec(None, None)]
    v2 = {"field.syntax.version": "V2"}
    for field in (
        "in.x",
        "in.y",
        "in.nix",
        "nix.x",
        "i32.x",
        "map.k",
        "map.deep.z",
        "map.nix.z",
        "s.z",
        "i32",
    ):
        yield case(f"{P}ExtractField$Value", {"field": field, **v2}, *nested)
    yield case(
        f"{P}ExtractField$Value", {"field": "in.y", "replace.null.with.default": "false", **v2}, *nested
    )
    dotted = M(
        ("a.b", M(("c", i8(1)), ("d.e", i8(2)))),
        ("f`g", i8(3)),
        ("h`", M(i=i8(4))),
        ("", i8(5)),
        ("j.", i8(6)),
        ("`k", i8(7)),
        ("a`.b", i8(8)),
    )
    for field in (
        "`a.b`.c",
        "`a.b`.`d.e`",
        "f`g",
        "`f`g`",
        "h`.i",
        "`h`.i",
        "`j.`",
        "j.",
        "",
        ".",
        "a..b",
        "`a.b",
        "`a\\`.b`",
        "`a.b\\`",
        "`k",
        "x.`y",
        "``k`",
        "`a.b`c",
        "a.b",
        "`",
    ):
        yield case(
            f"{P}ExtractField$Value",
            {"field": field, **v2},
            rec(None, dotted),
            ours=None if field else {"config": "*"},
        )
    yield case(f"{P}ExtractField$Value", {"field": "a.b"}, rec(None, dotted))
    yield case(f"{P}ExtractField$Value", {"field": "a", "field.syntax.version": "V3"})
    yield case(f"{P}ExtractField$Value", {"field": "a", "field.syntax.version": "v1"}, rec(None, M(a="x")))
    yield case(f"{P}ExtractField$Value", {})


def shapes():
    yield from both("HoistField", {"field": "h"}, *EVERY, rec(s("int32", d=i4(3)), None), rec(INT32, None))
    yield case(f"{P}HoistField$Value", {})
    yield from both(
        "Flatten",
        {},
        rec(INNER, S(x=i4(1))),
        rec(None, M(a=M(b=M(c=i8(1)), d=None), e=[M(x="y")])),
        *NULLS,
        rec(ALL, FULL),
        *NOT_STRUCT,
    )
    tree = st(
        {
            "a": st(
                {
                    "b": st(
                        {
                            "c": s("int32", doc="c", name="C", version=1, parameters={"k": "v"}),
                            "d": s("string", d="dd"),
                        }
                    ),
                    "e": s("int64", o=1, d=i8(6)),
                },
                o=1,
            ),
            "f": array(st({"g": INT32}), o=1),
            "h": decimal(2, o=1),
            "i": opt(TIMESTAMP),
        },
        name="tree",
        version=1,
        doc="doc",
    )
    one = S(a=S(b=S(c=i4(1), d=None), e=None), f=[S(g=i4(2))], h=dec("1.25"), i=ms(5))
    two = S(a=None, f=None, h=None, i=None)
    deep_default = st(
        {"a": st({"b": INT32, "c": s("string", o=1)}, o=1, d=S(b=i4(7), c="x")), "z": INT32},
        d=S(a=S(b=i4(8), c="y"), z=i4(1)),
    )
    values = [
        rec(tree, one),
        rec(tree, two),
        rec(opt(tree), two),
        rec(deep_default, S(a=None, z=i4(2))),
        rec(deep_default, S(a=S(b=i4(1), c=None), z=i4(2))),
    ]
    for delimiter in (".", "_", ""):
        yield from both("Flatten", {"delimiter": delimiter}, *values)
    clash = st({"a": st({"b": INT32}), "a_b": INT32})
    yield case(f"{P}Flatten$Value", {"delimiter": "_"}, rec(clash, S(a=S(b=i4(1)), a_b=i4(2))))
    yield case(
        f"{P}Flatten$Value",
        {"delimiter": "#"},
        rec(None, M(a=M(b=dec("1")))),
        rec(None, M(a=ms(1))),
        rec(None, M(a=M(), b=[])),
        rec(None, M(("", i8(1)), ("x", M(("", i8(2)))))),
    )
    for config in (
        {"schema.name": "new"},
        {"schema.version": "9"},
        {"schema.name": "new", "schema.version": "9"},
        {"schema.name": "", "replace.null.with.default": "false"},
        {"schema.version": "x"},
        {},
    ):
        # Java fails for schemas that are no structs, although their name could be set.
        plain = (
            dict.fromkeys((6, 7, 11, 12), "ok")
            if len(config) > 0 and config.get("schema.version") != "x"
            else None
        )
        yield from both(
            "SetSchemaMetadata",
            config,
            *EVERY,
            rec(array(INT32), [i4(1)]),
            rec(mapping(STR, INT32), M(a=i4(1))),
            ours=plain,
        )


def fields():
    for config in (
        {"fields": "i32,b,ts"},
        {"fields": "i64,f64"},
        {"fields": "i64,f64", "replace.null.with.default": "false"},
        {"fields": "in,arr"},
        {"fields": "nix"},
        {"fields": "i32,i32"},
        {"fields": ""},
        {},
    ):
        yield case(f"{P}ValueToKey", config, *EVERY)
    for config in (
        {"exclude": "i8,in,nix"},
        {"include": "i8,s,in"},
        {"include": "i8,s", "exclude": "s"},
        {"renames": "i8:a,s:b"},
        {"renames": "i8:s,s:i8", "include": "s,i8"},
        {"include": "i64,f64", "renames": "i64:long", "replace.null.with.default": "false"},
        {"include": "i64,f64"},
        {"include": "nix"},
        {},
    ):
        yield from both("ReplaceField", config, *EVERY)
    for renames in ("a", "a:b:c", ":b", "a:", ""):
        yield case(f"{P}ReplaceField$Value", {"renames": renames}, rec(None, M(a="1")))
    for config in (
        {"fields": "i8,i16,i32,i64,f32,f64,b,s,dec,date,time,ts,arr,map"},
        {"fields": "in"},
        {"fields": "by"},
        {"fields": "nix,s"},
        {"fields": "i8,i16,i32,i64,f32,f64,s,dec", "replacement": "12"},
        {"fields": "s", "replacement": "xxx"},
        {"fields": "i8", "replacement": "xxx"},
        {"fields": "i8", "replacement": "300"},
        {"fields": "f64", "replacement": "1.5x"},
        {"fields": "dec", "replacement": "x"},
        {"fields": "b", "replacement": "1"},
        {"fields": "ts", "replacement": "1"},
        {"fields": "map", "replacement": "1"},
        {"fields": "i64,f64", "replace.null.with.default": "false"},
        {"fields": "s", "replacement": ""},
        {"fields": ""},
        {},
    ):
        yield from both("MaskField", config, *EVERY)
    numbers = rec(
        None, M(i=i8(1), f=f8("1.5"), d=dec("1.5"), s="s", t=ms(5), b=True, l=[i8(1)], m=M(a="b"), n=None)
    )
    yield case(f"{P}MaskField$Value", {"fields": "i,f,d,s,t,b,l,m,n"}, numbers)
    yield case(f"{P}MaskField$Value", {"fields": "i,f,d,s,n", "replacement": "7"}, numbers)


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


def routes():
    for regex, replacement, *topics in (
        ("(.*)-(.*)-(.*)", "$1$3", "orders-20160911-tab", "orders"),
        ("(.*)", "x-$0", "a.b"),
        ("db\\.(?<table>.*)", "${table}_t", "db.orders", "dbxorders"),
        ("[a-z]+", "\\$x", "abc", "abc1"),
        ("a", "", "a"),
        ("(a)(b)?", "$1-$2", "a", "ab"),
        ("(a)", "$2", "a", "b"),
        ("(a)", "$", "a"),
        ("(a)", "${x}", "a"),
        ("(a)", "$x", "a"),
        ("(a)", "x\\", "a"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "$11-$12", "abcdefghijk"),
        ("\\Qa.b\\E.*", "q", "a.bc", "axbc"),
        ("(?i)ABC", "x", "abc"),
        ("\\p{Alpha}+\\p{Digit}*", "x", "abc12", "äb"),
        ("(", "x", "a"),
        ("a*", "x", "b", "aa"),
        ("(?:pre\\.)?(.*)", "$1", "pre.x", "x"),
        ("\\w+", "w", "ä", "a_1"),
    ):
        differ: Any = {"config": "*"} if regex == "(" else None
        if replacement == "":
            differ = {0: "*"}  # a record without topic would be lost
        yield case(
            f"{P}RegexRouter",
            {"regex": regex, "replacement": replacement},
            *(rec(topic=t) for t in topics),
            ours=differ,
        )
    yield case(f"{P}RegexRouter", {"regex": "a"})
    yield case(f"{P}TimestampRouter", {}, rec(), rec(topic="a$b"), rec(timestamp=0))
    yield case(f"{P}TimestampRouter", {}, rec(timestamp=None), ours={0: "*"})
    for topic, form in (
        ("${timestamp}_${topic}", "yyyy-MM-dd'T'HH:mm:ss.SSS"),
        ("${topic}/${topic}", "YYYY'w'ww"),
        ("x", "yy"),
        ("${timestamp}", "EEE, d MMM yyyy HH:mm:ss Z"),
        ("${timestamp}", "EEEE MMMM dd hh:mm a z XXX"),
        ("${timestamp}", "D F W u k K"),
        ("${timestamp}", "G y yyyyy MM M"),
        ("${timestamp}", "'it''s' ''yyyy"),
    ):
        stamps = (1483425001864, 0, 951782400000, 1735689599999, 1704067200000, 1609372800000)
        yield case(
            f"{P}TimestampRouter",
            {"topic.format": topic, "timestamp.format": form},
            *(rec(timestamp=t) for t in stamps),
        )
    yield case(f"{P}TimestampRouter", {"timestamp.format": "bbb"}, ours={"config": "*"})
    predicates = [
        rec(ALL, FULL),
        rec(),
        rec(topic="db.t"),
        rec(headers=[header("h")]),
        rec(headers=[header("x"), header("h", STR, "1")]),
    ]
    yield case(f"{P}predicates.RecordIsTombstone", {}, *predicates)
    yield case(f"{P}predicates.TopicNameMatches", {"pattern": "t|db"}, *predicates)
    yield case(f"{P}predicates.TopicNameMatches", {"pattern": "(?<x>d)b\\..*"}, *predicates)
    yield case(f"{P}predicates.TopicNameMatches", {"pattern": "("}, ours={"config": "*"})
    yield case(f"{P}predicates.TopicNameMatches", {})
    yield case(f"{P}predicates.HasHeaderKey", {"name": "h"}, *predicates)
    yield case(f"{P}predicates.HasHeaderKey", {"name": ""})


def cases():
    for family in (casts, extracts, shapes, fields, inserts, routes, timestamps):
        yield from family()
