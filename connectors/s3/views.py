"""What of a record goes into which file: its value, its key, its headers. Pure."""

from __future__ import annotations

from typing import Any, Final

from connectors.s3.json_format import json_of
from replicator.api import DataError, Schema, SinkRecord, Struct
from replicator.api.plain_json import dumps
from replicator.api.schema import OPTIONAL_STRING, STRING, array_schema, struct_schema

_HEADER: Final = struct_schema([("key", STRING), ("value", OPTIONAL_STRING)], name="RecordHeader")
_HEADERS: Final = array_schema(_HEADER)
_HEADERS_STRUCT: Final = struct_schema([("headers", _HEADERS)], name="RecordHeaders")
_INTERNAL: Final = "__replicator."

SchemaAndView = tuple[Schema | None, Any]


def value_view(record: SinkRecord, structs_only: bool) -> SchemaAndView:
    """The value."""
    return record.value_schema, record.value


def key_view(record: SinkRecord, structs_only: bool) -> SchemaAndView:
    """The key; as the only field of a struct where the format takes nothing else.

    Raises:
        DataError: there is none.
    """
    if record.key is None:
        raise DataError(
            f"Key cannot be null for SinkRecord with topic {record.topic}, partition {record.partition} and"
            f" offset {record.kafka_offset} when store.kafka.keys is set"
        )
    schema = record.key_schema
    if structs_only and schema is not None and not isinstance(record.key, Struct):
        wrapped = struct_schema([("key", schema)], name="RecordKey")
        return wrapped, Struct(wrapped, {"key": record.key})
    return schema, record.key


def header_view(record: SinkRecord, structs_only: bool) -> SchemaAndView:
    """The headers as a list of key and text.

    Raises:
        DataError: there are none.
    """
    headers = [h for h in record.headers or () if not h.key.startswith(_INTERNAL)]
    if not headers:
        raise DataError(
            f"Headers cannot be null for SinkRecord with topic {record.topic}, partition {record.partition} and"
            f" offset {record.kafka_offset} when store.kafka.headers is set"
        )
    found = [{"key": h.key, "value": _text(h.schema, h.value)} for h in headers]
    if structs_only:
        return _HEADERS_STRUCT, Struct(_HEADERS_STRUCT, {"headers": found})
    return _HEADERS, found


def _text(schema: Schema | None, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return dumps(json_of(schema, value, True)).decode().strip('"')
