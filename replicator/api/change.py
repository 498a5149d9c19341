"""Changes of rows as log readers hand them on: the envelope is made only when somebody asks for it.

A `ChangeRecord` is a source record whose value is Debezium's change envelope. What all changes of one table in one
source transaction have in common stands in their `ChangeOrigin`; a change itself is little more than its rows.
A converter that writes plain JSON never makes the envelope, and a sink in the same process gets the change
itself (`ChangeSinkRecord`). Whatever else looks at such a record finds everything it expects. Changes are
created by a reader's thread and never altered after they left it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replicator.api.position import POSITION_HEADER, SourcePosition
from replicator.api.record import Header, LazyOffset, SinkRecord, SourceRecord
from replicator.api.schema import STRING, Schema
from replicator.api.struct import Struct

Row = dict[str, Any]


class ChangeOrigin:
    """What changes of one table have in common; readers derive from it.

    Attributes:
        topic, key_schema, value_schema: of the records.
        partition: the source partition.
        phase, identity, commit: the parts of the position that all share, see `SourcePosition`.
        prefix: the position's text in front of the ordinal.
        ts_us: when this host took the changes up.
        headers: headers of every record beside the position.
    """

    __slots__ = (
        "commit",
        "headers",
        "identity",
        "key_schema",
        "partition",
        "phase",
        "prefix",
        "topic",
        "ts_us",
        "value_schema",
    )

    def __init__(
        self,
        topic: str,
        key_schema: Schema | None,
        value_schema: Schema,
        partition: Mapping[str, Any],
        position: tuple[str, str, int],
        ts_us: int,
        headers: list[Header],
    ) -> None:
        self.topic = topic
        self.key_schema = key_schema
        self.value_schema = value_schema
        self.partition = partition
        self.phase, self.identity, self.commit = position
        self.prefix = f"{self.phase}:{self.identity}:{self.commit}:"
        self.ts_us = ts_us
        self.headers = headers

    def source(self, detail: Any) -> Row:
        """The source block of the change with this detail."""
        raise NotImplementedError

    def source_json(self, detail: Any) -> tuple[bytes, bytes]:
        """The same as JSON without blanks, in two parts: the second is the same for all changes of the origin."""
        raise NotImplementedError

    def offset(self, change: ChangeRecord) -> LazyOffset:
        """The source offset of a change."""
        raise NotImplementedError


class Particulars:
    """What few changes have.

    Attributes:
        transaction: the envelope's `transaction` block.
        header: a header of this record alone.
        kind: the log's word for the change, where the operation does not tell.
    """

    __slots__ = ("header", "kind", "transaction")

    def __init__(
        self, transaction: Row | None = None, header: Header | None = None, kind: str | None = None
    ) -> None:
        self.transaction = transaction
        self.header = header
        self.kind = kind


class ChangeRecord(SourceRecord):
    """One change of one row.

    Attributes:
        origin: what it shares with others.
        op: the envelope's operation: c, r, u, d or t.
        before, after: rows that list all fields of their schema in order, or None.
        key_fields: the key's fields, or None.
        detail: what tells its source block from others of the origin (Postgres: the LSN).
        ordinal, end: see `SourcePosition`.
        also: what few changes have.
        own_offset: the source offset where it is not the one the origin makes.
        form: set when it is handed over: what both sides must agree on, see `Converter.form`.
    """

    __slots__ = (
        "after",
        "also",
        "before",
        "detail",
        "end",
        "form",
        "key_fields",
        "op",
        "ordinal",
        "origin",
        "own_offset",
    )

    form: object

    def __init__(  # the base's attributes are all properties here
        self,
        origin: ChangeOrigin,
        op: str,
        before: Row | None,
        after: Row | None,
        key_fields: Row | None,
        detail: Any,
        ordinal: int,
        end: bool = False,
        also: Particulars | None = None,
    ) -> None:
        self.origin = origin
        self.op = op
        self.before = before
        self.after = after
        self.key_fields = key_fields
        self.detail = detail
        self.ordinal = ordinal
        self.end = end
        self.also = also
        self.own_offset: LazyOffset | None = None

    # What the base class keeps is worked out on demand.

    @property
    def topic(self) -> str:  # type: ignore[override]
        """The table's topic."""
        return self.origin.topic

    @property
    def partition(self) -> None:  # type: ignore[override]
        """Left to the partitioner."""

    @property
    def timestamp(self) -> None:  # type: ignore[override]
        """Left to the broker."""

    @property
    def key_schema(self) -> Schema | None:  # type: ignore[override]
        """A truncate concerns no key."""
        return None if self.op == "t" else self.origin.key_schema

    @property
    def key(self) -> Struct | None:
        """The key as a struct."""
        fields, schema = self.key_fields, self.origin.key_schema
        return None if fields is None or schema is None else Struct(schema, fields)

    @property
    def value_schema(self) -> Schema:  # type: ignore[override]
        """The envelope's schema."""
        return self.origin.value_schema

    @property
    def value(self) -> Struct:
        """The envelope as a struct, made anew each time."""
        return Struct(self.origin.value_schema, self.envelope())

    @property
    def headers(self) -> list[Header]:  # type: ignore[override]
        """The position first, then what only this change has."""
        headers = [Header(POSITION_HEADER, STRING, self.position_text)]
        if self.also is not None and self.also.header is not None:
            headers.append(self.also.header)
        headers += self.origin.headers
        return headers

    @property
    def source_partition(self) -> Mapping[str, Any]:  # type: ignore[override]
        """One for the whole source."""
        return self.origin.partition

    @property
    def source_offset(self) -> LazyOffset:  # type: ignore[override]
        """Its own, else the one the origin makes."""
        return self.own_offset if self.own_offset is not None else self.origin.offset(self)

    @property
    def position_text(self) -> str:
        """The position header's value."""
        return f"{self.origin.prefix}{self.ordinal}:{1 if self.end else 0}"

    @property
    def position(self) -> SourcePosition:
        """Where the change stands in the source's log."""
        origin = self.origin
        return SourcePosition(origin.identity, origin.phase, origin.commit, self.ordinal, self.end)

    def envelope(self) -> Row:
        """The envelope's fields."""
        also, ts_us = self.also, self.origin.ts_us
        return {
            "before": self.before,
            "after": self.after,
            "source": self.origin.source(self.detail),
            "transaction": also.transaction if also is not None else None,
            "op": self.op,
            "ts_ms": ts_us // 1000,
            "ts_us": ts_us,
            "ts_ns": ts_us * 1000,
        }

    def plain(self) -> SourceRecord:
        """The same as an ordinary record."""
        return SourceRecord(
            self.source_partition,
            self.source_offset,
            self.topic,
            None,
            self.key_schema,
            self.key,
            self.value_schema,
            self.value,
            None,
            self.headers,
        )

    def evolve(self, **changes: Any) -> SourceRecord:  # type: ignore[override]
        """A copy with some attributes replaced, which is an ordinary record."""
        return self.plain().evolve(**changes)


class ChangeSinkRecord(SinkRecord):
    """A change on its way into a sink of the process that read it.

    Attributes:
        change: the change; what the record says of key, value and headers comes from it.
    """

    __slots__ = ("change",)

    def __init__(
        self, change: ChangeRecord, topic: str, partition: int, offset: int, timestamp: int | None
    ) -> None:
        self.change = change
        self.topic = self.original_topic = topic
        self.partition = self.original_kafka_partition = partition
        self.kafka_offset = self.original_kafka_offset = offset
        self.timestamp = timestamp
        # Kept, not asked for each time: sinks compare them from record to record.
        origin = change.origin
        self.key_schema = origin.key_schema if change.op != "t" else None
        self.value_schema = origin.value_schema

    @property
    def key(self) -> Struct | None:
        """The key as a struct."""
        return self.change.key

    @property
    def value(self) -> Struct:
        """The envelope as a struct, made anew each time."""
        return self.change.value

    @property
    def headers(self) -> list[Header]:  # type: ignore[override]
        """The position first."""
        return self.change.headers

    @property
    def timestamp_type(self) -> str:  # type: ignore[override]
        """As the embedded log has it."""
        return "CreateTime"

    def plain(self) -> SinkRecord:
        """The same as an ordinary record."""
        return SinkRecord(
            self.topic,
            self.original_kafka_partition,
            self.key_schema,
            self.key,
            self.value_schema,
            self.value,
            self.kafka_offset,
            self.timestamp,
            self.headers,
        )

    def evolve(self, **changes: Any) -> SinkRecord:  # type: ignore[override]
        """A copy with some attributes replaced, which is an ordinary record."""
        return self.plain().evolve(**changes)
