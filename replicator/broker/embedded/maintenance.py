"""Upkeep of the log, off the hot path: checkpoints, retention, compaction, giving space back.

One daemon thread; every step is a short transaction, so an append never waits long for it.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from replicator.api.errors import ConnectError
from replicator.broker.embedded import schema
from replicator.broker.embedded.compaction import Compaction
from replicator.broker.embedded.groups import Groups
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.retention import Retention
from replicator.broker.embedded.room import Room
from replicator.broker.embedded.sqlite_errors import translated

_log = logging.getLogger(__name__)

_TICK: Final = 1.0
_UPKEEP_EVERY: Final = 30.0
_CHECKPOINT_BYTES: Final = 32 << 20
_CHECKPOINT_EVERY: Final = 60.0
_LONG_WAL_PAGES: Final = 32768  # 128 MB
_FREE_PAGES: Final = 4096
_VACUUM_PAGES: Final = 1024
_FEWEST_VACUUM_PAGES: Final = 16
_VACUUM_STEPS: Final = 64
_PAGE_BYTES: Final = 4096
_BREATH: Final = 0.005


class Maintenance:
    """See the module. `run_once` does everything that is due; tests call it directly."""

    def __init__(self, log: Log, groups: Groups) -> None:
        self._log_state = log
        self._groups = groups
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._compaction = Compaction(log, self._stop.is_set)
        self._room = Room(log)
        self._checkpointed = 0
        self._checkpoint_at = time.monotonic()

    def start(self) -> None:
        """Start the thread."""
        try:
            self.watch_room()
        except ConnectError as error:
            _log.warning("%s", error)
        self._thread = threading.Thread(target=self._run, name="embedded-log-upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stop.set()
        self._log_state.budget.attention.set()
        if self._thread is not None:
            self._thread.join()
        self._room.release()
        self._compaction.close()

    def recover(self) -> None:
        """Drop what transactions of an earlier process left pending."""
        # A log is opened without writing where possible: then it opens on a full disk, too.
        if self._log_state.writer.execute("SELECT 1 FROM pending LIMIT 1").fetchone() is not None:
            with self._log_state.transaction() as connection:
                connection.execute("DELETE FROM pending")

    def _run(self) -> None:
        next_upkeep = time.monotonic() + _UPKEEP_EVERY
        attention = self._log_state.budget.attention
        while not self._stop.is_set():
            attention.wait(_TICK)
            attention.clear()
            try:
                self.watch_room()
                self._checkpoint_if_due()
                if time.monotonic() >= next_upkeep:
                    next_upkeep = time.monotonic() + _UPKEEP_EVERY
                    self.run_once(time.time())
            except ConnectError as error:
                _log.warning("Upkeep of the topic log failed and is tried again: %s", error)

    def run_once(self, now: float) -> None:
        """Retention, compaction and giving space back, as of `now` (seconds)."""
        self._groups.note_activity(now)
        retention = Retention(self._log_state, self._stop.is_set)
        try:
            retention.run(self._groups.snapshot(), now)
            self._compaction.run(now)
        finally:
            retention.close()
        self._give_back()

    def watch_room(self) -> None:
        """Refuse appends in time, and make room."""
        self._room.check((self._checkpoint_whole, self._drop_consumed, self._shrink))

    def _checkpoint_whole(self) -> None:
        self.checkpoint(whole=True)

    def _drop_consumed(self) -> None:
        """Everything that was consumed goes now."""
        retention = Retention(self._log_state, self._stop.is_set, hurry=True)
        try:
            retention.run(self._groups.snapshot(), time.time())
        finally:
            retention.close()
        self.checkpoint(whole=True)

    def _shrink(self) -> None:
        """All unused space goes back to the disk, in steps for which there is room."""
        while not self._stop.wait(_BREATH):
            # A page moved within the file takes up to three in the write-ahead log.
            step = min(_VACUUM_PAGES, max(_FEWEST_VACUUM_PAGES, self._room.free() // _PAGE_BYTES // 8))
            if not self._vacuum(0, step):
                return
            self.checkpoint(whole=True)

    def _give_back(self) -> None:
        """Shrink the file when much of it is unused; otherwise appends reuse the space."""
        for _ in range(_VACUUM_STEPS):
            if not self._vacuum(_FREE_PAGES, _VACUUM_PAGES) or self._stop.wait(_BREATH):
                return

    def _vacuum(self, keep: int, step: int) -> bool:
        """Take unused pages from the file; False when no more than `keep`, or than a quarter of it, were unused."""
        log = self._log_state
        with log.lock, translated(log.path):
            free = log.writer.execute("PRAGMA freelist_count").fetchone()[0]
            pages = log.writer.execute("PRAGMA page_count").fetchone()[0]
            if free <= max(keep, pages // 4 if keep else 0):
                return False
            # `execute` would stop after the first page.
            log.writer.executescript(f"PRAGMA incremental_vacuum({step})")
            return True

    def _checkpoint_if_due(self) -> None:
        written = self._log_state.budget.written
        waited = time.monotonic() - self._checkpoint_at
        if written - self._checkpointed >= _CHECKPOINT_BYTES or (
            written > self._checkpointed and waited >= _CHECKPOINT_EVERY
        ):
            self.checkpoint()

    def checkpoint(self, *, whole: bool = False) -> None:
        """Move the write-ahead log into the file, while appends go on.

        Args:
            whole: give back the write-ahead log's own space as well; appends wait.
        """
        log = self._log_state
        if log.path is None:
            return
        written = log.budget.written
        with translated(log.path):
            connection = schema.connect(log.path)
            try:
                _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if whole:
                    connection.execute("PRAGMA busy_timeout=1000")
                    with log.lock:
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                elif pages > _LONG_WAL_PAGES:
                    # Under a steady load there is never a moment at which everything has been moved, and the next
                    # append could start over. So make one: appends wait until the rest is on the disk.
                    with log.lock:
                        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            finally:
                connection.close()
        self._checkpointed = written
        self._checkpoint_at = time.monotonic()
