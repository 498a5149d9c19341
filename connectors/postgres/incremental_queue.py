"""The tables of an incremental snapshot that are still to be read, and how far the first of them is. Any thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Wanted:
    """One table.

    Attributes:
        name: `schema.table`.
        condition: SQL condition of the rows that are wanted, or None.
        surrogate: column to read by instead of the key.
        after: key texts of the last row that was handed out.
        maximum: key texts of the last row when the reading began.
        rows: rows read.
    """

    name: str
    condition: str | None = None
    surrogate: str | None = None
    after: list[str] | None = None
    maximum: list[str] | None = None
    rows: int = 0


class Queue:
    """See the module."""

    def __init__(self, text: str = "") -> None:
        """Begin with what an offset holds."""
        stored = json.loads(text) if text else {}
        self._lock = threading.Lock()
        self._tables = [Wanted(**t) for t in stored.get("tables", [])]
        self.paused = bool(stored.get("paused"))
        self.changed = False

    def text(self) -> str:
        """As stored; empty when nothing is to be done."""
        with self._lock:
            if not self._tables:
                return ""
            return json.dumps({"tables": [asdict(t) for t in self._tables], "paused": self.paused})

    def facts(self) -> dict[str, Any]:
        """For the status."""
        with self._lock:
            return {
                "tables": [t.name for t in self._tables],
                "rows_done": self._tables[0].rows if self._tables else 0,
                "paused": self.paused,
            }

    def add(self, tables: Iterable[Wanted]) -> None:
        """Queue tables; one whose turn has not come yet is not queued twice."""
        with self._lock:
            waiting = {t.name for t in self._tables if t.maximum is None}
            self._tables += [t for t in tables if t.name not in waiting]
            self.changed = True

    def drop(self, names: Sequence[str] | None) -> None:
        """Take tables out; all of them for None."""
        with self._lock:
            self._tables = [] if names is None else [t for t in self._tables if t.name not in names]
            self.changed = True

    def pause(self, *, paused: bool) -> None:
        """Stop after the present chunk, or go on."""
        with self._lock:
            self.paused = paused
            self.changed = True

    def current(self) -> Wanted | None:
        """The table to read, unless there is none or the reading is paused."""
        with self._lock:
            return self._tables[0] if self._tables and not self.paused else None

    def advance(self, table: Wanted, after: list[str] | None, rows: int, *, last: bool) -> None:
        """A chunk was handed out."""
        with self._lock:
            table.rows += rows
            table.after = after if after is not None else table.after
            if last:
                self._tables = [t for t in self._tables if t is not table]
