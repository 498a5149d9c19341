"""Debezium's metrics of a log reader, gathered from what the reader counts anyway.

The reader's thread writes, whoever publishes reads: plain assignments of whole values, so no lock. Totals go on
over sessions; a session's own counts start at zero. Nothing of a row's content is kept here.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from connectors.cdc.queue import RecordQueue

_SAMPLES: Final = 1000
_COPIED: Final = ("copied", "not copied")

SNAPSHOT_PHASES: Final = ("creating slot", "snapshot")
STREAMING_PHASE: Final = "streaming"


class Session(Protocol):
    """Counts of one session of reading the log."""

    creates: int
    updates: int
    deletes: int
    filtered: int
    transactions: int

    @property
    def transaction_id(self) -> int:
        """Number of the newest transaction; 0: none."""
        ...


class Figures:
    """Attributes of the snapshot and streaming metrics of one task."""

    def __init__(
        self,
        plugin: str,
        server: str,
        queue: RecordQueue,
        captured: Callable[[], int],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._plugin = plugin
        self._server = server
        self._queue = queue
        self._captured = captured
        self._clock = clock
        self._phase = ""
        self._copying_since: float | None = None
        self._copy_seconds = 0.0
        self._copied = self._aborted = self._skipped = False
        self._session: Session | None = None
        self._before = dict.fromkeys(("creates", "updates", "deletes", "filtered", "transactions"), 0)
        self._behind: deque[float] = deque(maxlen=_SAMPLES)
        self._seen = {"snapshot": 0, "streaming": 0}
        self._last = {"snapshot": 0.0, "streaming": 0.0}
        self.behind_ms = 0.0
        self.position: Mapping[str, int] = {}

    def phase(self, name: str) -> None:
        """The reader does something else now."""
        was, self._phase = self._phase, name
        now = self._clock()
        if name in SNAPSHOT_PHASES:
            if self._copying_since is None:
                self._copying_since = now
            self._aborted = False
            return
        if self._copying_since is not None:
            self._copy_seconds = now - self._copying_since
            self._copying_since = None
            self._copied = name != "reconnecting"
            self._aborted = not self._copied
        elif not was and name == STREAMING_PHASE:
            self._skipped = True

    def session(self, session: Session) -> None:
        """A new session begins: counts of the old one are kept."""
        if self._session is not None:
            self._before = self._totals()
        self._session = session

    def to_json(self, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The fact `debezium`; `tables` is the state of the copy by table."""
        rows = {name: int(t["rows_done"]) for name, t in tables.items() if "rows_done" in t}
        return {
            "plugin": self._plugin,
            "server": self._server,
            "snapshot": self._common("snapshot", sum(rows.values()), 0) | self._snapshot(tables, rows),
            "streaming": self._streaming(),
        }

    def _common(self, context: str, seen: int, filtered: int) -> dict[str, Any]:
        now = self._clock()
        if seen != self._seen[context]:
            self._seen[context], self._last[context] = seen, now
        last = self._last[context]
        queue = self._queue
        return {
            "MilliSecondsSinceLastEvent": int((now - last) * 1000) if last else -1,
            "TotalNumberOfEventsSeen": seen,
            "NumberOfEventsFiltered": filtered,
            "CapturedTables": self._captured(),
            "QueueTotalCapacity": queue.max_records,
            "QueueRemainingCapacity": max(0, queue.max_records - queue.records),
            "MaxQueueSizeInBytes": queue.max_bytes,
            "CurrentQueueSizeInBytes": queue.bytes,
        }

    def _snapshot(self, tables: Mapping[str, Mapping[str, Any]], rows: Mapping[str, int]) -> dict[str, Any]:
        since = self._copying_since
        left = sum(1 for t in tables.values() if t.get("state") not in _COPIED)
        return {
            "TotalTableCount": len(tables),
            "RemainingTableCount": left,
            "SnapshotRunning": since is not None,
            "SnapshotPaused": False,
            "SnapshotAborted": self._aborted,
            "SnapshotCompleted": self._copied,
            "SnapshotSkipped": self._skipped and not self._copied,
            "SnapshotDurationInSeconds": int(self._copy_seconds if since is None else self._clock() - since),
            "SnapshotPausedDurationInSeconds": 0,
            "RowsScanned": dict(rows),
        }

    def _streaming(self) -> dict[str, Any]:
        totals = self._totals()
        events = totals["creates"] + totals["updates"] + totals["deletes"]
        connected = self._phase == STREAMING_PHASE
        if connected:
            self._behind.append(self.behind_ms)
        session = self._session
        found = self._common("streaming", events + totals["filtered"], totals["filtered"]) | {
            "TotalNumberOfCreateEventsSeen": totals["creates"],
            "TotalNumberOfUpdateEventsSeen": totals["updates"],
            "TotalNumberOfDeleteEventsSeen": totals["deletes"],
            "NumberOfErroneousEvents": 0,
            "NumberOfUnchangedEventsSkipped": -1,
            "Connected": connected,
            "NumberOfCommittedTransactions": totals["transactions"],
            "SourceEventPosition": dict(self.position),
        }
        if session is not None and session.transaction_id:
            found["LastTransactionId"] = session.transaction_id
        return found | self._lags()

    def _lags(self) -> dict[str, Any]:
        found: dict[str, Any] = {"MilliSecondsBehindSource": int(self.behind_ms)}
        samples = sorted(self._behind)
        if samples:
            prefix = "MilliSecondsBehindSource"
            found |= {
                f"{prefix}MinValue": int(samples[0]),
                f"{prefix}MaxValue": int(samples[-1]),
                f"{prefix}AverageValue": int(sum(samples) / len(samples)),
            }
            for percent in (50, 95, 99):
                found[f"{prefix}P{percent}"] = int(
                    samples[min(len(samples) - 1, len(samples) * percent // 100)]
                )
        return found

    def _totals(self) -> dict[str, int]:
        session = self._session
        if session is None:
            return dict(self._before)
        return {name: count + getattr(session, name) for name, count in self._before.items()}
