"""The log's SQLite file: its writing connection, transactions, room, flushes, and readers.

Writes hold `lock`; every method may be called from any thread, a `Reader` from one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replicator.api.errors import BrokerError, DiskFullError
from replicator.broker.embedded import schema
from replicator.broker.embedded.budget import Budget
from replicator.broker.embedded.sqlite_errors import translated


class Storage:
    """See the module.

    Attributes:
        path: the file, None for a log in memory.
        identity: UUID of the log.
        epoch: grows when the machine was started anew since the last opening (C9).
    """

    def __init__(self, path: Path | None, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self.lock = threading.RLock()
        self.budget = Budget(path)
        self._folder_flushed = False
        with translated(path):
            self.writer = schema.connect(path, read_only=True) if read_only else schema.open_writer(path)
            if read_only:
                self.identity, self.epoch = schema.read_identity(self.writer)
            else:
                self.identity, self.epoch = schema.identity_and_epoch(self.writer)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all or nothing, also when the process is killed."""
        with self.lock, translated(self.path):
            if self.read_only:
                raise BrokerError("This topic log was opened for reading only.")
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield self.writer
                self.writer.execute("COMMIT")
            except BaseException:
                if self.writer.in_transaction:
                    self.writer.execute("ROLLBACK")
                raise

    @contextmanager
    def spending(self, size: int) -> Iterator[sqlite3.Connection]:
        """A transaction of an append that writes about this much.

        Raises:
            DiskFullError: there is no room for it, or the disk turned out to be full.
        """
        with self.lock:
            self.budget.check(size)
            try:
                with self.transaction() as connection:
                    yield connection
            except DiskFullError as error:
                raise self.budget.refusal(size) from error
            self.budget.written += size

    def space(self) -> tuple[int, int]:
        """Bytes that the file has yet to grow by when the write-ahead log is moved, and unused ones within it."""
        assert self.path is not None
        with self.lock, translated(self.path):
            page, pages, unused = (
                self.writer.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_size", "page_count", "freelist_count")
            )
            return max(0, pages * page - self.path.stat().st_size), unused * page

    def reader(self) -> Reader:
        """A reader for one thread."""
        return Reader(self)

    def flush(self) -> None:
        """Make everything written so far survive power loss.

        Flushes the write-ahead log itself: that needs no SQLite lock, so appends go on meanwhile. What a checkpoint
        has moved out of it was flushed by the checkpoint.
        """
        if self.path is None:
            return
        with translated(self.path):
            _flush(Path(f"{self.path}-wal"))
            if not self._folder_flushed:  # the names of new files must survive, too
                _flush(self.path.parent)
                self._folder_flushed = True

    def close(self) -> None:
        """Flush and close the writing connection."""
        with self.lock:
            self.writer.close()


class Reader:
    """Runs queries for one thread; holds no read transaction between calls (C8)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        # An in-memory database lives in its only connection, so its readers take turns with the writer.
        self._own = None if storage.path is None else schema.connect(storage.path, read_only=True)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with translated(self._storage.path):
            if self._own is not None:
                return self._own.execute(sql, parameters).fetchall()
            with self._storage.lock:
                return self._storage.writer.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Release the connection."""
        if self._own is not None:
            self._own.close()


def pages_of(rows: Sequence[tuple[Any, ...]]) -> int:
    """About what rows that end with a blob add to the write-ahead log: whole pages of table and index."""
    return 8192 + sum(8192 + len(row[-1]) for row in rows)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
