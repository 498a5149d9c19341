"""Geometric values: schemas and decoders for Postgres' own types, PostGIS and vectors.

Pure functions. Shapes become well-known binary (little-endian) in Debezium's structs.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Any, Final

from replicator.api import DataError, Schema, SchemaType
from replicator.api.logical import DBZ_GEOGRAPHY, DBZ_GEOMETRY, DBZ_POINT
from replicator.api.schema import (
    BYTES,
    FLOAT32,
    FLOAT64,
    INT16,
    OPTIONAL_BYTES,
    OPTIONAL_INT32,
    STRING,
    map_schema,
    struct_schema,
)

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|Infinity|NaN)")
_SRID_FLAG: Final = 0x20000000

POINT: Final = struct_schema(
    (("x", FLOAT64), ("y", FLOAT64), ("wkb", OPTIONAL_BYTES), ("srid", OPTIONAL_INT32)),
    name=DBZ_POINT,
    version=1,
).evolve(doc="Geometry (POINT)")
SHAPE: Final = struct_schema(
    (("wkb", BYTES), ("srid", OPTIONAL_INT32), ("extensions", map_schema(STRING, STRING, optional=True))),
    name=DBZ_GEOMETRY,
    version=2,
)
POSTGIS_GEOMETRY: Final = struct_schema(
    (("wkb", BYTES), ("srid", OPTIONAL_INT32)), name=DBZ_GEOMETRY, version=1
)
POSTGIS_GEOGRAPHY: Final = POSTGIS_GEOMETRY.evolve(name=DBZ_GEOGRAPHY)
CIRCLE: Final = struct_schema(
    (("center", POINT), ("radius", FLOAT64)), name="io.debezium.data.geometry.Circle", version=1
)
LINE: Final = struct_schema(
    (("a", FLOAT64), ("b", FLOAT64), ("c", FLOAT64)), name="io.debezium.data.geometry.Line", version=1
)
DOUBLE_VECTOR: Final = Schema(
    SchemaType.ARRAY, value_schema=FLOAT64, name="io.debezium.data.DoubleVector", version=1
)
FLOAT_VECTOR: Final = Schema(
    SchemaType.ARRAY, value_schema=FLOAT32, name="io.debezium.data.FloatVector", version=1
)
SPARSE_VECTOR: Final = struct_schema(
    (("dimensions", INT16), ("vector", map_schema(INT16, FLOAT64))),
    name="io.debezium.data.SparseDoubleVector",
    version=1,
)


def _numbers(text: str) -> list[float]:
    return [float(n) for n in _NUMBER.findall(text)]


def _points(text: str) -> list[tuple[float, float]]:
    flat = _numbers(text)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _point(x: float, y: float) -> dict[str, Any]:
    return {"x": x, "y": y, "wkb": struct.pack("<BIdd", 1, 1, x, y), "srid": None}


def _line_wkb(points: Sequence[tuple[float, float]]) -> bytes:
    return struct.pack("<BII", 1, 2, len(points)) + b"".join(struct.pack("<dd", *p) for p in points)


def _polygon_wkb(points: Sequence[tuple[float, float]]) -> bytes:
    ring = [*points, points[0]]
    return struct.pack("<BIII", 1, 3, 1, len(ring)) + b"".join(struct.pack("<dd", *p) for p in ring)


def _shape(wkb: bytes, kind: str, closed: bool | None = None) -> dict[str, Any]:
    extensions = {"type": kind} if closed is None else {"type": kind, "closed": str(closed).lower()}
    return {"wkb": wkb, "srid": None, "extensions": extensions}


def point(text: str) -> dict[str, Any]:
    """`(x,y)`."""
    x, y = _numbers(text)
    return _point(x, y)


def box(text: str) -> dict[str, Any]:
    """`(x1,y1),(x2,y2)`, two opposite corners."""
    (x1, y1), (x2, y2) = _points(text)
    return _shape(_polygon_wkb([(x1, y1), (x1, y2), (x2, y2), (x2, y1)]), "box")


def lseg(text: str) -> dict[str, Any]:
    """`[(x1,y1),(x2,y2)]`."""
    return _shape(_line_wkb(_points(text)), "lseg")


def path(text: str) -> dict[str, Any]:
    """`[...]` is open, `(...)` is closed."""
    return _shape(_line_wkb(_points(text)), "path", text.startswith("("))


def polygon(text: str) -> dict[str, Any]:
    """`((x1,y1),...)`."""
    return _shape(_polygon_wkb(_points(text)), "polygon")


def circle(text: str) -> dict[str, Any]:
    """`<(x,y),r>`."""
    x, y, radius = _numbers(text)
    return {"center": _point(x, y), "radius": radius}


def line(text: str) -> dict[str, Any]:
    """`{a,b,c}`."""
    a, b, c = _numbers(text)
    return {"a": a, "b": b, "c": c}


def postgis(text: str) -> dict[str, Any]:
    """Hexadecimal EWKB; the SRID is taken out of the bytes.

    Raises:
        DataError: not EWKB.
    """
    try:
        raw = bytes.fromhex(text)
        order = "<" if raw[0] == 1 else ">"
        (kind,) = struct.unpack_from(order + "I", raw, 1)
        if not kind & _SRID_FLAG:
            return {"wkb": raw, "srid": None}
        (srid,) = struct.unpack_from(order + "i", raw, 5)
    except (ValueError, IndexError, struct.error) as error:
        raise DataError(f"Not a PostGIS value: {error}") from None
    return {"wkb": raw[:1] + struct.pack(order + "I", kind & ~_SRID_FLAG) + raw[9:], "srid": srid}


def vector(text: str) -> list[float]:
    """`[1,2,3]`."""
    return _numbers(text)


def sparse_vector(text: str) -> dict[str, Any]:
    """`{1:1.5,3:2}/5`."""
    body, _, dimensions = text.partition("/")
    pairs = (pair.split(":") for pair in body[1:-1].split(",") if pair)
    return {"dimensions": int(dimensions), "vector": {int(i): float(v) for i, v in pairs}}
