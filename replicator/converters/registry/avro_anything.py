"""Schemaless data in Avro: the record with one field per kind of value, written and read. Pure, any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from replicator.api.errors import DataError
from replicator.api.schema import SchemaType
from replicator.converters.registry.avro_decoding import PLAIN, Read, bad_branch, blocks, read_long
from replicator.converters.registry.avro_model import AvroNode
from replicator.converters.registry.avro_names import ANYTHING
from replicator.converters.registry.avro_scalars import (
    ENCODERS,
    END,
    PACK_DOUBLE,
    SMALL,
    Append,
    boolean,
    class_name,
    raw_bytes,
    text,
    varint,
)


class AnythingWriter:
    """Writes schemaless data as the record with one field per kind."""

    def __init__(self, node: AvroNode) -> None:
        if node.name != ANYTHING:
            raise DataError("Schemaless data cannot be written with this Avro schema")
        self._positions = {f.name: i for i, f in enumerate(node.fields)}
        self._count = len(node.fields)

    def write(self, append: Append, value: Any) -> None:
        """Write one value, null included."""
        kind, content = self._content(value)
        at = self._positions[kind] if kind else self._count
        append(END * at)
        if kind:
            append(SMALL[1])
            content(append)
            append(END * (self._count - at - 1))

    def _content(self, value: Any) -> tuple[str, Callable[[Append], None]]:
        if value is None:
            return "", lambda append: None
        if isinstance(value, bool):
            return "boolean", lambda append: append(boolean(value))
        if isinstance(value, int):
            # Whole numbers without a schema are Java's long everywhere in Connect.
            return "long", lambda append: append(ENCODERS[SchemaType.INT64](value))
        if isinstance(value, float):
            return "double", lambda append: append(PACK_DOUBLE(value))
        if isinstance(value, str):
            return "string", lambda append: append(text(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return "bytes", lambda append: append(raw_bytes(value))
        if isinstance(value, (list, tuple)):
            return "array", lambda append: self._list(append, value)
        if isinstance(value, dict):
            return "map", lambda append: self._entries(append, value)
        raise DataError(f"Unknown type for schemaless data: {class_name(value)}")

    def _list(self, append: Append, value: Any) -> None:
        if value:
            append(varint(len(value)))
            for element in value:
                self.write(append, element)
        append(END)

    def _entries(self, append: Append, value: dict[Any, Any]) -> None:
        if value:
            append(varint(len(value)))
            for key, one in value.items():
                self.write(append, key)
                self.write(append, one)
        append(END)


class AnythingReader:
    """Reads schemaless data out of the record with one field per kind."""

    def __init__(self, node: AvroNode) -> None:
        if node.name != ANYTHING:
            raise DataError("Invalid Avro data for schemaless Connect data")
        entries = blocks(self._entry, dict)
        special: dict[str, Read] = {"array": blocks(self.value, list), "map": entries}
        self._readers = [
            special.get(f.name) or PLAIN[next(b.type for b in f.node.branches if b.type != "null")]
            for f in node.fields
        ]

    def value(self, data: bytes, at: int) -> tuple[Any, int]:
        """One value."""
        found: Any = None
        for read in self._readers:
            index, at = read_long(data, at)
            if index == 1:
                found, at = read(data, at)
            elif index != 0:
                bad_branch(index)
        return found, at

    def _entry(self, data: bytes, at: int) -> tuple[Any, int]:
        key, at = self.value(data, at)
        one, at = self.value(data, at)
        return (key, one), at
