"""The task of the SQL source: reads its tables in turn, the one that waited longest first. Task thread only.

A lost connection restores itself: the query under way is run again from behind what was delivered, as often as
`query.retry.attempts` allows.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from connectors.jdbc.source.names import TableId, split_tables
from connectors.jdbc.source.offsets import Offset, moment_of, offset_of, older_partitions, partition_of
from connectors.jdbc.source.options import (
    BULK,
    CONFLUENT_OPTIONS,
    OWN_OPTIONS,
    TABLES,
)
from connectors.jdbc.source.parsing import read_settings
from connectors.jdbc.source.querier import Querier
from connectors.jdbc.source.reading import Reader
from connectors.jdbc.source.session import open_patiently, open_reader, reader_class
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import (
    ConfigDef,
    ConnectError,
    RetriableError,
    SourceRecord,
    SourceTask,
    StructuralError,
)
from replicator.api.source import ConnectorConfig

log = logging.getLogger(__name__)

_TURN: Final = 0.5
"""Longest wait within one poll, so that pause and stop are noticed."""

_CURRENT: Final = -1
_FIRST_RETRY: Final = 1.0


class JdbcSourceTask(SourceTask):
    """Reads some tables, or the query."""

    options: ClassVar[ConfigDef] = OWN_OPTIONS
    own: ClassVar[bool] = True

    def start(self, config: ConnectorConfig) -> None:
        self._settings: SourceSettings = read_settings(self.options, config, own=self.own)
        self._name = f"{self.context.connector}-{self.context.task}"
        self._reader: Reader | None = None
        self._queriers: list[Querier] = []
        self._told = 0.0
        targets = self._targets(config)
        if targets:
            self._reader = open_patiently(self._settings, self._name, self.context.stopping)
            self._queriers = [Querier(t, self._settings, self._start_of(t, self._reader)) for t in targets]
        self._tell(force=True)

    def poll(self) -> Sequence[SourceRecord] | None:
        querier = self._next()
        if querier is None:
            return None
        try:
            records = self._read(querier)
        except (RetriableError, StructuralError) as error:
            self._failed(querier, error)
            return None
        querier.failures = 0
        if not querier.is_open:
            querier.due = time.monotonic() + self._settings.poll_interval
        self._tell()
        return records

    def stop(self) -> None:
        self._drop_reader()

    # --- what is read ---

    def _targets(self, config: ConnectorConfig) -> list[TableId | None]:
        if self._settings.query:
            return [None]
        parts = reader_class(self._settings).name_parts
        return list(split_tables(config.get(TABLES, ""), parts))

    def _start_of(self, table: TableId | None, reader: Reader) -> Offset | None:
        """The stored offset, else where `timestamp.initial` says."""
        settings = self._settings
        if settings.mode == BULK:
            return None
        for partition in (partition_of(table), *older_partitions(table)):
            found = offset_of(self.context.offsets.offset(partition))
            if found is not None:
                return found
        if not settings.uses_timestamps or settings.timestamp_initial is None:
            return None
        if settings.timestamp_initial == _CURRENT:
            return Offset(None, reader.now())
        return Offset(None, moment_of(settings.timestamp_initial))

    # --- one turn ---

    def _next(self) -> Querier | None:
        """The querier whose turn it is; None after a short wait."""
        if not self._queriers:
            self.context.stopping.wait(_TURN)
            return None
        querier = next((q for q in self._queriers if q.is_open), None)
        if querier is not None:
            return querier
        querier = min(self._queriers, key=lambda q: q.due)
        wait = querier.due - time.monotonic()
        if wait > 0:
            self.context.stopping.wait(min(wait, _TURN))
        return querier if wait <= _TURN and not self.context.stopping.is_set() else None

    def _read(self, querier: Querier) -> list[SourceRecord]:
        try:
            return self._next_records(querier)
        except ConnectError as error:
            if self._settings.masked:
                # The database's messages, and the driver's behind them, quote the query.
                raise type(error)(_without_query(error.message), hint=error.hint) from None
            raise

    def _next_records(self, querier: Querier) -> list[SourceRecord]:
        if self._reader is None:
            self._reader = open_reader(self._settings, self._name)
        if not querier.is_open:
            querier.open(self._reader)
        records = querier.take(self._settings.batch)
        while not records and querier.is_open:
            records = querier.take(self._settings.batch)
        return records

    def _failed(self, querier: Querier, error: ConnectError) -> None:
        """Try again later, from behind what was delivered."""
        querier.reset()
        if isinstance(error, StructuralError) and self._is_there(querier):
            self._drop_reader()
            raise error
        self._drop_reader()
        querier.failures += 1
        limit = self._settings.retries
        if 0 <= limit < querier.failures:
            raise ConnectError(
                f"Failed to query {querier} after {limit} retries: {error.message}", hint=error.hint
            ) from error
        delay = min(
            _FIRST_RETRY * 2.0 ** min(querier.failures - 1, 10), max(self._settings.poll_interval, 30.0)
        )
        querier.due = time.monotonic() + delay
        log.warning("%s: reading %s failed, trying again in %g s: %s", self._name, querier, delay, error)
        self.context.progress(warnings=[f"{querier}: {error.message}"])

    def _is_there(self, querier: Querier) -> bool:
        """Whether a structural error is about a table that exists; one that vanished is no reason to fail."""
        if querier.table is None:
            return True
        try:
            with_reader = open_reader(self._settings, self._name)
        except ConnectError:
            return False
        try:
            return bool(with_reader.table_columns(querier.table))
        finally:
            with_reader.close()

    def _drop_reader(self) -> None:
        reader, self._reader = getattr(self, "_reader", None), None
        if reader is not None:
            reader.close()

    def _tell(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._told < 1.0:
            return
        self._told = now
        tables: dict[str, Any] = {
            str(q): {"state": "reading" if q.is_open else "waiting", "rows_done": q.rows}
            for q in self._queriers
        }
        facts: dict[str, Any] = {"phase": self._settings.mode, "tables": tables}
        if all(querier.failures == 0 for querier in self._queriers):
            facts["warnings"] = []
        self.context.progress(**facts)


def _without_query(message: str) -> str:
    first = message.partition("\n")[0]
    return re.sub(r"near '.*", "near [hidden]", first, flags=re.DOTALL)


class ConfluentJdbcSourceTask(JdbcSourceTask):
    """The same with Confluent's defaults and forms."""

    options: ClassVar[ConfigDef] = CONFLUENT_OPTIONS
    own: ClassVar[bool] = False
