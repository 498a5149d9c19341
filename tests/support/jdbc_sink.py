"""Drives a SQL sink task without the runtime: a context that keeps what the task asks, and records to feed it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from connectors.jdbc.task import JdbcSinkTask
from replicator.api import (
    Header,
    OffsetAndMetadata,
    Schema,
    SchemaType,
    SinkRecord,
    SourcePosition,
    Struct,
    TopicPartition,
)
from replicator.api.position import POSITION_HEADER, STREAM
from replicator.api.schema import INT64, OPTIONAL_INT64, OPTIONAL_STRING, STRING, struct_schema

TOPIC = "shop.public.users"
SOURCE = struct_schema(
    [("schema", OPTIONAL_STRING), ("table", OPTIONAL_STRING)], name="source", optional=True
)
USER_FIELDS = [("id", INT64), ("name", OPTIONAL_STRING), ("email", OPTIONAL_STRING), ("age", OPTIONAL_INT64)]


class FakeReporter:
    """Keeps reports; `tolerate=False` refuses them as errors.tolerance=none does."""

    def __init__(self) -> None:
        self.reported: list[tuple[SinkRecord, BaseException]] = []

    def report(self, record: SinkRecord, error: BaseException) -> Future[None]:
        self.reported.append((record, error))
        done: Future[None] = Future()
        done.set_result(None)
        return done


class FakeContext:
    """A SinkTaskContext that only remembers."""

    def __init__(self, connector: str = "t-sink", *, reporter: FakeReporter | None = None) -> None:
        self.connector = connector
        self.task = 0
        self.stopping = threading.Event()
        self.reporter = reporter
        self.config: dict[str, str] = {}
        self.identity = "log-1"
        self.end = 1 << 40
        self.groups: dict[TopicPartition, OffsetAndMetadata] = {}
        self.seeks: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.facts: dict[str, Any] = {}
        self.waits: list[int] = []
        self.owned: set[TopicPartition] = set()

    def configs(self) -> Mapping[str, str]:
        return self.config

    def assignment(self) -> set[TopicPartition]:
        return self.owned

    def offset(self, partition: TopicPartition, offset: int) -> None:
        self.seeks[partition] = offset

    def committed(self, partition: TopicPartition) -> OffsetAndMetadata | None:
        return self.groups.get(partition)

    def log_identity(self, partition: TopicPartition) -> str:
        return self.identity

    def log_end(self, partition: TopicPartition) -> int:
        return self.end

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused.difference_update(partitions)

    def timeout(self, milliseconds: int) -> None:
        self.waits.append(milliseconds)

    def request_commit(self) -> None:
        return None

    def gauge(self, name: str, value: float, **labels: str) -> None:
        return None

    def progress(self, **facts: Any) -> None:
        self.facts.update(facts)


def sync_config(url: str, **more: str) -> dict[str, str]:
    """What `replicator sync` writes for the sink."""
    return {
        "name": "t-sink",
        "connector.class": "JdbcSinkConnector",
        "connection.url": url,
        "insert.mode": "upsert",
        "delete.enabled": "true",
        "pk.mode": "record_key",
        "auto.create": "true",
        "auto.evolve": "true",
        "truncate.enabled": "true",
        "table.naming": "source",
        "replace.null.with.default": "false",
        **{k.replace("__", "."): v for k, v in more.items()},
    }


@contextmanager
def running(
    config: Mapping[str, str],
    topics: Sequence[str] = (TOPIC,),
    context: FakeContext | None = None,
    task: JdbcSinkTask | None = None,
) -> Iterator[JdbcSinkTask]:
    """A started task that owns partition 0 of the topics."""
    context = context or FakeContext()
    context.config = dict(config)
    task = task or JdbcSinkTask()
    task.initialize(context)  # type: ignore[arg-type]
    task.start(config)
    try:
        partitions = [TopicPartition(t, 0) for t in topics]
        context.owned.update(partitions)
        task.open(partitions)
        yield task
    finally:
        task.stop()


class Feed:
    """Makes records of one table's topic, with offsets and source positions that go up.

    Attributes:
        offset: next offset.
        commit: source transaction being written.
    """

    def __init__(
        self,
        topic: str = TOPIC,
        fields: Sequence[tuple[str, Schema]] = USER_FIELDS,
        keys: Sequence[str] = ("id",),
        *,
        source: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.topic = topic
        self.clock = clock or Clock()
        self.offset = 0
        parts = topic.split(".")
        self.source = dict(source or {"schema": parts[-2], "table": parts[-1]}) if len(parts) > 1 else {}
        self.set_fields(fields, keys)

    def set_fields(self, fields: Sequence[tuple[str, Schema]], keys: Sequence[str] | None = None) -> None:
        """Another version of the table."""
        self.fields = list(fields)
        self.keys = tuple(keys) if keys is not None else self.keys
        row = struct_schema(self.fields, name=f"{self.topic}.Value", optional=True)
        self.value_schema = struct_schema(
            [("before", row), ("after", row), ("source", SOURCE), ("op", STRING)],
            name=f"{self.topic}.Envelope",
        )
        by_name = dict(self.fields)
        self.key_schema = (
            struct_schema([(k, by_name[k]) for k in self.keys], name=f"{self.topic}.Key")
            if self.keys
            else None
        )

    def row(self, **values: Any) -> dict[str, Any]:
        return {name: values.get(name) for name, _ in self.fields}

    def create(self, *, end: bool = True, **values: Any) -> SinkRecord:
        return self.envelope("c", None, self.row(**values), end=end)

    def update(self, *, end: bool = True, **values: Any) -> SinkRecord:
        return self.envelope("u", None, self.row(**values), end=end)

    def delete(self, *, end: bool = True, new: Mapping[str, Any] | None = None, **values: Any) -> SinkRecord:
        headers = []
        if new is not None:
            headers = [Header("__debezium.newkey", self.key_schema, Struct(self.key_schema, dict(new)))]  # type: ignore[arg-type]
        return self.envelope("d", self.row(**values), None, end=end, headers=headers)

    def truncate(self) -> SinkRecord:
        record = self.envelope("t", None, None)
        record.key = record.key_schema = None
        return record

    def tombstone(self, **values: Any) -> SinkRecord:
        record = self.envelope("d", self.row(**values), None)
        record.value = record.value_schema = None
        return record

    def envelope(
        self,
        op: str,
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
        *,
        end: bool = True,
        headers: Sequence[Header] = (),
    ) -> SinkRecord:
        image = after or before or {}
        key = Struct(self.key_schema, {k: image.get(k) for k in self.keys}) if self.key_schema else None
        value = Struct(
            self.value_schema, {"before": before, "after": after, "source": dict(self.source), "op": op}
        )
        position = self.clock.next(end)
        record = SinkRecord(
            self.topic,
            0,
            self.key_schema,
            key,
            self.value_schema,
            value,
            self.offset,
            headers=[Header(POSITION_HEADER, None, position.encode()), *headers],
        )
        self.offset += 1
        return record


class Clock:
    """Source positions, shared by the tables of one source."""

    def __init__(self) -> None:
        self.commit = 1000
        self.ordinal = 0
        self.phase = STREAM

    def next(self, end: bool) -> SourcePosition:
        position = SourcePosition("slot1", self.phase, self.commit, self.ordinal, end)
        self.ordinal += 1
        if end:
            self.commit, self.ordinal = self.commit + 10, 0
        return position


def flat(
    topic: str,
    value_schema: Schema,
    value: Any,
    offset: int,
    key_schema: Schema | None = None,
    key: Any = None,
) -> SinkRecord:
    """A record as other producers write it."""
    if value is not None and value_schema.type is SchemaType.STRUCT:
        value = Struct(value_schema, dict(value))
    if key_schema is not None and key_schema.type is SchemaType.STRUCT and key is not None:
        key = Struct(key_schema, dict(key))
    return SinkRecord(topic, 0, key_schema, key, value_schema if value is not None else None, value, offset)
