"""Avro's binary form of single values, lists and maps, read. Pure functions, any thread.

A reader takes the bytes and a position and gives the value and the position after it. Bytes that end too early
are noticed once at the end, or by an index error before (INV-7).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.logical import DECIMAL
from replicator.api.logical_values import decimal_of, scale_of
from replicator.api.schema import Schema
from replicator.converters.json_logical import decoder
from replicator.converters.registry.avro_model import AvroNode

Read = Callable[[bytes, int], tuple[Any, int]]

BROKEN: Final = (IndexError, UnicodeDecodeError, struct.error, OverflowError, RecursionError)
_MOST_EMPTY_ITEMS: Final = 1_000_000
_FLOAT: Final = struct.Struct("<f").unpack_from
_DOUBLE: Final = struct.Struct("<d").unpack_from


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """An integer of up to 64 bits."""
    made = shift = 0
    while True:
        byte = data[at]
        at += 1
        made |= (byte & 127) << shift
        if byte < 128:
            return (made >> 1) ^ -(made & 1), at
        shift += 7
        if shift > 63:
            raise DataError("Error deserializing Avro message: Invalid long encoding")


def _size(data: bytes, at: int) -> tuple[int, int]:
    size, at = read_long(data, at)
    if size < 0:
        raise DataError(f"Error deserializing Avro message: Malformed data. Length is negative: {size}")
    if size > len(data) - at:
        raise DataError("Error deserializing Avro message: the message ends too early")
    return size, at


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """A string."""
    size, at = _size(data, at)
    return data[at : at + size].decode(), at + size


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """A byte string."""
    size, at = _size(data, at)
    return data[at : at + size], at + size


def _read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    byte = data[at]
    if byte > 1:
        raise DataError(f"Error deserializing Avro message: {byte} is no boolean")
    return byte == 1, at + 1


def _read_float(data: bytes, at: int) -> tuple[float, int]:
    return _FLOAT(data, at)[0], at + 4


def _read_double(data: bytes, at: int) -> tuple[float, int]:
    return _DOUBLE(data, at)[0], at + 8


def read_null(data: bytes, at: int) -> tuple[None, int]:
    """Nothing."""
    return None, at


PLAIN: Final[dict[str, Read]] = {
    "null": read_null,
    "boolean": _read_boolean,
    "int": read_long,
    "long": read_long,
    "float": _read_float,
    "double": _read_double,
    "string": read_text,
    "bytes": read_bytes,
}


def bad_branch(index: int) -> Any:
    """Raise: a union has no such branch."""
    raise DataError(f"Error deserializing Avro message: a union has no branch {index}")


def converted(read: Read, convert: Callable[[Any], Any]) -> Read:
    """A reader whose values are converted."""

    def read_converted(data: bytes, at: int) -> tuple[Any, int]:
        value, at = read(data, at)
        return convert(value), at

    return read_converted


def read_enum(node: AvroNode) -> Read:
    """The reader of an enum's symbols."""
    symbols = node.symbols

    def read(data: bytes, at: int) -> tuple[str, int]:
        index, at = read_long(data, at)
        if not 0 <= index < len(symbols):
            raise DataError(f"Error deserializing Avro message: the enum {node.name} has no symbol {index}")
        return symbols[index], at

    return read


def read_fixed(size: int) -> Read:
    """The reader of as many bytes."""
    return lambda data, at: (data[at : at + size], at + size)


def blocks(item: Read, make: Callable[[list[Any]], Any]) -> Read:
    """Lists and maps come in blocks, each with its count and perhaps its size in bytes."""

    def read(data: bytes, at: int) -> tuple[Any, int]:
        found: list[Any] = []
        while True:
            count, at = read_long(data, at)
            if count == 0:
                return (found if make is list else make(found)), at
            if count < 0:
                count = -count
                _, at = read_long(data, at)
            if count > max(len(data), _MOST_EMPTY_ITEMS):
                raise DataError(f"Error deserializing Avro message: a block of {count} items")
            for _ in range(count):
                one, at = item(data, at)
                found.append(one)

    return read


def conversion(schema: Schema) -> Callable[[Any], Any]:
    """From the base type of a logical schema to its Python object."""
    if schema.name != DECIMAL:
        return decoder(schema)
    return partial(decimal_of, scale=scale_of(schema))
