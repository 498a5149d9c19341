"""What `sync` shows while it runs: copy progress with remaining time, then rates and lag.

Plain lines when stdout is not a terminal, one line that is written over when it is. Run by the
main thread, which only looks at published facts.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from replicator.api.database import SourceDatabase, TablePair, TargetDatabase
from replicator.api.errors import ConnectError, PositionLostError, RetriableError
from replicator.cli.newcomers import Newcomers
from replicator.cli.output import duration, lsn, number, show, size
from replicator.cli.pipeline import Pipeline, applied_through
from replicator.herder.base import Herder
from replicator.herder.views import TaskProgress

log = logging.getLogger(__name__)

TICK = 0.2
LOOK_EVERY = 1.0
LINE_EVERY = 5.0


class Watch:
    """Follows the two connectors of a pipeline."""

    def __init__(
        self,
        herder: Herder,
        pipeline: Pipeline,
        source: SourceDatabase,
        target: TargetDatabase,
        pairs: Sequence[TablePair],
        newcomers: Newcomers,
    ) -> None:
        self._herder = herder
        self._pipeline = pipeline
        self._name = pipeline.name
        self._source = source
        self._target = target
        self._pairs = list(pairs)
        self._newcomers = newcomers
        self._complete = False
        self._terminal = sys.stdout.isatty()
        self._copy_began = time.monotonic()
        self._last_line = 0.0
        self._last_rows = (time.monotonic(), 0)
        self._seen: set[str] = set()
        self._phase = ""
        self._goal: int | None = None
        self._looked = 0.0

    def run(
        self, stop: threading.Event, *, until_caught_up: bool, turn: Callable[[], None] = lambda: None
    ) -> str | None:
        """Report until told to stop; a sentence when a connector failed.

        With `until_caught_up`, also returns once the target has everything that was written
        before the copy ended. `turn` is called several times a second.
        """
        while not stop.wait(TICK):
            turn()
            source, sink = self._task("source"), self._task("sink")
            failure = self._failure()
            if failure is not None:
                self._end_line()
                return failure
            self._let_in()
            self._tell_news(source, sink)
            self._show(source, sink)
            if not self._complete and self._is_time_to_look(until_caught_up) and self._caught_up(source):
                self._complete = True
                self._create_missing(self._pairs)
            if until_caught_up and self._complete:
                self._end_line()
                show(f"Caught up: the target has everything up to {lsn(self._goal or 0)}.")
                return None
        self._end_line()
        return None

    def streaming(self) -> bool:
        """Whether the source is past its copy (any thread)."""
        return self._phase == "streaming"

    def _let_in(self) -> None:
        """New tables that were checked join: the source is configured anew and goes on where it was."""
        pipeline, accepted = self._pipeline, self._newcomers.take()
        held = dict(self._newcomers.held)
        if not accepted and held == pipeline.held:
            return
        if accepted:
            self._pairs += accepted
            put_source(self._herder, self._source, self._pairs, self._name)
            self._news("New: " + ", ".join(p.source.full_name for p in accepted) + "; copying.", "green")
            self._create_missing(accepted)
        pipeline.joined, pipeline.held = [p.source.full_name for p in self._pairs], held
        pipeline.save()

    def _task(self, role: str) -> TaskProgress | None:
        found = self._herder.progress(f"{self._name}-{role}")
        return found[0] if found else None

    def _failure(self) -> str | None:
        for role in ("source", "sink"):
            status = self._herder.connector_status(f"{self._name}-{role}")
            states = [
                (status.connector.state, status.connector.trace),
                *((t.state, t.trace) for t in status.tasks),
            ]
            for state, trace in states:
                if state == "FAILED":
                    return f"The {role} failed: {_last_line(trace)}{_remedy(trace)}"
        return None

    def _is_time_to_look(self, hurried: bool) -> bool:
        """Nobody waits for the answer but with `--until-caught-up`: both servers have better to do."""
        now = time.monotonic()
        if not hurried and now - self._looked < LOOK_EVERY:
            return False
        self._looked = now
        return True

    def _caught_up(self, source: TaskProgress | None) -> bool:
        if source is None or source.facts.get("phase") != "streaming":
            return False
        try:
            if self._goal is None:
                self._goal = self._source.checkpoint(self._name)
            rows = self._target.ledger(self._name)
        except RetriableError as error:
            # The connectors wait for a lost server as well; this is only about what to show.
            log.debug("Whether the target caught up is asked again: %s", error)
            self._source.close()
            self._target.close()
            return False
        return applied_through(rows) >= self._goal

    def _tell_news(self, source: TaskProgress | None, sink: TaskProgress | None) -> None:
        """Each phase, warning and stopped table once."""
        phase = str(source.facts.get("phase", "")) if source else ""
        if phase and phase != self._phase:
            if self._phase == "streaming":
                self._copy_began = time.monotonic()
            if self._phase == "snapshot" and phase == "streaming":
                took = duration(time.monotonic() - self._copy_began)
                self._news(f"Copy finished after {took}; following changes.")
            self._phase = phase
        for table, reason in self._newcomers.held.items():
            self._news(f"NOT REPLICATED, or stopped: table {table}: {reason} The others go on.", "red")
        for task in (source, sink):
            facts: dict[str, Any] = dict(task.facts) if task else {}
            for warning in facts.get("warnings") or ():
                self._news(f"WARNING: {warning}", colour="yellow")
            for table, reason in (facts.get("stopped_tables") or {}).items():
                self._news(f"STOPPED: table {table}: {reason} The other tables go on.", colour="red")

    def _create_missing(self, pairs: Sequence[TablePair]) -> None:
        """Tables without rows send no records; readers of the target expect them all the same."""
        try:
            self._target.create_missing(pairs)
        except ConnectError as error:
            self._news(f"WARNING: A table without rows could not be made in the target: {error}", "yellow")

    def _news(self, text: str, colour: str | None = None) -> None:
        if text in self._seen:
            return
        self._seen.add(text)
        self._end_line()
        show(text, colour)

    def _show(self, source: TaskProgress | None, sink: TaskProgress | None) -> None:
        now = time.monotonic()
        if now - self._last_line < (1.0 if self._terminal else LINE_EVERY):
            return
        applied = int(sink.stats.get("records_in", 0)) if sink else 0
        rate = (applied - self._last_rows[1]) / max(0.001, now - self._last_rows[0])
        self._last_rows, self._last_line = (now, applied), now
        text = (
            self._copying(source, rate) if self._phase == "snapshot" else self._following(source, sink, rate)
        )
        if self._terminal:
            show("\r\x1b[K" + text, nl=False)
        else:
            show(text)

    def _copying(self, source: TaskProgress | None, rate: float) -> str:
        tables = dict(source.facts.get("tables") or {}) if source else {}
        if not tables:
            return "copying: looking at the tables ..."
        done = sum(int(t.get("rows_done", 0)) for t in tables.values())
        total = sum(max(int(t.get("rows_total", 0)), int(t.get("rows_done", 0))) for t in tables.values())
        finished = sum(1 for t in tables.values() if t.get("state") in ("done", "copied"))
        left = duration((total - done) / rate) if rate > 0 and total > done else "-"
        share = 100 * done / total if total else 100.0
        bar = "#" * int(share / 5)
        return (
            f"copying [{bar:<20}] {share:3.0f}% {number(done)} of about {number(total)} rows,"
            f" {number(rate)} rows/s, {finished} of {len(tables)} tables, {left} left"
        )

    def _following(self, source: TaskProgress | None, sink: TaskProgress | None, rate: float) -> str:
        facts = dict(source.facts) if source else {}
        lag = facts.get("lag_ms")
        own = dict(sink.stats).get("lag_ms") if sink else None
        shown = own if own is not None else lag
        parts = [f"{number(rate)} changes/s"]
        if shown is not None:
            parts.append(f"lag {shown / 1000:.1f}s")
        if facts.get("retained_bytes") is not None:
            parts.append(f"source keeps {size(facts['retained_bytes'])} of log")
        through = dict(sink.facts).get("complete_through") if sink else None
        if through:
            parts.append(f"target complete through {through}")
        return "following: " + ", ".join(parts) if self._phase else "starting ..."

    def _end_line(self) -> None:
        if self._terminal and self._last_line:
            show("")


def put_source(herder: Herder, source: SourceDatabase, pairs: Sequence[TablePair], name: str) -> None:
    """Configure the source connector for these tables."""
    config = source.connector_config([p.source for p in pairs], name)
    herder.put_connector_config(f"{name}-source", {"name": f"{name}-source"} | config)


def _last_line(trace: str | None) -> str:
    """The message of a trace: its last line that is not an indented frame."""
    lines = [line for line in (trace or "").strip().splitlines() if line and not line.startswith(" ")]
    return re.sub(r"^[\w.]+\.([A-Z]\w+): ", "", lines[-1]) if lines else "no reason was recorded"


def _remedy(trace: str | None) -> str:
    """What to do here, where there is a command for it."""
    if PositionLostError.__name__ not in (trace or ""):
        return ""
    return (
        "\n    -> Copy anew: run 'replicator clean --all SOURCE_URL TARGET_URL' with this pipeline's --name and"
        " --data-dir, if any, then the same sync command."
    )
