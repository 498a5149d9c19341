"""Follows a copy that was asked of the running pipeline to its end (C27). Main thread of `replicator recopy`.

It only looks: at the facts the source publishes, and at the ledger in the target. Tables that are stopped there are
told to leave out what the new copy replaces.
"""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from replicator.api.database import SourceDatabase, TargetDatabase
from replicator.api.errors import (
    ConfigError,
    ConnectError,
    IllegalStateError,
    RetriableError,
)
from replicator.cli.output import duration, number, say
from replicator.cli.pipeline import Pipeline
from replicator.cli.pipeline_service import PipelineService

T = TypeVar("T")

TICK: Final = 0.3
LINE_EVERY: Final = 2.0
_ON_ITS_WAY: Final = ("requested", "copying")
_SILENCE: Final = 30.0
_PATIENCE: Final = 5.0
_ATTEMPTS: Final = 3
_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9._-]")


class Recopy:
    """One request, followed to its end."""

    def __init__(self, pipeline: Pipeline, source: SourceDatabase, target: TargetDatabase) -> None:
        self._pipeline = pipeline
        self._service = PipelineService(pipeline)
        self._source = source
        self._target = target
        self._said = 0.0
        self._asked = 0.0
        self._reminded = 0.0
        self._passed = 0.0
        self._paused_said = False
        self._names: list[str] = []
        self._targets: dict[str, str] = {}
        self._since = 0
        self._given_up: dict[str, list[float]] = {}

    def run(self, patterns: Sequence[str]) -> None:
        """Ask, then show progress until the target has the new copy and everything written before its end.

        Raises:
            ConnectError: it cannot be done, or the pipeline ended.
        """
        began = time.monotonic()
        self._choose(patterns)
        self._since = self._source.position()
        self._ask(self._names)
        shown = ", ".join(self._names)
        say(f"Copying {shown} anew.")
        while not self._copied():
            time.sleep(TICK)
        goal = self._checkpoint()
        while not self._applied(goal):
            self._say("Copied; the target is applying it.")
            time.sleep(TICK)
        say(f"Done after {duration(time.monotonic() - began)}: the target has the new copy of {shown}.")

    # --- before ---

    def _choose(self, patterns: Sequence[str]) -> None:
        known = sorted(self._service.facts(self._service.overview()))
        if not known:
            raise IllegalStateError(
                f"Pipeline {self._pipeline.name} is still starting.", hint="Run this again in a moment."
            )
        chosen: set[str] = set()
        for pattern in patterns:
            found = [name for name in known if fnmatch.fnmatchcase(name, pattern)]
            if not found:
                raise ConfigError(
                    f"Table {pattern} is not in pipeline {self._pipeline.name}.",
                    option="--tables",
                    hint=f"Its tables are: {', '.join(known)}.",
                )
            chosen.update(found)
        if not chosen:
            raise ConfigError(
                "No table is named.", option="--tables", hint="For example 'customers,shop.orders'."
            )
        self._names = sorted(chosen)
        for table in self._source.tables(self._names, []):
            # A stopped table is named by its target table, or by its topic when that could not be known.
            self._targets[self._target.target_name(table)] = table.full_name
            self._targets[self._topic(table.full_name)] = table.full_name

    def _topic(self, table: str) -> str:
        return _FOREIGN.sub("_", f"{self._pipeline.name}.{table}")

    # --- the request ---

    def _ask(self, names: Sequence[str]) -> None:
        self._asked = time.monotonic()
        data = {"type": "blocking", "data-collections": [re.escape(name) for name in names]}
        self._service.signal("source", "execute-snapshot", data)

    def _copied(self) -> bool:
        """Whether each table's rows are of a copy that began after the request."""
        overview = self._service.overview()
        self._check(overview)
        facts = self._service.facts(overview)
        waiting = [n for n in self._names if not self._is_copied(facts.get(n, {}))]
        lost = [n for n in waiting if facts.get(n, {}).get("state") not in _ON_ITS_WAY]
        if lost and facts and time.monotonic() - self._asked > LINE_EVERY:
            # The source's task was started again before it had stored the request.
            try:
                self._ask(lost)
            except IllegalStateError as error:
                self._say(str(error))
        if waiting:
            self._say("; ".join(_progress(n, facts.get(n, {})) for n in waiting[:5]))
        return not waiting

    def _is_copied(self, facts: Mapping[str, Any]) -> bool:
        return facts.get("state") == "copied" and int(facts.get("as_of") or 0) > self._since

    def _applied(self, goal: int) -> bool:
        """Whether the target has the copies, and everything up to the goal."""
        overview = self._service.overview()
        self._check(overview)
        if max(self._reached().values(), default=0) < goal:
            return False
        tasks = self._service.tasks(overview, "sink")
        stopped = [t for task in tasks for t in task.get("facts", {}).get("stopped_tables") or {}]
        if any(self._ours(table) for table in stopped):
            self._passed = 0.0
            return False
        if any(_position(task.get("facts", {}).get("complete_through")) >= goal for task in tasks):
            return True
        if not stopped:
            # A table is still being made up for; the sink tells with the next transaction.
            self._remind()
            return False
        # Another table is stopped, so the sink is complete through nothing: see whether ours stay clear.
        self._passed = self._passed or time.monotonic()
        return time.monotonic() - self._passed > _PATIENCE

    def _reached(self) -> dict[str, int]:
        """How far each topic is applied."""
        rows = _patiently(lambda: self._target.ledger(self._pipeline.name), self._target.close)
        return {str(row["topic"]): int(row["position_commit"] or 0) for row in rows}

    def _remind(self) -> None:
        now = time.monotonic()
        if now - self._reminded > LINE_EVERY:
            self._reminded = now
            self._checkpoint()

    def _checkpoint(self) -> int:
        return _patiently(lambda: self._source.checkpoint(self._pipeline.name), self._source.close)

    def _ours(self, stopped: str) -> str | None:
        """The table behind a name of a stopped table, when it is one of those that are copied."""
        return self._targets.get(stopped) or self._targets.get(stopped.rpartition(".")[2])

    # --- what keeps it ---

    def _check(self, overview: Mapping[str, Any]) -> None:
        """Look for what keeps the copy from arriving.

        Raises:
            ConnectError: the pipeline failed, or one of the tables cannot be applied.
        """
        for role in ("source", "sink"):
            for task in self._service.tasks(overview, role):
                if task["state"] == "FAILED":
                    lines = str(task.get("trace") or "").strip().splitlines()
                    raise ConnectError(
                        f"The {role} failed: {lines[-1] if lines else 'no reason was recorded'}"
                    )
                if task["state"] == "PAUSED" and not self._paused_said:
                    self._paused_said = True
                    say(f"The {role} is paused: nothing happens before it is resumed.")
                for stopped, reason in (task.get("facts", {}).get("stopped_tables") or {}).items():
                    table = self._ours(stopped)
                    if table is not None:
                        self._unblock(overview, stopped, table, str(reason))

    def _unblock(self, overview: Mapping[str, Any], stopped: str, table: str, reason: str) -> None:
        """What could not be applied before the new copy is void: the sink may leave it out.

        Raises:
            ConnectError: the new copy itself cannot be applied.
        """
        facts = self._service.facts(overview).get(table, {})
        if facts.get("state") != "copying" and not self._is_copied(facts):
            return  # the truncate is not in the log yet
        now = time.monotonic()
        asked = self._given_up.setdefault(table, [])
        if asked and now - asked[-1] < _PATIENCE:
            return
        if self._reached().get(self._topic(table), 0) > self._since or len(asked) == _ATTEMPTS:
            raise ConnectError(
                f"Table {table} is stopped in the target: {reason}",
                hint="Remedy that; the pipeline then goes on with the new copy by itself.",
            )
        asked.append(now)
        say(
            f"{table} was stopped in the target; its waiting changes are left out, the new copy replaces them."
        )
        self._service.signal("sink", "skip-to-truncate", {"tables": [stopped]})

    def _say(self, text: str) -> None:
        now = time.monotonic()
        if now - self._said >= LINE_EVERY:
            self._said = now
            say(text)


def _patiently(ask: Callable[[], T], hang_up: Callable[[], None]) -> T:
    """Ask a database, again for a while when the connection is lost."""
    deadline = time.monotonic() + _SILENCE
    while True:
        try:
            return ask()
        except RetriableError:
            if time.monotonic() > deadline:
                raise
            hang_up()
        time.sleep(TICK)


def _position(text: Any) -> int:
    """A log position from its text; 0 when there is none."""
    high, _, low = str(text or "").partition("/")
    try:
        return (int(high, 16) << 32) + int(low, 16)
    except ValueError:
        return 0


def _progress(name: str, facts: Mapping[str, Any]) -> str:
    if facts.get("state") != "copying":
        return f"{name}: waiting for the end of a transaction"
    done, total = int(facts.get("rows_done") or 0), int(facts.get("rows_total") or 0)
    share = f"{min(100, 100 * done // total)}%, " if total > 0 else ""
    return f"{name}: {share}{number(done)} of about {number(max(total, done))} rows"
