"""Tables that appear in the source while a pipeline runs: checked like those of its start, then let in (C7).

A thread of its own with connections of its own: a server that does not answer must not keep `sync` from stopping. It
only finds and checks; the main thread takes what was accepted and changes the pipeline.
"""

from __future__ import annotations

import glob
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from replicator.api.database import Problem, SourceDatabase, TablePair, TargetDatabase
from replicator.api.errors import ConnectError
from replicator.cli.plan import Plan, as_sentence

log = logging.getLogger(__name__)

EVERY = 2.0
RECHECK = 30.0
PATIENCE = 60.0
"""A join waits so long for a moment without old transactions: the source's stream stands still behind them."""


class Newcomers:
    """Looks for tables that match the pipeline's patterns and are not in it.

    Attributes:
        held: tables that are not replicated, or stopped, with the reason and the remedy.
    """

    def __init__(
        self,
        source: SourceDatabase,
        target: TargetDatabase,
        name: str,
        patterns: tuple[Sequence[str], Sequence[str]],
        plan: Plan,
    ) -> None:
        self.held: Mapping[str, str] = dict(plan.held)
        self._source = source
        self._target = target
        self._name = name
        self._include, self._exclude = patterns
        self._include = self._include or ["*.*"]
        self._pairs = {p.source.full_name: p for p in plan.pairs}
        self._lock = threading.Lock()
        self._accepted: list[TablePair] = []
        self._sighted: frozenset[str] = frozenset()
        self._waiting_since = 0.0
        self._rechecked = time.monotonic()
        self._stop = threading.Event()

    def start(self, streaming: Callable[[], bool]) -> None:
        """Start the thread; it ends with the process or with `stop`.

        Args:
            streaming: whether the copy is finished, so that a table may join.
        """
        threading.Thread(target=self._run, args=[streaming], name="newcomers", daemon=True).start()

    def stop(self) -> None:
        """End the thread after its present look."""
        self._stop.set()

    def take(self) -> list[TablePair]:
        """Tables that may join, each once (main thread)."""
        with self._lock:
            accepted, self._accepted = self._accepted, []
        return accepted

    def look(self) -> None:
        """Look once."""
        names = self._source.names(self._include, self._exclude)
        quiet = self._source.quiet()
        missing = frozenset(n for n in names if n not in self._pairs)
        # Seen twice: a table that is made and dropped by a batch job does not concern us.
        new = sorted(n for n in missing & self._sighted if n not in self.held)
        self._sighted = missing
        if new and not self._may_join(quiet=quiet):
            return
        self._waiting_since = 0.0
        due = time.monotonic() - self._rechecked > RECHECK
        if due:
            self._rechecked = time.monotonic()
            new += sorted(self.held)
        for name in new:
            self._check(name, there=name in names)

    def _may_join(self, *, quiet: bool) -> bool:
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        return quiet or now - self._waiting_since > PATIENCE

    def _check(self, name: str, *, there: bool) -> None:
        """Accept a table, or hold it; also of one that is held already."""
        problems = self._problems(name) if there else []
        held = {n: reason for n, reason in self.held.items() if n != name}
        if problems:
            held[name] = " ".join(as_sentence(p) for p in problems)
        self.held = held

    def _problems(self, name: str) -> list[Problem]:
        tables = self._source.measured(self._source.tables([glob.escape(name)], []))
        if not tables:
            return []
        pair = TablePair(source=tables[0], target_name=self._target.target_name(tables[0]))
        same = pair.target_name.casefold()
        neighbours = [p for n, p in self._pairs.items() if n != name and p.target_name.casefold() == same]
        found = [
            *self._source.preflight([pair.source], self._name),
            *self._target.preflight([*neighbours, pair], self._name),
        ]
        grave = [p for p in found if p.table == name and p.severity in ("error", "table", "stopped")]
        if not grave and name not in self._pairs:
            self._pairs[name] = pair
            with self._lock:
                self._accepted.append(pair)
        return grave

    def _run(self, streaming: Callable[[], bool]) -> None:
        while not self._stop.wait(EVERY):
            try:
                if streaming():
                    self.look()
            except ConnectError as error:
                log.debug("No look for new tables: %s", error)
                self._source.close()
                self._target.close()
        self._source.close()
        self._target.close()
