"""Cases for Debezium's transforms of geometries: extended and plain well-known binary, coordinates exchanged."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.differential.transforms.events import EVENTS, D, envelope, event
from tests.differential.transforms.shapes import Node, S, array, case, hx, i4, rec, s, st

GEOMETRY = st(
    {"wkb": s("bytes"), "srid": s("int32", o=1)}, name="io.debezium.data.geometry.Geometry", version=1, o=1
)
POINT = st(
    {"x": s("double"), "y": s("double"), "wkb": s("bytes", o=1), "srid": s("int32", o=1)},
    name="io.debezium.data.geometry.Point",
    version=1,
    o=1,
)
ROW = st(
    {"id": s("int32"), "g": GEOMETRY, "p": POINT, "list": array(GEOMETRY, optional=True)}, name="p.Value", o=1
)
Z, M, SRID = 0x80000000, 0x40000000, 0x20000000
SRIDS = (4326, 3857, 4269, 25832, None)


FILLED_IN = dict.fromkeys((0, 1, 2, 3, 8, 10, 11), "ok")
"""Debezium fills in defaults, where nothing is to convert, too."""


def geometry(kind: int, body: bytes, *, order: str = "<", srid: int | None = None) -> bytes:
    """Well-known binary, extended when `srid` is there."""
    head = struct.pack(f"{order}BI", int(order == "<"), kind | (SRID if srid is not None else 0))
    return head + (b"" if srid is None else struct.pack(f"{order}I", srid)) + body


def numbers(*values: float, order: str = "<") -> bytes:
    return struct.pack(f"{order}{len(values)}d", *values)


def counted(*parts: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}I", len(parts)) + b"".join(parts)


def line(*values: float, stride: int = 2, order: str = "<") -> bytes:
    return struct.pack(f"{order}I", len(values) // stride) + numbers(*values, order=order)


RING = line(0, 1, 2, 3, 4, 5, 0, 1)
SHAPES = {
    "point": geometry(1, numbers(1, 2)),
    "big endian": geometry(1, numbers(1, 2, order=">"), order=">"),
    "point z": geometry(1 | Z, numbers(1, 2, 3)),
    "point m": geometry(1 | M, numbers(1, 2, 3)),
    "point zm": geometry(1 | Z | M, numbers(1, 2, 3, 4)),
    "line": geometry(2, line(1, 2, 3, 4)),
    "line z": geometry(2 | Z, line(1, 2, 9, 3, 4, 9, stride=3)),
    "polygon": geometry(3, counted(RING, RING)),
    "points": geometry(
        4, counted(geometry(1, numbers(1, 2)), geometry(1, numbers(3, 4, order=">"), order=">"))
    ),
    "lines": geometry(5, counted(geometry(2, line(1, 2, 3, 4)))),
    "polygons": geometry(6, counted(geometry(3, counted(RING)))),
    "collection": geometry(7, counted(geometry(1, numbers(1, 2)), geometry(2, line(1, 2, 3, 4)))),
    "empty collection": geometry(7, counted()),
}
BROKEN = {"unknown kind": geometry(99, b""), "too short": geometry(2, line(1, 2, 3, 4))[:-4], "nothing": b""}


def row(wkb: bytes | None, srid: int | None) -> Node:
    value = None if wkb is None else S(wkb=hx(wkb.hex()), srid=None if srid is None else i4(srid))
    return S(id=i4(1), g=value, p=None, list=[] if value is None else [value])


def cases() -> Iterator[Node]:
    swap, form = f"{D}SwapGeometryCoordinates", f"{D}GeometryFormatTransformer"
    plain = [rec(ROW, row(wkb, 4326)) for wkb in SHAPES.values()]
    extended = [
        rec(ROW, row(struct.pack("<BII", 1, wkb[1] | wkb[4] << 24 | SRID, 4326) + wkb[5:], 4326))
        for name, wkb in SHAPES.items()
        if name != "big endian"
    ]
    broken = [rec(ROW, row(wkb, 4326)) for wkb in BROKEN.values()]
    point = SHAPES["point"]
    others = [rec(ROW, row(point, srid)) for srid in SRIDS]
    changes = [
        event("u", row(point, 4326), row(SHAPES["line"], 4326), envelope(ROW)),
        event("c", None, row(None, None), envelope(ROW)),
    ]
    for config in ({}, {"srids": "25832"}, {"srids": "4326, 25832"}, {"srids": "x"}):
        # Of parts in another byte order than the whole Debezium makes what nobody can read.
        wrong = {"config": "*"} if config.get("srids") == "x" else {8: "ok", 20: "ok"}
        yield case(swap, config, *plain, *extended, *others, *changes, ours=wrong)
    yield case(swap, {}, *broken)
    yield case(swap, {}, *EVENTS, ours=FILLED_IN)
    for config in ({}, {"format": "wkb"}, {"format": "ewkb"}, {"format": "EWKB"}, {"format": "x"}):
        yield case(form, config, *plain, *others[:-1], *changes)
        yield case(form, config, *extended)
        yield case(form, config, others[-1])
    yield case(form, {}, *broken, ours={2: "Invalid geometry: A geometry has at least five bytes"})
    yield case(form, {}, *EVENTS, ours=FILLED_IN)
