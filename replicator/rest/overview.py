"""All that the page and `status` show, in one document; `overview_routes` serves it.

A thread of its own samples rates and lag once a second, so that charts have a past also when
nobody was looking. It reads facts only and never blocks a task. Imports no web framework, so that
it can begin with the worker, long before somebody asks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any, Final

from replicator import __version__
from replicator.api.errors import ConnectError
from replicator.herder.base import Herder
from replicator.herder.views import ConnectorStatus, TaskProgress
from replicator.metrics.prometheus import lag_ms

log = logging.getLogger(__name__)

KEPT_POINTS: Final = 600
KEPT_ERRORS: Final = 20
PERIOD: Final = 1.0


class History:
    """Recent rates, lags and retained log of one connector, one point a second."""

    def __init__(self) -> None:
        self.points: deque[tuple[int, float, float | None, int | None]] = deque(maxlen=KEPT_POINTS)
        self._last: tuple[float, int] | None = None

    def sample(self, tasks: list[TaskProgress], now: float) -> None:
        """Add a point; a restarted task counts from its new beginning."""
        total = sum(int(t.stats.get("records_out", 0)) for t in tasks)
        lags = [lag for t in tasks if (lag := lag_ms(t.stats, t.facts)) is not None]
        rate = 0.0
        if self._last is not None and now > self._last[0]:
            moved = total - self._last[1] if total >= self._last[1] else total
            rate = moved / (now - self._last[0])
        self._last = (now, total)
        kept = [int(size) for t in tasks if (size := t.facts.get("retained_bytes")) is not None]
        self.points.append(
            (int(now * 1000), round(rate, 1), max(lags) if lags else None, max(kept) if kept else None)
        )

    def to_json(self, most: int = KEPT_POINTS) -> dict[str, Any]:
        """Columns rather than rows: shorter, and what a chart wants; the last `most` points."""
        points = list(self.points)
        points = points[max(0, len(points) - most) :]
        return {
            "t": [p[0] for p in points],
            "rows_per_second": [p[1] for p in points],
            "lag_ms": [p[2] for p in points],
            "retained_bytes": [p[3] for p in points],
        }


class Overview:
    """Collects the document; `start` begins sampling, `stop` ends it."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder
        self._began = time.time()
        self._histories: dict[str, History] = {}
        self._errors: deque[dict[str, Any]] = deque(maxlen=KEPT_ERRORS)
        self._seen: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Sample until `stop`."""
        self._thread = threading.Thread(target=self._run, name="rest-sampler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End sampling."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def document(self, points: int = KEPT_POINTS, whole: str | None = None) -> dict[str, Any]:
        """The whole picture; of each history the last `points`, but all of that of the connector `whole`."""
        connectors = [
            self._connector(name, KEPT_POINTS if name == whole else points) for name in self._names()
        ]
        health = self._herder.health()
        with self._lock:
            errors = list(reversed(self._errors))
        return {
            "version": __version__,
            "cluster_id": self._herder.cluster_id(),
            "health": health._asdict(),
            "now": int(time.time() * 1000),
            "uptime_ms": int((time.time() - self._began) * 1000),
            "connectors": [c for c in connectors if c is not None],
            "errors": errors,
        }

    def sample(self) -> None:
        """Take one point of every connector and note new errors."""
        now = time.time()
        names = self._names()
        with self._lock:
            for gone in self._histories.keys() - set(names):
                del self._histories[gone]
        for name in names:
            try:
                tasks = self._herder.progress(name)
                status = self._herder.connector_status(name)
            except ConnectError:
                continue  # deleted meanwhile, or not yet started
            with self._lock:
                self._histories.setdefault(name, History()).sample(tasks, now)
                self._note_errors(status, now)

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD):
            try:
                self.sample()
            except Exception:  # the page's history must not end with one bad fact
                log.exception("Could not sample the state of connectors")

    def _names(self) -> list[str]:
        return self._herder.connectors()

    def _note_errors(self, status: ConnectorStatus, now: float) -> None:
        parts = [("connector", status.connector.trace)]
        parts += [(f"task {t.id}", t.trace) for t in status.tasks]
        for part, trace in parts:
            if not trace:
                self._seen.pop((status.name, part), None)
            elif self._seen.get((status.name, part)) != trace:
                self._seen[status.name, part] = trace
                entry = {"time": int(now * 1000), "connector": status.name, "part": part}
                self._errors.append(entry | {"message": last_line(trace), "trace": trace})

    def _connector(self, name: str, most: int) -> dict[str, Any] | None:
        try:
            status = self._herder.connector_status(name)
            live = {p.id.task: p for p in self._herder.progress(name)}
        except ConnectError:
            return None
        with self._lock:
            self._note_errors(status, time.time())
            history = self._histories.get(name)
            points = (history or History()).to_json(most)
        shown = status.connector
        return {
            "name": name,
            "type": status.type,
            "state": shown.state,
            "worker_id": shown.worker_id,
            "trace": shown.trace,
            "tasks": [_task(t.to_json(), live.get(t.id)) for t in sorted(status.tasks, key=lambda t: t.id)],
            "history": points,
        }


def _task(shown: dict[str, Any], live: TaskProgress | None) -> dict[str, Any]:
    if live is None:
        return shown | {"stats": {}, "facts": {}, "gauges": {}}
    return shown | {"stats": dict(live.stats), "facts": dict(live.facts), "gauges": dict(live.gauges)}


def last_line(trace: str) -> str:
    """The message of a trace: its last line that is not an indented frame."""
    lines = [line for line in trace.strip().splitlines() if line and not line.startswith(" ")]
    return lines[-1] if lines else trace.strip()
