"""Avro's binary form of single values. Pure functions, any thread.

Keeps INV-7: a value of another type, or a number that the type cannot hold, raises DataError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.logical_values import unscaled_bytes
from replicator.api.schema import SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import decimal_parts
from replicator.converters.registry.avro_model import AvroNode

Append = Callable[[bytes], None]
Write = Callable[[Append, Any], None]

CACHED: Final = 8192
_INT = (-(1 << 31), 1 << 31)
_LONG = (-(1 << 63), 1 << 63)
RANGES: Final = {
    SchemaType.INT8: (-(1 << 7), 1 << 7),
    SchemaType.INT16: (-(1 << 15), 1 << 15),
    SchemaType.INT32: _INT,
    SchemaType.INT64: _LONG,
}


def varint(number: int) -> bytes:
    """Zigzag and seven bits a byte, as Avro writes integers."""
    rest = (number << 1) ^ (number >> 63)
    made = bytearray()
    while rest > 127:
        made.append(rest & 127 | 128)
        rest >>= 7
    made.append(rest)
    return bytes(made)


# Indexed by the number itself: negative ones count from the end.
SMALL: Final = [*(varint(n) for n in range(CACHED)), *(varint(n) for n in range(-CACHED, 0))]
END: Final = b"\x00"
_PACK_FLOAT: Final = struct.Struct("<f").pack
PACK_DOUBLE: Final = struct.Struct("<d").pack


def class_name(value: Any) -> str:
    """The type of a value, for messages."""
    return type(value).__name__


def wrong_type(kind: str, value: Any) -> DataError:
    return DataError(f"Invalid type for {kind}: {class_name(value)}")


def integer(kind: SchemaType) -> Callable[[Any], bytes]:
    """The bytes of an integer of this type."""
    low, high = RANGES[kind]

    def encode(value: Any) -> bytes:
        if type(value) is not int:
            raise wrong_type(kind.name, value)
        if not low <= value < high:
            raise DataError(f"Invalid value for {kind.name}: {value} does not fit")
        return SMALL[value] if -CACHED <= value < CACHED else varint(value)

    return encode


def text(value: Any) -> bytes:
    """The bytes of a string."""
    if not isinstance(value, str):
        raise wrong_type("STRING", value)
    try:
        raw = value.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"Invalid text: {error}") from error
    size = len(raw)
    return (SMALL[size] if size < CACHED else varint(size)) + raw


def raw_bytes(value: Any) -> bytes:
    """The bytes of a byte string."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise wrong_type("BYTES", value)
    raw = bytes(value)
    return varint(len(raw)) + raw


def boolean(value: Any) -> bytes:
    """The byte of a boolean."""
    if value is True:
        return b"\x01"
    if value is False:
        return b"\x00"
    raise wrong_type("BOOLEAN", value)


def _floating(kind: str, pack: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        if type(value) is not float and type(value) is not int:
            raise wrong_type(kind, value)
        try:
            return pack(value)
        except (struct.error, OverflowError) as error:
            raise DataError(f"Invalid value for {kind}: {value} does not fit") from error

    return encode


ENCODERS: Final[dict[SchemaType, Callable[[Any], bytes]]] = {
    **{kind: integer(kind) for kind in RANGES},
    SchemaType.FLOAT32: _floating("FLOAT32", _PACK_FLOAT),
    SchemaType.FLOAT64: _floating("FLOAT64", PACK_DOUBLE),
    SchemaType.BOOLEAN: boolean,
    SchemaType.STRING: text,
    SchemaType.BYTES: raw_bytes,
}
FITS: Final[dict[SchemaType, tuple[str, ...]]] = {
    SchemaType.INT8: ("int", "long", "float", "double"),
    SchemaType.INT16: ("int", "long", "float", "double"),
    SchemaType.INT32: ("int", "long", "float", "double"),
    SchemaType.INT64: ("long", "float", "double"),
    SchemaType.FLOAT32: ("float", "double"),
    SchemaType.FLOAT64: ("double",),
    SchemaType.BOOLEAN: ("boolean",),
    SchemaType.STRING: ("string", "enum", "bytes"),
    SchemaType.BYTES: ("bytes", "fixed", "string"),
    SchemaType.ARRAY: ("array",),
    SchemaType.MAP: ("map", "array"),
    SchemaType.STRUCT: ("record",),
}


def decimal(scale: int, size: int | None) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        unscaled, own = decimal_parts(value)
        if own != scale:
            raise DataError("Decimal value has mismatching scale for given Decimal schema")
        if size is None:
            return raw_bytes(unscaled_bytes(unscaled))
        try:
            return unscaled.to_bytes(size, "big", signed=True)
        except OverflowError as error:
            raise DataError(f"Decimal {value} does not fit {size} bytes") from error

    return encode


def enum(node: AvroNode) -> Callable[[Any], bytes]:
    numbers = {symbol: varint(i) for i, symbol in enumerate(node.symbols)}

    def encode(value: Any) -> bytes:
        found = numbers.get(value)
        if found is None:
            raise DataError(f"{value!r} is no symbol of the enum {node.name}")
        return found

    return encode


def fixed(node: AvroNode) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)) or len(value) != node.size:
            raise DataError(f"The fixed {node.name} needs {node.size} bytes")
        return bytes(value)

    return encode


@cache
def marked(mark: bytes) -> list[bytes]:
    """SMALL with the number of a union's branch in front."""
    return [mark + small for small in SMALL]


def fields_of(value: Any) -> dict[str, Any]:
    """The dict of a Struct."""
    if isinstance(value, Struct):
        return value.fields
    raise wrong_type("STRUCT", value)
