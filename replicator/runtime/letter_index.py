"""What has to be known of all letters of a queue, on disk once it is large. Pure bookkeeping; one thread.

A queue may hold more letters than fit into memory, so that nothing here is kept in Python objects: SQLite's nameless
database lives in its page cache and moves to a file of its own, which nobody else sees, when that is full.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self

Place = tuple[int, int]
"""Partition and offset in a queue."""

_CACHE_KIB: Final = 8192
_TABLES: Final = """
CREATE TABLE mark(part INTEGER, off INTEGER, state TEXT, PRIMARY KEY(part, off)) WITHOUT ROWID;
CREATE TABLE last(topic TEXT, key BLOB, off INTEGER, void INTEGER DEFAULT 0, PRIMARY KEY(topic, key)) WITHOUT ROWID;
CREATE TABLE removal(topic TEXT, part INTEGER, off INTEGER, PRIMARY KEY(topic, part, off)) WITHOUT ROWID;
"""


class _Disk:
    """A nameless database, gone when it is closed."""

    def __init__(self) -> None:
        # Handlers of the REST API may run a generator's parts on several threads, one after the other.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Give the disk space back."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Marks(_Disk):
    """States by place of the letters of one queue that were replayed or purged."""

    def get(self, place: Place) -> str | None:
        """Its state."""
        row = self._db.execute("SELECT state FROM mark WHERE part = ? AND off = ?", place).fetchone()
        return None if row is None else str(row[0])

    def put(self, places: Iterable[Place], state: str) -> None:
        """Remember states."""
        self._db.executemany(
            "INSERT OR REPLACE INTO mark VALUES (?, ?, ?)", ((*place, state) for place in places)
        )

    def remove(self, place: Place) -> None:
        """Forget a state."""
        self._db.execute("DELETE FROM mark WHERE part = ? AND off = ?", place)

    def count(self, partition: int, start: int) -> int:
        """Number of marks in a partition from `start` on."""
        query = "SELECT count(*) FROM mark WHERE part = ? AND off >= ?"
        return int(self._db.execute(query, (partition, start)).fetchone()[0])

    def gap(self, partition: int, start: int, end: int) -> int:
        """First offset from `start` on that has no mark; at most `end`."""
        expected = start
        query = "SELECT off FROM mark WHERE part = ? AND off >= ? ORDER BY off"
        for (offset,) in self._db.execute(query, (partition, start)):
            if offset != expected or expected >= end:
                break
            expected += 1
        return min(expected, end)

    def before(self, partition: int, end: int) -> Iterator[Place]:
        """Places of marks before an offset."""
        query = "SELECT part, off FROM mark WHERE part = ? AND off < ? ORDER BY off"
        yield from self._db.execute(query, (partition, end))


class NewestLetters(_Disk):
    """The newest letter of each key, by the topic it came from, and which keys have newer records there."""

    def note(self, topic: str, key: bytes, partition: int, offset: int, *, removal: bool) -> None:
        """A letter; `removal` says that it is the delete event that a tombstone may follow."""
        self._db.execute(
            "INSERT INTO last(topic, key, off) VALUES (?, ?, ?)"
            " ON CONFLICT(topic, key) DO UPDATE SET off = max(off, excluded.off)",
            (topic, key, offset),
        )
        if removal:
            self._db.execute("INSERT OR IGNORE INTO removal VALUES (?, ?, ?)", (topic, partition, offset))

    def see(self, topic: str, key: bytes | None, partition: int, offset: int, *, tombstone: bool) -> None:
        """A record of a topic that letters came from: newer than all letters of its key, it makes them void."""
        if tombstone and self._follows_removal(topic, partition, offset):
            return  # the tombstone that follows a delete says nothing new
        self._db.execute(
            "UPDATE last SET void = 1 WHERE topic = ? AND key = ? AND off < ? AND void = 0",
            (topic, key, offset),
        )

    def is_void(self, topic: str | None, key: bytes | None) -> bool:
        """Whether the key has a newer record."""
        query = "SELECT 1 FROM last WHERE topic = ? AND key = ? AND void = 1"
        return self._db.execute(query, (topic, key)).fetchone() is not None

    def _follows_removal(self, topic: str, partition: int, offset: int) -> bool:
        query = "SELECT 1 FROM removal WHERE topic = ? AND part = ? AND off = ?"
        return self._db.execute(query, (topic, partition, offset - 1)).fetchone() is not None
