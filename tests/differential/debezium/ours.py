"""Our source task with the runtime's record path, without a worker: a thread polls it and keeps the messages."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from connectors.postgres.task import PostgresSourceTask
from replicator.api.source import SourceRecord
from replicator.plugins import factory
from replicator.plugins.registry import Registry
from replicator.runtime.chain import Chain
from replicator.runtime.clock import SystemClock
from replicator.runtime.source_records import RecordWriter
from replicator.runtime.tolerance import ErrorHandler, ErrorPolicy
from tests.differential.debezium.message import Message
from tests.integration.postgres.driver import Context, Offsets

_REGISTRY = Registry()


class Ours:
    """One connector over its lives."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self.config = dict(config)
        self.messages: list[Message] = []
        self.failure: str | None = None
        self._offsets = Offsets()

    def start(self) -> None:
        """Begin a life."""
        self._stopping = threading.Event()
        try:
            self._task = PostgresSourceTask()
            context = Context(self._offsets)
            context.connector = self.config["topic.prefix"]
            self._task.initialize(context)
            self._writer = self._make_writer()
            self._task.start(self.config)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            self._thread = None
            return
        self._thread: threading.Thread | None = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End this life."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def snapshot(self) -> list[Message]:
        """What was written so far."""
        return list(self.messages)

    def problem(self) -> str | None:
        """Why it does not run, if so."""
        return self.failure

    def _make_writer(self) -> RecordWriter:
        worker: dict[str, Any] = {}
        chain = Chain(factory.steps(_REGISTRY, self.config))
        key = factory.converter(_REGISTRY, self.config, worker, is_key=True)
        value = factory.converter(_REGISTRY, self.config, worker, is_key=False)
        header = factory.header_converter(_REGISTRY, self.config, worker)
        errors = ErrorHandler(ErrorPolicy(), [], SystemClock(), threading.Event())
        return RecordWriter(chain, key, value, header, errors)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                batch = list(self._task.poll() or [])
                if batch:
                    self._write(batch)
                    self._store(batch)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            self._task.stop()

    def _write(self, batch: list[SourceRecord]) -> None:
        for made in self._writer.convert(batch):
            value = made.value
            headers = tuple((name, data) for name, data in made.headers or ())
            self.messages.append(Message(made.topic, made.key, value, headers))

    def _store(self, batch: list[SourceRecord]) -> None:
        for record in batch:
            if len(record.source_partition or {}) > 1:
                assert isinstance(record.source_offset, dict)
                self._offsets.notes = record.source_offset
        offset = batch[-1].source_offset
        assert offset is not None
        stored = dict(offset) if isinstance(offset, Mapping) else offset.to_map()
        self._offsets.stored = stored
        self._task.commit([(batch[-1].source_partition or {}, stored)])
