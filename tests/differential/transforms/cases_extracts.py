"""Cases for ExtractField."""

from __future__ import annotations

from tests.differential.transforms.samples import ALL, EVERY, FULL, SCHEMALESS, SPARSE
from tests.differential.transforms.shapes import M, P, both, case, i8, opt, rec


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
