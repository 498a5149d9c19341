"""What the task tells the outside about itself, gathered from its threads and published at a gentle rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.cdc.figures import Figures, Session
from replicator.api import SourceTaskContext

_INTERVAL: Final = 0.5


class Status:
    """Facts and warnings of one task; any thread.

    Attributes:
        figures: Debezium's metrics, published with the facts.
    """

    def __init__(self, context: SourceTaskContext) -> None:
        self.figures: Figures | None = None
        self._context = context
        self._lock = threading.Lock()
        self._warnings: dict[str, list[str]] = {}
        self._tables: dict[str, dict[str, Any]] = {}
        self._facts: dict[str, Any] = {}
        self._published = 0.0

    def warn(self, source: str, sentences: Sequence[str]) -> None:
        """Replace the warnings of one source (a part of the task); published at once when they change."""
        with self._lock:
            if self._warnings.get(source, []) == list(sentences):
                return
            self._warnings[source] = list(sentences)
            self._facts["warnings"] = [w for group in self._warnings.values() for w in group]
            self._publish()

    def table(self, name: str, facts: dict[str, Any]) -> None:
        """State of the copy of one table."""
        with self._lock:
            self._tables[name] = facts
            self._facts["tables"] = dict(self._tables)
            self._publish_later()

    def tables(self, facts: Mapping[str, dict[str, Any]], *, new_only: bool = False) -> None:
        """State of several tables, published at once; `new_only` leaves alone what is told of a table already."""
        with self._lock:
            self._tables = {**facts, **self._tables} if new_only else {**self._tables, **facts}
            self._facts["tables"] = dict(self._tables)
            self._publish()

    def facts(self, *, now: bool = False, **facts: Any) -> None:
        """Facts by name; published within half a second of the next call, or now."""
        if self.figures is not None and "phase" in facts:
            self.figures.phase(str(facts["phase"]))
        with self._lock:
            self._facts.update(facts)
            if now:
                self._publish()
            else:
                self._publish_later()

    def session(self, stream: Session) -> None:
        """A session of reading the log begins (reader thread)."""
        if self.figures is not None:
            self.figures.session(stream)

    def behind(self, position: int, milliseconds: float) -> None:
        """How far the reader is, and how far behind the source's newest commit (reader thread)."""
        if self.figures is not None:
            self.figures.position = {"lsn": position}
            self.figures.behind_ms = milliseconds

    def _publish_later(self) -> None:
        if time.monotonic() - self._published >= _INTERVAL:
            self._publish()

    def _publish(self) -> None:
        if self._facts:
            if self.figures is not None:
                self._facts["debezium"] = self.figures.to_json(self._tables)
            self._context.progress(**self._facts)
            self._facts = {}
        self._published = time.monotonic()
