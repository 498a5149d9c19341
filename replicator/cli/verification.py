"""Compares a list of tables of source and target, behind whatever the pipeline still has on its way. Main thread.

Rows that differ count only when the target has passed the source's position, or nothing moves any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from replicator.api.database import SourceDatabase, TablePair, TargetDatabase
from replicator.api.errors import ConnectError, StructuralError
from replicator.cli.compare import TableComparison
from replicator.cli.output import lsn, number, say
from replicator.cli.pipeline import applied_through
from replicator.cli.table_pair import TableResult
from replicator.cli.verify_report import DIFFERENT, EQUAL, POLICY, UNKNOWN, describe, table_json


class Verification:
    """Compares a list of tables and keeps the results.

    `running` tells whether the pipeline runs here; None when that cannot be known.
    """

    def __init__(
        self,
        source: SourceDatabase,
        target: TargetDatabase,
        name: str,
        *,
        running: Callable[[], bool] | None,
        settle: float,
        timeout: float,
        quiet: bool,
    ) -> None:
        self._source = source
        self._target = target
        self._name = name
        self._running = running
        self._stands = False
        self._settle = settle
        self._timeout = timeout
        self._quiet = quiet
        self.results: list[TableResult] = []
        self.position = 0

    def run(self, pairs: list[TablePair]) -> int:
        """Compare all; the exit code."""
        started = time.monotonic()
        diverged = self._source.diverged([p.source for p in pairs])
        self._catch_up()
        for pair in pairs:
            result = self._one(pair)
            if pair.source.full_name in diverged and result.status in ("equal", "different", "policy"):
                self._judge_diverged(result, diverged[pair.source.full_name])
            self.results.append(result)
            self._show(result)
        self.seconds = time.monotonic() - started
        return self._code()

    def _judge_diverged(self, result: TableResult, reason: str) -> None:
        """A table whose updates are not in the log is only equal by content (C4)."""
        if result.status == "different":
            result.status = "diverged"
        result.reason = reason

    def _one(self, pair: TablePair) -> TableResult:
        try:
            lacking = self._lacking(pair)
            if lacking:
                return TableResult(
                    pair.source.full_name, pair.target_name, status="different", reason=lacking
                )
            comparison = TableComparison(
                self._source,
                self._target,
                pair,
                catch_up=self._catch_up,
                settle=0.0 if self._still() else self._settle,
                timeout=self._timeout,
                progress=self._progress(),
            )
            return comparison.run()
        except StructuralError as error:
            return TableResult(pair.source.full_name, pair.target_name, status="different", reason=str(error))
        except ConnectError as error:
            return TableResult(pair.source.full_name, pair.target_name, status="unknown", reason=str(error))

    def _lacking(self, pair: TablePair) -> str:
        """Why the target table cannot be equal: it lacks columns that hold something; "" when it can."""
        missing = self._target.missing(pair)
        if missing and not self._still():
            time.sleep(self._settle)
            self._catch_up()
            missing = self._target.missing(pair)
        for column in missing:
            filled = sum(1 for row in self._source.rows(pair.source, [column]) if row[0] is not None)
            if filled:
                return (
                    f"column {column} is missing in the target; the source has {number(filled)} values in it"
                )
        return ""

    def _still(self) -> bool:
        """Whether nothing can be on its way; says so once."""
        if not self._stands and self._running is not None and not self._running():
            self._stand(f"Pipeline {self._name} is not running: the target is compared as it is.")
        return self._stands

    def _stand(self, reason: str) -> None:
        self._stands = True
        if not self._quiet:
            say(reason)

    def _catch_up(self) -> bool:
        """Wait until the target has passed the source's present position, or the pipeline stands still.

        False when it moves but has not got there in time: then nothing can be said of rows that differ.
        """
        if self._still():
            return True
        wanted = self._source.checkpoint(self._name)
        deadline = time.monotonic() + self._timeout / 2
        last = (-1, time.monotonic())
        patience = self._settle if self._running is None else 2 * self._settle
        while time.monotonic() < deadline:
            rows = self._target.ledger(self._name)
            if not rows and self._running is None:
                return True
            reached = applied_through(rows)
            if reached >= wanted:
                self.position = max(self.position, wanted)
                return True
            if reached != last[0]:
                last = (reached, time.monotonic())
            elif rows and time.monotonic() - last[1] > patience:
                return self._waited_in_vain()
            if self._still():
                return True
            time.sleep(0.05)
        return False

    def _waited_in_vain(self) -> bool:
        """The target does not move, so rows are judged as they are."""
        if self._running is None:
            self._stand(f"Pipeline {self._name} does not seem to run: the target is compared as it is.")
        return True

    def _progress(self) -> Callable[[TableResult], None]:
        shown = time.monotonic()

        def show(result: TableResult) -> None:
            nonlocal shown
            if not self._quiet and time.monotonic() - shown > 5:
                shown = time.monotonic()
                say(f"  {result.table}: {number(result.rows)} rows compared so far")

        return show

    def _show(self, result: TableResult) -> None:
        if self._quiet:
            return
        words = {
            "equal": "equal", "policy": "equal but for values lost by policy", "different": "DIFFERENT",
            "diverged": "DIVERGED", "unknown": "could not tell",
        }  # fmt: skip
        extra = f" ({result.reason})" if result.reason else ""
        if result.moving:
            extra += f" ({number(result.moving)} rows changed all the time; equal in what stood still)"
        say(f"  {result.table}: {number(result.rows)} rows, {words[result.status]}{extra}")
        for column, count in sorted(result.lost.items()):
            say(f"      {column}: {number(count)} value(s) the target cannot hold")
        for difference in result.differences:
            say(f"      {describe(result, difference)}")
        if result.difference_count > len(result.differences) > 0:
            say(f"      ... {number(result.difference_count)} rows in all")

    def _code(self) -> int:
        found = {r.status for r in self.results}
        if found & {"different", "diverged"}:
            return DIFFERENT
        if "unknown" in found:
            return UNKNOWN
        return POLICY if "policy" in found else EQUAL

    def report(self, code: int) -> dict[str, Any]:
        """For `--json`."""
        verdict = {EQUAL: "equal", DIFFERENT: "different", UNKNOWN: "unknown", POLICY: "equal but for policy"}
        return {
            "verdict": verdict[code],
            "pipeline": self._name,
            "position": lsn(self.position) if self.position else None,
            "seconds": round(self.seconds, 3),
            "tables": [table_json(r) for r in self.results],
        }
