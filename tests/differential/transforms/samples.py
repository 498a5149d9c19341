"""Rows of every type and what is no row, for the cases of Kafka Connect's transforms."""

from __future__ import annotations

from tests.differential.transforms.shapes import (
    DATE,
    TIME,
    TIMESTAMP,
    M,
    S,
    array,
    dec,
    decimal,
    f4,
    f8,
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
