"""The source task: starts the reader thread, hands its batches to the runtime, passes acknowledgements back.

`start`, `poll`, `commit` and `stop` run on the task's thread and never talk to the database: a slow or lost
connection never blocks the runtime. A lost connection is the reader's business; `poll` then has no records.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.cdc.figures import Figures
from connectors.cdc.masking import mask_options
from connectors.postgres.config import CONFIG
from connectors.postgres.connector import check
from connectors.postgres.overrides import override_options
from connectors.postgres.position import durable_floor, load
from connectors.postgres.reader import NOTES, Reader
from connectors.postgres.snapshot_mode import snapshot_mode
from connectors.postgres.status import Status
from connectors.postgres.watch import Watch
from replicator.api import IllegalStateError, SourceRecord, SourceTask

log = logging.getLogger(__name__)


class PostgresSourceTask(SourceTask):
    """Copies and streams one database."""

    _reader: Reader | None = None
    _watch: Watch | None = None

    def start(self, config: Mapping[str, str]) -> None:
        """Load the stored position and start reading.

        Raises:
            ConfigError: an option is wrong.
        """
        options = {**mask_options(config), **override_options(config), **CONFIG.parse(config)}
        check(options)
        options["snapshot.mode"] = snapshot_mode(options)
        self._partition = {"server": options["topic.prefix"]}
        stored = self.context.offsets.offset(self._partition)
        position = load(stored) if stored else None
        self._batch: int = options["max.batch.size"]
        self._poll_wait: float = options["poll.interval.ms"] / 1000
        self._stop_wait: float = options["executor.shutdown.timeout.ms"] / 1000
        status = Status(self.context)
        self._reader = Reader(
            options,
            partition=self._partition,
            position=position,
            status=status,
            task=self.context.task,
        )
        reader = self._reader
        status.figures = Figures(
            "postgres", options["topic.prefix"], reader.queue, lambda: len(reader.captured)
        )
        if stored and position is not None:
            self._reader.progress.acknowledge(position.floor)
        tables = self.context.offsets.offset({**self._partition, **NOTES})
        self._watch = Watch(options, self._reader, status, tables)
        self._thread = threading.Thread(
            target=self._reader.run, name=f"{self.context.connector}-reader", daemon=True
        )
        self._thread.start()
        self._watch.start()
        self._reader.signals.start()

    def poll(self) -> Sequence[SourceRecord] | None:
        """The next batch, or None when there was none for a while.

        Raises:
            ConnectError: the reader gave up.
        """
        assert self._reader is not None
        return self._reader.queue.take(self._poll_wait, self._batch)

    def commit(self, offsets: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
        """Positions that are durable may be acknowledged (INV-2)."""
        assert self._reader is not None
        for _partition, offset in offsets:
            self._reader.progress.acknowledge(durable_floor(offset))

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Debezium's signals (see `signals`); any thread.

        Raises:
            BadRequestError: another kind, or tables that are not captured.
            IllegalStateError: the captured tables are not known yet.
        """
        reader = self._reader
        if reader is None or not reader.captured:
            raise IllegalStateError("The connector has not reached its database yet.", hint="Try again soon.")
        reader.signals.handle(kind, data)

    def stop(self) -> None:
        """End the threads."""
        if self._watch is not None:
            self._watch.stop()
        if self._reader is not None:
            self._reader.stop()
            self._thread.join(self._stop_wait)
            if self._thread.is_alive():
                log.warning("The reader of %s did not end in time", self.context.connector)
