"""Applies runs by the class of what goes wrong: data, structure, fencing, retriable (D7). Task thread only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from connectors.jdbc.bisect import Isolation, Refused, Rejections
from connectors.jdbc.change import Change
from connectors.jdbc.dialects import Connection, TableName
from connectors.jdbc.intake import Run
from connectors.jdbc.script import Script
from connectors.jdbc.tables import TableBook
from connectors.jdbc.writer import TableError, Writer
from replicator.api import ConnectError, DataError, FencedError, RetriableError, SinkRecord
from replicator.api.failpoints import failpoint

log = logging.getLogger(__name__)

StopTable = Callable[[TableName, str, Sequence[SinkRecord]], None]
"""Stops a table (C23): the lanes of the records are marked stopped; their changes leave the run."""

_QUICK_RETRIES = 3
_LOOK_AGAIN_SECONDS = 2.0


class Applier:
    """Brings runs into the target.

    Attributes:
        pending: the run that is ahead: `complete` says how it ended.
    """

    def __init__(
        self,
        writer: Writer,
        book: TableBook,
        rejections: Rejections,
        stop_table: StopTable,
        *,
        refused_stops_table: bool,
    ) -> None:
        self._refused_stops = refused_stops_table
        self._writer = writer
        self._book = book
        self._rejections = rejections
        self._stop_table = stop_table
        self.pending: Run | None = None
        self._script: tuple[Run, int, Script] | None = None
        self._looked_at: dict[TableName, float] = {}

    def apply(self, connection: Connection, run: Run, *, ahead: bool = False) -> None:
        """Apply one run in one transaction with its ledger row.

        With `ahead` the server may still be at work on it, and `complete` says how it ended; nothing else may use
        the connection before that.

        Raises:
            RetriableError: the same records must come again.
            FencedError: another task owns the partitions.
            DataError: a record cannot be applied and errors are not tolerated.
        """
        if run.truncate is not None:
            self._truncate(connection, run, run.truncate)
            return
        if ahead and self._ahead(connection, run):
            return
        tried: set[object] = set()
        while True:
            changes = _going_on(run)
            try:
                self._once(connection, run, changes)
            except TableError as error:
                # The catalog may have changed under us: read it again, once, before the table stops.
                self._book.forget(error.table)
                if error.table in tried:
                    self._stop(error, changes)
                tried.add(error.table)
                continue
            except Refused as refused:
                if not self._refused_stops or refused.table is None:
                    raise
                self._stop_table(refused.table, str(refused), [refused.record])
                continue
            return

    def _ahead(self, connection: Connection, run: Run) -> bool:
        """Give the run to the server; False when it failed, by what is found out step by step."""
        try:
            self._once(connection, run, _going_on(run), ahead=True)
        except (FencedError, RetriableError):
            raise
        except ConnectError as error:
            log.info("A batch failed and is applied again step by step: %s", type(error).__name__)
            return False
        return True

    def rehearse(self, run: Run) -> None:
        """Make the run's statements while the server is at work on the run before."""
        changes = _going_on(run)
        script = self._writer.script(changes)
        self._script = None if script is None else (run, len(changes), script)

    def _take_script(self, run: Run, changes: Sequence[Change]) -> Script | None:
        """What was rehearsed for these changes."""
        rehearsed, self._script = self._script, None
        if rehearsed is None or rehearsed[0] is not run or rehearsed[1] != len(changes):
            return None
        return rehearsed[2]

    @property
    def is_ahead(self) -> bool:
        """Whether `complete` is due."""
        return self.pending is not None

    def complete(self, connection: Connection) -> None:
        """Wait for the run that is ahead. If it failed, it is applied again, step by step.

        Raises:
            RetriableError, FencedError, DataError: as `apply`.
        """
        run, self.pending = self.pending, None
        if run is None:
            return
        try:
            self._writer.complete(connection)
            failpoint("after_target_commit")
        except FencedError:
            raise
        except RetriableError as error:
            if not _is_deadlock(error):
                raise
            self._again(connection, run)
        except ConnectError:
            self._again(connection, run)

    def _again(self, connection: Connection, run: Run) -> None:
        self._script = None  # tables may be stopped or looked at anew on the way
        self.apply(connection, run)

    def _once(self, connection: Connection, run: Run, changes: list[Change], *, ahead: bool = False) -> None:
        self._writer.prepare(connection, changes)
        for attempt in range(_QUICK_RETRIES):
            try:
                self._transaction(connection, run, changes, ahead=ahead)
            except RetriableError as error:
                # A deadlock's loser may simply go again; a lost connection is the caller's business.
                if attempt == _QUICK_RETRIES - 1 or not _is_deadlock(error):
                    raise
                log.info("Deadlock; the batch is applied again: %s", error)
                time.sleep(0.01 * (attempt + 1))
            else:
                return

    def _transaction(self, connection: Connection, run: Run, changes: list[Change], *, ahead: bool) -> None:
        ends = run.ends()
        if not ends:
            return
        script = self._take_script(run, changes) if ahead else None

        def all_at_once() -> None:
            failpoint("between_ledger_and_rows")
            if script is not None:
                self._writer.perform(connection, script)
            else:
                self._writer.apply(connection, changes)
            failpoint("before_target_commit")

        def isolated() -> None:
            Isolation(connection, lambda part: self._writer.apply(connection, part), self._rejections).run(
                changes
            )
            self._rejections.wait()

        if ahead:
            self._writer.transaction(connection, ends, all_at_once, ahead=True)
            self.pending = run
            return
        try:
            self._writer.transaction(connection, ends, all_at_once)
        except (FencedError, RetriableError, TableError, Refused):
            raise
        except DataError as error:
            why = self._rejections.shown(error)
            log.info("A batch of %d changes failed, its bad records are looked for: %s", len(changes), why)
            self._look_again(connection, changes)
            self._writer.transaction(connection, ends, isolated)
        failpoint("after_target_commit")

    def _look_again(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Read tables from the catalog before a record is refused: somebody may have made room for it (D7)."""
        now = time.monotonic()
        tables = {c.plan.table for c in changes}
        stale = {t for t in tables if now - self._looked_at.get(t, float("-inf")) > _LOOK_AGAIN_SECONDS}
        for table in stale:
            self._looked_at[table] = now
            self._book.forget(table)
        if stale:
            self._writer.prepare(connection, changes)

    def _stop(self, error: TableError, changes: Sequence[Change]) -> None:
        self._stop_table(error.table, str(error), [c.record for c in changes if c.plan.table == error.table])

    def _truncate(self, connection: Connection, run: Run, change: Change) -> None:
        """Everything before is committed; TRUNCATE may commit by itself, then the ledger follows (C18)."""
        ends = run.ends()
        if not ends:
            return
        try:
            self._writer.prepare(connection, [change])
        except TableError as error:
            self._stop(error, [change])
            return
        self._writer.transaction(connection, [], lambda: self._writer.guard(connection, ends))
        self._writer.truncate(connection, change)
        failpoint("between_truncate_and_ledger")
        self._writer.transaction(connection, ends, lambda: None)


def _is_deadlock(error: RetriableError) -> bool:
    return "eadlock" in error.message


def _going_on(run: Run) -> list[Change]:
    """The run's changes without those of stopped lanes."""
    stopped = {lane.partition for lane in run.stopped}
    if not stopped:
        return run.changes
    return [
        c for c in run.changes if (c.record.original_topic, c.record.original_kafka_partition) not in stopped
    ]
