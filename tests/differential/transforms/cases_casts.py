"""Cases for Cast."""

from __future__ import annotations

from tests.differential.transforms.samples import (
    ALL,
    BOOL,
    EVERY,
    FULL,
    INNER,
    INT32,
    SCHEMALESS,
    SPARSE,
    STR,
)
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
