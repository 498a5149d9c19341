"""Schemas of keys, rows, envelopes and of the records around them, named and ordered as Debezium's.

Built once per table version; converters find their compiled code by the identity of these objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from replicator.api import Schema, SchemaType
from replicator.api.logical import DBZ_ENUM
from replicator.api.schema import (
    BYTES,
    INT64,
    OPTIONAL_INT64,
    OPTIONAL_STRING,
    STRING,
    array_schema,
    struct_schema,
)

SNAPSHOT_MARKERS: Final = (
    "true",
    "first",
    "first_in_data_collection",
    "last_in_data_collection",
    "last",
    "false",
    "incremental",
)

SNAPSHOT: Final = Schema(
    SchemaType.STRING,
    name=DBZ_ENUM,
    version=1,
    optional=True,
    default="false",
    parameters={"allowed": ",".join(SNAPSHOT_MARKERS)},
)

_COMMON_SOURCE: Final[tuple[tuple[str, Schema], ...]] = (
    ("version", STRING),
    ("connector", STRING),
    ("name", STRING),
    ("ts_ms", INT64),
    ("snapshot", SNAPSHOT),
    ("db", STRING),
    ("sequence", OPTIONAL_STRING),
    ("ts_us", OPTIONAL_INT64),
    ("ts_ns", OPTIONAL_INT64),
)

POSTGRES_SOURCE: Final = struct_schema(
    (
        *_COMMON_SOURCE,
        ("schema", STRING),
        ("table", STRING),
        ("txId", OPTIONAL_INT64),
        ("lsn", OPTIONAL_INT64),
        ("xmin", OPTIONAL_INT64),
        ("origin", OPTIONAL_STRING),
        ("origin_lsn", OPTIONAL_INT64),
    ),
    name="io.debezium.connector.postgresql.Source",
    version=1,
)
"""The source block of Postgres events."""

TRANSACTION_BLOCK: Final = struct_schema(
    (("id", STRING), ("total_order", INT64), ("data_collection_order", INT64)),
    name="event.block",
    version=1,
    optional=True,
)

TRANSACTION_KEY: Final = struct_schema(
    (("id", STRING),), name="io.debezium.connector.common.TransactionMetadataKey", version=1
)

TRANSACTION_VALUE: Final = struct_schema(
    (
        ("status", STRING),
        ("id", STRING),
        ("event_count", OPTIONAL_INT64),
        (
            "data_collections",
            array_schema(
                struct_schema(
                    (("data_collection", STRING), ("event_count", INT64)),
                    name="event.collection",
                    version=1,
                    optional=True,
                ),
                optional=True,
            ),
        ),
        ("ts_ms", INT64),
    ),
    name="io.debezium.connector.common.TransactionMetadataValue",
    version=1,
)

HEARTBEAT_KEY: Final = struct_schema(
    (("serverName", STRING),), name="io.debezium.connector.common.ServerNameKey", version=1
)
HEARTBEAT_VALUE: Final = struct_schema(
    (("ts_ms", INT64),), name="io.debezium.connector.common.Heartbeat", version=1
)

MESSAGE_KEY: Final = struct_schema(
    (("prefix", OPTIONAL_STRING),), name="io.debezium.connector.postgresql.MessageKey", version=1
)
MESSAGE_VALUE_NAME: Final = "io.debezium.connector.postgresql.MessageValue"


def message_block(content: Schema = BYTES) -> Schema:
    """Schema of a logical message; the content's schema follows binary.handling.mode."""
    return struct_schema(
        (("prefix", OPTIONAL_STRING), ("content", content.as_optional())),
        name="io.debezium.connector.postgresql.Message",
        version=1,
    )


def _tail(source: Schema) -> tuple[tuple[str, Schema], ...]:
    return (
        ("source", source),
        ("transaction", TRANSACTION_BLOCK),
        ("op", STRING),
        ("ts_ms", OPTIONAL_INT64),
        ("ts_us", OPTIONAL_INT64),
        ("ts_ns", OPTIONAL_INT64),
    )


def key_schema(name: str, fields: Sequence[tuple[str, Schema]]) -> Schema | None:
    """Schema of a key, or None for a table without one."""
    return struct_schema(fields, name=name) if fields else None


def row_schema(name: str, fields: Sequence[tuple[str, Schema]]) -> Schema:
    """Schema of `before` and `after`."""
    return struct_schema(fields, name=name, optional=True)


def envelope_schema(name: str, row: Schema, source: Schema = POSTGRES_SOURCE) -> Schema:
    """Schema of a change event."""
    return struct_schema((("before", row), ("after", row), *_tail(source)), name=name, version=2)


def message_schema(name: str, content: Schema = BYTES, source: Schema = POSTGRES_SOURCE) -> Schema:
    """Schema of a logical message's event."""
    fields = (
        ("op", STRING),
        ("ts_ms", OPTIONAL_INT64),
        ("source", source),
        ("transaction", TRANSACTION_BLOCK),
        ("message", message_block(content)),
    )
    return struct_schema(fields, name=name, version=1)
