"""Cases for transforms that choose, rename or mask fields."""

from __future__ import annotations

from tests.differential.transforms.samples import EVERY
from tests.differential.transforms.shapes import M, P, both, case, dec, f8, i8, ms, rec


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
