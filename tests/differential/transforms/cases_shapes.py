"""Cases for transforms that change the shape of rows or the description of their schema."""

from __future__ import annotations

from tests.differential.transforms.samples import ALL, EVERY, FULL, INNER, INT32, NOT_STRUCT, NULLS, STR
from tests.differential.transforms.shapes import (
    TIMESTAMP,
    M,
    P,
    S,
    array,
    both,
    case,
    dec,
    decimal,
    i4,
    i8,
    mapping,
    ms,
    opt,
    rec,
    s,
    st,
)


def reshapings():
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
