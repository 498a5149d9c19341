"""Looks for new and vanished tables on a thread of its own, and asks for new task configurations then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from connectors.jdbc.source.names import TableId
from connectors.jdbc.source.reading import Reader
from connectors.jdbc.source.session import find_tables, open_reader
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import ConfigError, ConnectError, RetriableError

log = logging.getLogger(__name__)


class TableMonitor:
    """See the module; `tables` may be called from any thread."""

    def __init__(
        self,
        settings: SourceSettings,
        name: str,
        changed: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._settings = settings
        self._name = name
        self._changed = changed
        self._failed = failed
        self._tables: list[TableId] | None = None
        self._listed = threading.Event()
        self._gave_up = False
        self._stopping = threading.Event()
        self._reader: Reader | None = None
        self._thread = threading.Thread(target=self._run, name=f"tables-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def tables(self) -> list[TableId] | None:
        """The last list; waits for the first one as long as configured. None: there is none yet."""
        if not self._listed.wait(self._settings.startup_limit):
            self._gave_up = True
        return self._tables

    def stop(self) -> None:
        """End; the thread may still wait for the database for a while."""
        self._stopping.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._look()
                self._stopping.wait(self._settings.table_poll_interval)
        except Exception as error:  # noqa: BLE001 - what is no lost connection fails the connector
            if not self._stopping.is_set():
                self._failed(error)
        finally:
            self._listed.set()
            self._close()

    def _look(self) -> None:
        try:
            if self._reader is None:
                self._reader = open_reader(self._settings, f"{self._name} tables")
            tables = find_tables(self._reader, self._settings)
        except ConfigError:
            raise
        except RetriableError as error:
            log.warning("%s: the tables cannot be listed: %s", self._name, error)
            self._close()
            return
        before, self._tables = self._tables, tables
        if tables == before:
            return
        # Whoever waits for the first list needs no call; whoever gave up waiting does.
        waited_for = before is None and not self._gave_up
        self._listed.set()
        if not waited_for:
            self._report(set(before or ()), set(tables))
            self._changed()

    def _report(self, before: set[TableId], now: set[TableId]) -> None:
        for table in sorted(now - before):
            log.info("%s: table %s is read from now on", self._name, table)
        for table in sorted(before - now):
            log.info("%s: table %s is gone", self._name, table)

    def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def groups(tables: list[TableId], count: int) -> list[list[TableId]]:
    """The tables in `count` contiguous parts of nearly equal size.

    Raises:
        ConnectError: there are no parts.
    """
    if count < 1:
        raise ConnectError("Tables cannot be divided among no tasks")
    size, more = divmod(len(tables), count)
    parts, position = [], 0
    for number in range(count):
        end = position + size + (number < more)
        parts.append(tables[position:end])
        position = end
    return parts
