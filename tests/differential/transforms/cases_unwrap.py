"""Cases for Debezium's transforms that turn change events into rows, or tell what changed in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.differential.transforms.cases_small_rows import others
from tests.differential.transforms.events import AFTER, BEFORE, EVENTS, TOMBSTONE, D, envelope, event
from tests.differential.transforms.shapes import Node, S, array, case, header, i1, i4, mapping, s, st

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
