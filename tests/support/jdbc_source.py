"""A JDBC source task driven by a test: no runtime around it, offsets in a dict, polls until nothing comes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.jdbc.source.names import TableId, join_tables
from connectors.jdbc.source.task import ConfluentJdbcSourceTask, JdbcSourceTask
from replicator.api import SourceRecord
from replicator.service import Service
from tests.support.fix_servers import Database


class Context:
    """SourceTaskContext for one task at a time; stored offsets survive it."""

    def __init__(self) -> None:
        self.connector = "src"
        self.task = 0
        self.stopping = threading.Event()
        self.stored: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}

    @property
    def offsets(self) -> Context:
        return self

    def offset(self, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        return self.stored.get(json.dumps(partition, sort_keys=True))

    def store(self, record: SourceRecord) -> None:
        """What the runtime does with an acknowledged record."""
        if record.source_offset is not None:
            assert isinstance(record.source_offset, dict)
            key = json.dumps(record.source_partition, sort_keys=True)
            self.stored[key] = json.loads(json.dumps(record.source_offset))

    def configs(self) -> Mapping[str, str]:
        return {}

    def gauge(self, name: str, value: float, **labels: str) -> None:
        return

    def progress(self, **facts: Any) -> None:
        self.facts.update(facts)


@contextmanager
def started(
    config: Mapping[str, str], context: Context | None = None, *, own: bool = False
) -> Iterator[JdbcSourceTask]:
    """A started task; Confluent's flavour unless `own`."""
    task = JdbcSourceTask() if own else ConfluentJdbcSourceTask()
    task.initialize(context or Context())  # type: ignore[arg-type]
    task.start({"name": "src", "topic.prefix": "p-", "poll.interval.ms": "0", **config})
    try:
        yield task
    finally:
        task.stop()


def drain(
    task: JdbcSourceTask, *, context: Context | None = None, timeout: float = 10.0
) -> list[SourceRecord]:
    """Records until a query found no more; their offsets are stored."""
    found: list[SourceRecord] = []
    deadline = time.monotonic() + timeout
    while True:
        assert time.monotonic() < deadline, "the source gives records without end"
        records = list(task.poll() or ())
        for record in records:
            if context is not None:
                context.store(record)
        found += records
        if not records and not any(q.is_open for q in task._queriers):
            return found


def read(
    config: Mapping[str, str], context: Context | None = None, *, own: bool = False
) -> list[SourceRecord]:
    """One start, one drain, one stop."""
    context = context or Context()
    with started(config, context, own=own) as task:
        return drain(task, context=context)


def rows(records: list[SourceRecord]) -> list[dict[str, Any]]:
    """The values as plain maps."""
    return [record.value.plain() for record in records]


def offsets(records: list[SourceRecord]) -> list[Any]:
    """The source offsets."""
    return [record.source_offset for record in records]


def url(database: Database) -> str:
    server = database.server
    kind = "postgresql" if server.kind == "postgres" else server.kind
    return f"jdbc:{kind}://{server.host}:{server.port}/{database.name}"


def config(database: Database, mode: str, table: str = "t", **options: str) -> dict[str, str]:
    named = {name.replace("_", "."): value for name, value in options.items()}
    postgres = database.server.kind == "postgres"
    found = TableId(None, "public", table) if postgres else TableId(database.name, None, table)
    account = {"connection.user": database.server.user, "connection.password": database.server.password}
    return {
        "connection.url": url(database), "mode": mode, "tables": join_tables([found]), **account, **named
    }  # fmt: skip


def service(folder: Path) -> Service:
    return Service({"listeners": "off", "data.dir": str(folder), "durability.interval.ms": "50"})
