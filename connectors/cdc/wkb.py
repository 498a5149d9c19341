"""Well-known binary, plain and extended (with a spatial reference): rewritten without being understood further. Pure.

Extended is PostGIS' form: flags for Z, M and the reference in the type, and the reference behind it.
"""

from __future__ import annotations

import struct
from typing import Final

_Z: Final = 0x80000000
_M: Final = 0x40000000
_SRID: Final = 0x20000000
_POINT, _LINE, _POLYGON, _COLLECTIONS = 1, 2, 3, (4, 5, 6, 7)


class InvalidGeometryError(ValueError):
    """The bytes are no geometry."""


def is_extended(wkb: bytes) -> bool:
    """Whether the bytes say their spatial reference.

    Raises:
        InvalidGeometryError: they are too short for a geometry.
    """
    return bool(_kind(wkb)[1] & _SRID)


def as_extended(wkb: bytes, srid: int | None) -> bytes:
    """With the spatial reference in it; without a reference, and if there is one already, as it is.

    Raises:
        InvalidGeometryError: the bytes are too short for a geometry.
    """
    order, kind = _kind(wkb)
    if kind & _SRID or srid is None:
        return wkb
    return wkb[:1] + struct.pack(f"{order}Ii", kind | _SRID, srid) + wkb[5:]


def as_plain(wkb: bytes) -> bytes:
    """Without a spatial reference.

    Raises:
        InvalidGeometryError: the bytes are too short for a geometry.
    """
    order, kind = _kind(wkb)
    return wkb[:1] + struct.pack(f"{order}I", kind & ~_SRID) + wkb[9:] if kind & _SRID else wkb


def swapped(wkb: bytes) -> bytes:
    """With x and y exchanged in every point.

    Raises:
        InvalidGeometryError: the bytes are no geometry.
    """
    made = bytearray(wkb)
    try:
        _swap(made, 0)
    except struct.error:
        raise InvalidGeometryError("The geometry ends too early") from None
    return bytes(made)


def _kind(wkb: bytes) -> tuple[str, int]:
    if len(wkb) < 5:
        raise InvalidGeometryError("A geometry has at least five bytes")
    order = "<" if wkb[0] == 1 else ">"
    return order, int(struct.unpack_from(f"{order}I", wkb, 1)[0])


def _swap(made: bytearray, at: int) -> int:
    """Exchange in place the coordinates of the geometry at a position; the position behind it."""
    order = "<" if made[at : at + 1] == b"\x01" else ">"
    kind: int = struct.unpack_from(f"{order}I", made, at + 1)[0]
    at += 9 if kind & _SRID else 5
    stride = 2 + bool(kind & _Z) + bool(kind & _M)
    base = kind & 0xFF
    if base == _POINT:
        return _swap_points(made, at, 1, stride)
    if base == _LINE:
        return _swap_line(made, at, order, stride)
    if base != _POLYGON and base not in _COLLECTIONS:
        raise InvalidGeometryError(f"Invalid geometry type: {base}")
    (count,) = struct.unpack_from(f"{order}I", made, at)
    at += 4
    for _ in range(count):
        at = _swap_line(made, at, order, stride) if base == _POLYGON else _swap(made, at)
    return at


def _swap_line(made: bytearray, at: int, order: str, stride: int) -> int:
    (count,) = struct.unpack_from(f"{order}I", made, at)
    return _swap_points(made, at + 4, count, stride)


def _swap_points(made: bytearray, at: int, count: int, stride: int) -> int:
    end = at + count * stride * 8
    if end > len(made):
        raise InvalidGeometryError("The geometry ends too early")
    for place in range(at, end, stride * 8):
        made[place : place + 16] = made[place + 8 : place + 16] + made[place : place + 8]
    return end
