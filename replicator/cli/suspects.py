"""Rows that differed when they were read: on their way, or different for good?

Suspects are read again on both sides after the target has passed the source's position. A suspect is
cleared when some reading of the target equals some reading of the source, for then both held the same
value since the comparison began. It is a difference when the source's row stood still, the target had
passed it, and still shows something else. A row that never stands still is judged by columns: what does
not move at the source must be equal, what moves must move in the target too.

Run by the thread of the verifying command; memory is bounded by the number of suspects.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from replicator.api.database import Canonical
from replicator.cli.table_pair import Difference, Key, TablePairReader, TableResult

_REMEMBERED = 64
"""Values of one row that are kept on each side."""


@dataclass(slots=True)
class _Suspect:
    """What was seen of one row."""

    began: float
    source: Canonical | None = None
    target: Canonical | None = None
    still_since: float = 0.0
    readings: int = 0
    source_seen: set[Canonical | None] = field(default_factory=set)
    target_seen: set[Canonical | None] = field(default_factory=set)

    def look(self, source: Canonical | None, target: Canonical | None, now: float) -> None:
        if self.readings == 0 or source != self.source:
            self.still_since = now
        self.source, self.target = source, target
        self.readings += 1
        for seen, value in ((self.source_seen, source), (self.target_seen, target)):
            if len(seen) < _REMEMBERED:
                seen.add(value)


class Recheck:
    """Decides about the suspects of one table."""

    def __init__(
        self,
        reader: TablePairReader,
        result: TableResult,
        catch_up: Callable[[], bool],
        same: Callable[[Canonical, Canonical], bool],
    ) -> None:
        self._reader = reader
        self._result = result
        self._catch_up = catch_up
        self._same = same

    def run(self, keys: list[Key], *, settle: float, timeout: float) -> None:
        """Watch until each suspect is cleared or known to differ; the result takes what was found."""
        now = time.monotonic()
        deadline = now + timeout
        pending = {key: _Suspect(now) for key in keys}
        self._result.rechecked += len(pending)
        while pending:
            passed = self._catch_up()
            self._look(pending)
            now = time.monotonic()
            found = []
            for key, suspect in list(pending.items()):
                verdict = self._verdict(key, suspect, now, settle) if passed else self._cleared(suspect)
                if verdict is None:
                    continue
                del pending[key]
                if isinstance(verdict, Difference):
                    found.append(verdict)
            self._result.add(found)
            if pending and now > deadline:
                self._give_up(pending, passed=passed, timeout=timeout)
                return
            if pending:
                time.sleep(min(0.5, settle / 4))

    def _look(self, pending: dict[Key, _Suspect]) -> None:
        keys, key_of = list(pending), self._reader.key
        ours = {key_of(row): row for row in self._reader.source_rows(keys)}
        theirs = {key_of(row): row for row in self._reader.target_rows(keys)}
        now = time.monotonic()
        for key, suspect in pending.items():
            suspect.look(ours.get(key), theirs.get(key), now)

    def _verdict(self, key: Key, suspect: _Suspect, now: float, settle: float) -> Difference | bool | None:
        """A difference, True when cleared, None when not known yet."""
        if self._cleared(suspect):
            return True
        if suspect.readings > 1 and now - suspect.still_since >= settle:
            return Difference(key, suspect.source, suspect.target)
        if now - suspect.began >= 3 * settle and suspect.readings > 3:
            return self._judge_moving(key, suspect)
        return None

    def _cleared(self, suspect: _Suspect) -> bool | None:
        """True when both sides held the same value; None, never False, when that was not seen."""
        if suspect.target in suspect.source_seen or suspect.source in suspect.target_seen:
            return True
        target = suspect.target
        if target is None:
            return None
        return any(row is not None and self._same(row, target) for row in suspect.source_seen) or None

    def _judge_moving(self, key: Key, suspect: _Suspect) -> Difference | bool:
        ours = [self._reader.stored(row) for row in suspect.source_seen if row is not None]
        theirs = [row for row in suspect.target_seen if row is not None]
        if not ours or not theirs:
            return Difference(key, suspect.source, suspect.target)
        for i in range(len(self._reader.columns)):
            held = {row[i] for row in theirs}
            if len(held) == 1 and held.isdisjoint(row[i] for row in ours):
                return Difference(key, suspect.source, suspect.target)
            steady = len({row[i] for row in ours}) == 1
            if steady and suspect.target is not None and suspect.target[i] != ours[0][i]:
                return Difference(key, suspect.source, suspect.target)
        self._result.moving += 1
        return True

    def _give_up(self, pending: dict[Key, _Suspect], *, passed: bool, timeout: float) -> None:
        if passed:
            judged = [self._judge_moving(key, suspect) for key, suspect in pending.items()]
            self._result.add([d for d in judged if isinstance(d, Difference)])
            return
        self._result.status = "unknown"
        self._result.reason = (
            f"{len(pending)} rows are still on their way: the target did not catch up within {timeout:.0f} s"
        )
