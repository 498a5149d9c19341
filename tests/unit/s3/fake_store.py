"""A bucket in memory, with failures on demand, and records to write into it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from connectors.s3.options import OPTIONS
from connectors.s3.partition_writer import PartitionWriter
from connectors.s3.settings import Settings
from replicator.api import RetriableError, Schema, SinkRecord, TopicPartition

PARTITION = TopicPartition("t", 0)


class FakeStore:
    """What `Store` does, in dicts; the next `failures` requests fail."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.aborted: list[str] = []
        self.tags: dict[str, dict[str, str]] = {}
        self.puts = 0
        self.failures = 0

    def _request(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise RetriableError("SlowDown")

    def put(self, name: str, data: bytes) -> None:
        self._request()
        self.puts += 1
        self.objects[name] = data

    def begin(self, name: str) -> str:
        self._request()
        self.uploads[name] = {}
        return name

    def part(self, name: str, upload: str, number: int, data: bytes) -> str:
        self._request()
        self.uploads[upload][number] = data
        return f"tag-{number}"

    def complete(self, name: str, upload: str, tags: list[str]) -> None:
        self._request()
        parts = self.uploads.pop(upload)
        assert tags == [f"tag-{number}" for number in parts]
        self.objects[name] = b"".join(parts.values())

    def abort(self, name: str, upload: str) -> None:
        self.aborted.append(name)
        self.uploads.pop(upload)

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        self._request()
        self.tags[name] = dict(tags)

    def close(self) -> None:
        pass


class Reports(list[tuple[SinkRecord, BaseException]]):
    """A reporter that remembers."""

    def report(self, record: SinkRecord, error: BaseException) -> Any:
        self.append((record, error))


class Context:
    """What the sink asks of the runtime."""

    def __init__(self, reporter: Reports | None = None) -> None:
        self.connector = "test"
        self.stopping = threading.Event()
        self.reporter = reporter
        self.waits: list[int] = []
        self.commits = 0
        self.gauges: dict[str, float] = {}

    def timeout(self, milliseconds: int) -> None:
        self.waits.append(milliseconds)

    def request_commit(self) -> None:
        self.commits += 1

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self.gauges[name] = value


def options(**changes: Any) -> dict[str, Any]:
    """Parsed options; names with underscores for dots."""
    raw = {"s3.bucket.name": "b", **{name.replace("_", "."): value for name, value in changes.items()}}
    return OPTIONS.parse(raw)


def writer(store: FakeStore, now: int = 0, **changes: Any) -> PartitionWriter:
    """A writer over that store."""
    return PartitionWriter(Settings(options(**changes)), store, now)  # type: ignore[arg-type]


def record(
    offset: int, value: Any, schema: Schema | None = None, timestamp: int | None = None, **more: Any
) -> SinkRecord:
    return SinkRecord(
        "t", 0, None, more.pop("key", None), schema, value, offset, timestamp, more.pop("headers", None)
    )
