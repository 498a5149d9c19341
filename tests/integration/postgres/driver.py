"""Drives a Postgres source task the way the runtime does, in memory, and can drop it like a crash would."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from connectors.postgres.task import PostgresSourceTask
from replicator.api import SourceRecord, decode_position
from replicator.api.position import POSITION_HEADER
from tests.support.fix_servers import Database

PATIENCE: Final = 60.0
"""Seconds that a state may take to come; only a failing test waits that long."""


class Offsets:
    """Stored offsets of one connector."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.notes: dict[str, Any] | None = None

    def offset(self, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        if len(partition) > 1:
            return self.notes
        return dict(self.stored) if self.stored is not None else None


class Context:
    """A task context that remembers what it was told."""

    def __init__(self, offsets: Offsets) -> None:
        self.connector = "test-source"
        self.task = 0
        self.offsets = offsets
        self.stopping = threading.Event()
        self.facts: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []

    def configs(self) -> Mapping[str, str]:
        return {}

    def gauge(self, name: str, value: float, **labels: str) -> None:
        pass

    def progress(self, **facts: Any) -> None:
        self.facts.update(facts)
        self.history.append(facts)


class Driver:
    """One connector over its lives; `records` holds what was stored, in order."""

    def __init__(self, database: Database, **options: str) -> None:
        server = database.server
        self.database = database
        self.config = {
            "topic.prefix": "srv",
            "database.hostname": server.host,
            "database.port": str(server.port),
            "database.user": server.user,
            "database.password": server.password,
            "database.dbname": database.name,
            "slot.name": f"slot_{database.name}",
            "publication.autocreate.mode": "filtered",
            "skipped.operations": "none",
            "tombstones.on.delete": "false",
            "extended.headers.enabled": "false",
            "decimal.handling.mode": "string",
            "time.precision.mode": "isostring",
            "poll.interval.ms": "100",
        } | {name.replace("__", "."): value for name, value in options.items()}
        self.offsets = Offsets()
        self.records: list[SourceRecord] = []
        self.batches: list[list[SourceRecord]] = []
        self.task: PostgresSourceTask | None = None
        self.context = Context(self.offsets)
        self.acknowledge = True

    def start(self) -> Driver:
        """Begin a life of the task."""
        self.context = Context(self.offsets)
        self.task = PostgresSourceTask()
        self.task.initialize(self.context)
        self.task.start(self.config)
        return self

    def poll(self) -> list[SourceRecord]:
        """One poll; its records and offset are stored together."""
        assert self.task is not None
        batch = list(self.task.poll() or [])
        if batch:
            self.batches.append(batch)
            self.store(batch)
        return [r for r in batch if r.topic]

    def store(self, batch: list[SourceRecord]) -> None:
        assert self.task is not None
        self.records += [r for r in batch if r.topic]
        for record in batch:
            if len(record.source_partition or {}) > 1:
                assert isinstance(record.source_offset, dict)
                self.offsets.notes = record.source_offset
        offset = batch[-1].source_offset
        assert offset is not None
        stored = dict(offset) if isinstance(offset, Mapping) else offset.to_map()
        self.offsets.stored = stored
        if self.acknowledge:
            self.task.commit([(batch[-1].source_partition or {}, stored)])

    def until(self, done: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Poll until something holds."""
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, (
                f"gave up waiting; have {self.summary()}; {self.context.facts}"
            )
            self.poll()

    def until_count(self, count: int, timeout: float = PATIENCE) -> list[SourceRecord]:
        """Poll until that many records are stored."""
        self.until(lambda: len(self.records) >= count, timeout)
        return self.records

    def until_phase(self, phase: str, timeout: float = PATIENCE) -> None:
        """Poll until the task says that it is in a phase."""
        self.until(lambda: self.context.facts.get("phase") == phase, timeout)

    def quiet(self, seconds: float = 1.0) -> list[SourceRecord]:
        """Records of a further stretch of time, and of what waits at its end."""
        before = len(self.records)
        deadline = time.monotonic() + seconds
        while self.poll() or time.monotonic() < deadline:
            assert time.monotonic() < deadline + PATIENCE, "records come without end"
        return self.records[before:]

    def until_failed(self) -> None:
        """Poll until the task fails, which raises its error."""
        self.until(lambda: False)

    def stop(self) -> None:
        """An orderly stop."""
        if self.task is not None:
            self.task.stop()
            self.task = None

    # What was not stored is forgotten: for the database a crash and a stop without acknowledgement are alike.
    crash = stop

    def summary(self) -> list[tuple[str, Any]]:
        """(op, row) of each record, for messages of assertions."""
        return [(op(r), row(r)) for r in self.records]

    def slot(self) -> dict[str, Any]:
        """The connector's slot."""
        name = self.config["slot.name"]
        query = "SELECT to_jsonb(s) FROM pg_replication_slots s WHERE slot_name = %s"
        found = self.database.query(query, [name])
        return found[0][0] if found else {}

    def __enter__(self) -> Driver:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def op(record: SourceRecord) -> str:
    """The operation; `tombstone` for one."""
    return str(record.value.get("op")) if record.value is not None else "tombstone"


def row(record: SourceRecord) -> dict[str, Any] | None:
    """The row after the change, or before a delete."""
    if record.value is None:
        return None
    after = record.value.fields.get("after")
    return after if after is not None else record.value.fields.get("before")


def ids(records: Iterable[SourceRecord], operation: str | None = None) -> list[Any]:
    """Column `id` of rows with an operation."""
    return [(row(r) or {}).get("id") for r in records if operation is None or op(r) == operation]


def position(record: SourceRecord) -> Any:
    """The record's source position."""
    header = record.header(POSITION_HEADER)
    assert header is not None
    return decode_position(header.value)
