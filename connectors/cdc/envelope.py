"""Records around rows: operations, tombstones, key changes, truncates, messages, heartbeats, transactions.

Pure functions used by the thread that reads the log. Each gives the records of one source message in
order; they must reach the topic log together (C8). The offset and the position header are the reader's:
a `Place` carries both, one per record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.cdc import schemas
from connectors.cdc.encoder import Row, TableEncoder
from replicator.api import Header, Schema, SourceRecord, Struct
from replicator.api.logical import NEW_KEY_HEADER, OLD_KEY_HEADER
from replicator.api.record import LazyOffset

CREATE: Final = "c"
UPDATE: Final = "u"
DELETE: Final = "d"
READ: Final = "r"
TRUNCATE: Final = "t"
MESSAGE: Final = "m"

Offset = Mapping[str, Any] | LazyOffset


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: source partition, source offset, headers of every record."""

    partition: Mapping[str, Any]
    offset: Offset
    headers: Sequence[Header] = ()


NextPlace = Callable[[], Place]
"""Gives the place of the next record, counting ordinals."""


def operation(value: Struct | None) -> str | None:
    """The operation of a change event, or None when the value is not one."""
    if value is None or value.schema.field("op") is None:
        return None
    op = value.fields.get("op")
    return op if isinstance(op, str) else None


def is_envelope(schema: Schema | None) -> bool:
    """Whether a value schema is that of change events."""
    return schema is not None and schema.field("op") is not None and schema.field("source") is not None


def event(
    encoder: TableEncoder, key: Struct | None, value: Struct, place: Place, *extra: Header
) -> SourceRecord:
    """The record of one change event."""
    return SourceRecord(
        place.partition,
        place.offset,
        encoder.topic,
        None,
        encoder.key_schema if key is not None else None,
        key,
        encoder.value_schema,
        value,
        None,
        [*place.headers, *extra],
    )


def tombstone(encoder: TableEncoder, key: Struct | None, place: Place, *extra: Header) -> SourceRecord:
    """The record that lets log compaction drop a key: null value, null value schema."""
    return SourceRecord(
        place.partition,
        place.offset,
        encoder.topic,
        None,
        encoder.key_schema if key is not None else None,
        key,
        None,
        None,
        None,
        [*place.headers, *extra],
    )


def deletion(
    encoder: TableEncoder, before: Row, source: Row, ts_us: int, place: NextPlace, *, tombstones: bool
) -> list[SourceRecord]:
    """A delete and its tombstone."""
    key = encoder.key(before)
    records = [event(encoder, key, encoder.envelope(DELETE, before, None, source, ts_us), place())]
    if tombstones:
        records.append(tombstone(encoder, key, place()))
    return records


def key_change(
    encoder: TableEncoder,
    before: Row,
    after: Row,
    source: Row,
    ts_us: int,
    place: NextPlace,
    *,
    tombstones: bool,
    transactions: Sequence[Row | None] = (None, None),
) -> list[SourceRecord]:
    """An update that changes the key: delete and tombstone of the old key, create of the new one.

    The delete carries the new key in a header, the create the old one, so that a sink can move the row.
    """
    old_key, new_key = encoder.key(before), encoder.key(after)
    to_new = Header(NEW_KEY_HEADER, encoder.key_schema, new_key)
    to_old = Header(OLD_KEY_HEADER, encoder.key_schema, old_key)
    gone = encoder.envelope(DELETE, before, None, source, ts_us, transactions[0])
    records = [event(encoder, old_key, gone, place(), to_new)]
    if tombstones:
        records.append(tombstone(encoder, old_key, place(), to_new))
    come = encoder.envelope(CREATE, None, after, source, ts_us, transactions[1])
    records.append(event(encoder, new_key, come, place(), to_old))
    return records


def truncation(
    encoder: TableEncoder, source: Row, ts_us: int, place: Place, transaction: Row | None = None
) -> SourceRecord:
    """All rows of a table are gone: no key, no row."""
    return event(encoder, None, encoder.envelope(TRUNCATE, None, None, source, ts_us, transaction), place)


def logical_message(
    topic: str,
    schema: Schema,
    prefix: str,
    content: Any,
    source: Row,
    ts_us: int,
    place: Place,
    transaction: Row | None = None,
) -> SourceRecord:
    """A logical message; `schema` comes from `schemas.message_schema`."""
    value = Struct(
        schema,
        {
            "source": source,
            "op": MESSAGE,
            "ts_ms": ts_us // 1000,
            "ts_us": ts_us,
            "ts_ns": ts_us * 1000,
            "transaction": transaction,
            "message": {"prefix": prefix, "content": content},
        },
    )
    key = Struct(schemas.MESSAGE_KEY, {"prefix": prefix})
    return _record(topic, key, value, place)


def heartbeat(topic: str, server: str, ts_ms: int, place: Place) -> SourceRecord:
    """A sign of life; its point is its offset."""
    record = _record(
        topic,
        Struct(schemas.HEARTBEAT_KEY, {"serverName": server}),
        Struct(schemas.HEARTBEAT_VALUE, {"ts_ms": ts_ms}),
        place,
    )
    record.partition = 0
    return record


def transaction_begin(topic: str, id_: str, ts_ms: int, place: Place) -> SourceRecord:
    """A source transaction starts."""
    return _transaction(topic, "BEGIN", id_, ts_ms, None, None, place)


def transaction_end(
    topic: str, id_: str, ts_ms: int, counts: Mapping[str, int], place: Place
) -> SourceRecord:
    """A source transaction ended; `counts` has the number of events per table."""
    collections = [{"data_collection": name, "event_count": n} for name, n in counts.items()]
    return _transaction(topic, "END", id_, ts_ms, sum(counts.values()), collections, place)


def _transaction(
    topic: str,
    status: str,
    id_: str,
    ts_ms: int,
    count: int | None,
    collections: list[dict[str, Any]] | None,
    place: Place,
) -> SourceRecord:
    fields = {
        "status": status,
        "id": id_,
        "event_count": count,
        "data_collections": collections,
        "ts_ms": ts_ms,
    }
    key = Struct(schemas.TRANSACTION_KEY, {"id": id_})
    return _record(topic, key, Struct(schemas.TRANSACTION_VALUE, fields), place)


def _record(topic: str, key: Struct, value: Struct, place: Place) -> SourceRecord:
    return SourceRecord(
        place.partition,
        place.offset,
        topic,
        None,
        key.schema,
        key,
        value.schema,
        value,
        None,
        list(place.headers),
    )
