"""PartitionRouting: the partition of a change event computed from fields of its payload. Task thread.

The hashes are Java's, so that records go where a Java worker would send them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from connectors.cdc.murmur3 import murmur3
from connectors.cdc.smt_options import option, refused, require
from connectors.cdc.unwrap import is_envelope
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_MASK: Final = 0xFFFFFFFF
_LARGEST: Final = 0x7FFFFFFF


class PartitionRouting(Transformation):
    """Sends change events to the partition that their fields hash to; other records pass."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.partitions.PartitionRouting",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        group = "partitions"
        return ConfigDef(
            option(
                "partition.payload.fields",
                Type.LIST,
                None,
                "List of payload fields to use for compute partition.",
                "Fields of the event, nested names joined by dots, for example source.table. The prefix change. stands "
                "for after or, in deletes, before. A field that an event does not have is left out.",
                importance=Importance.HIGH,
                group=group,
                width=Width.NONE,
            ),
            option(
                "partition.topic.num",
                Type.INT,
                None,
                "Number of partition configured for topic",
                "How many partitions the topic has; a TopicNameMatches predicate chooses the topic.",
                importance=Importance.HIGH,
                group=group,
                order=2,
                width=Width.NONE,
            ),
            option(
                "partition.hash.function",
                Type.STRING,
                "java",
                "Hash function",
                "How fields are hashed: java or murmur.",
                group=group,
                order=3,
                width=Width.NONE,
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        require(options, "partition.topic.num", "partition.payload.fields")
        self._partitions: int = options["partition.topic.num"]
        if self._partitions < 1:
            why = "A positive, non-zero integer value is expected"
            raise refused("partition.topic.num", self._partitions, why)
        self._paths = [tuple(name.strip().split(".")) for name in options["partition.payload.fields"]]
        murmur = str(options["partition.hash.function"]).strip().lower() == "murmur"
        self._hash: Callable[[Any, Schema], int] = murmur_hash if murmur else java_hash

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None or not is_envelope(record):
            return record
        envelope: Struct = record.value
        operation = envelope.fields.get("op")
        if operation in ("t", "m"):
            return record
        image = "before" if operation == "d" else "after"
        hashes = []
        for path in self._paths:
            at = (image, *path[1:]) if path[0] == "change" and len(path) > 1 else path
            value, schema = _found(envelope, at)
            if value is not None and schema is not None:
                hashes.append(self._hash(value, schema))
        if not hashes:
            return record
        return record.evolve(partition=(sum(hashes) & _LARGEST) % self._partitions)


def _found(envelope: Struct, path: tuple[str, ...]) -> tuple[Any, Schema | None]:
    value: Any = envelope
    schema: Schema | None = envelope.schema
    for name in path:
        field = value.schema.field(name) if isinstance(value, Struct) else None
        if field is None:
            return None, None
        value, schema = value.get(name), field.schema
    return value, schema


def java_hash(value: Any, schema: Schema) -> int:
    """What `hashCode` of the Java object gives, as an unsigned number."""
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, str):
        return _string_hash(value)
    if isinstance(value, float):
        if schema.type is SchemaType.FLOAT32:
            return int.from_bytes(struct.pack(">f", value), "big")
        return _folded(int.from_bytes(struct.pack(">d", value), "big"))
    if isinstance(value, int):
        return _folded(value & 0xFFFFFFFFFFFFFFFF) if schema.type is SchemaType.INT64 else value & _MASK
    if isinstance(value, (list, tuple)) and schema.value_schema is not None:
        code = 1
        for element in value:
            code = (31 * code + (0 if element is None else java_hash(element, schema.value_schema))) & _MASK
        return code
    # Java hashes what is left by identity or in ways of its own; the text is at least the same every time.
    return _string_hash(str(value) if isinstance(value, Decimal) else repr(value))


def murmur_hash(value: Any, schema: Schema) -> int:
    """Debezium's MurmurHash3 of a value: of a text's characters, of other values' hash code."""
    if isinstance(value, str):
        return murmur3(value.encode())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return murmur3(bytes(value))
    return murmur3(java_hash(value, schema).to_bytes(4, "little"))


def _string_hash(text: str) -> int:
    code = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        code = (31 * code + (units[at] << 8 | units[at + 1])) & _MASK
    return code


def _folded(bits: int) -> int:
    return (bits ^ (bits >> 32)) & _MASK
