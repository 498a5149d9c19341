"""Compares tables without a key: as multisets of rows, by hash buckets, while writes go on.

Both sides are read whole, again and again; a bucket is cleared once a reading of the target equals a
reading of the source. Buckets whose source stood still and whose target still differs are read once
more, row by row, to say which rows are missing or too many.

Run by the thread of the verifying command; memory is bounded by the number of buckets and `ROWS_AT_ONCE`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from replicator.api.database import Canonical
from replicator.cli.buckets import ROWS_AT_ONCE, buckets_for, digest
from replicator.cli.table_pair import CHUNK, Difference, TablePairReader, TableResult


@dataclass(slots=True)
class _Bucket:
    """What was seen of one bucket."""

    source: int = -1
    still_since: float = 0.0
    source_seen: set[int] = field(default_factory=set)
    target_seen: set[int] = field(default_factory=set)

    def look(self, source: int, target: int, now: float) -> None:
        if source != self.source:
            self.still_since = now
        self.source = source
        self.source_seen.add(source)
        self.target_seen.add(target)

    @property
    def cleared(self) -> bool:
        return not self.source_seen.isdisjoint(self.target_seen)


class KeylessComparison:
    """Compares one table pair without key."""

    def __init__(
        self,
        reader: TablePairReader,
        result: TableResult,
        catch_up: Callable[[], bool],
        progress: Callable[[TableResult], None],
    ) -> None:
        self._reader = reader
        self._result = result
        self._catch_up = catch_up
        self._progress = progress
        self._number = buckets_for(reader.pair.source.rows)

    def run(self, *, settle: float, timeout: float) -> None:
        """Compare; the result takes what was found."""
        ours, theirs = self._source_sums(), self._target_sums()
        now = time.monotonic()
        deadline = now + timeout
        pending = {b: _Bucket() for b in range(self._number) if ours[b] != theirs[b]}
        stuck: set[int] = set()
        passed = True
        while pending:
            for number, bucket in list(pending.items()):
                bucket.look(ours[number], theirs[number], now)
                if bucket.cleared:
                    del pending[number]
                elif passed and now - bucket.still_since >= settle:
                    stuck.add(number)
                    del pending[number]
            if not pending or now > deadline:
                break
            time.sleep(settle / 2)
            passed = self._catch_up()
            ours, theirs = self._source_sums(), self._target_sums()
            now = time.monotonic()
        if pending:
            self._give_up(pending, stuck, passed=passed, timeout=timeout)
        if stuck:
            self._name_rows(stuck)

    def _give_up(self, pending: dict[int, _Bucket], stuck: set[int], *, passed: bool, timeout: float) -> None:
        """Buckets that moved on both sides all the time are left; those that stood still in the target differ."""
        if passed:
            stuck.update(number for number, bucket in pending.items() if len(bucket.target_seen) == 1)
            return
        self._result.status = "unknown"
        self._result.reason = f"the target did not catch up within {timeout:.0f} s"

    def _source_sums(self) -> list[int]:
        self._result.rows = self._result.chunks = 0
        self._result.lost.clear()
        return self._sums(self._judged(self._reader.source_rows()))

    def _target_sums(self) -> list[int]:
        return self._sums(self._reader.target_rows())

    def _sums(self, rows: Iterator[Canonical]) -> list[int]:
        sums, number = [0] * self._number, self._number
        for row in rows:
            mark = digest(row)
            sums[mark % number] += mark
        return sums

    def _judged(self, rows: Iterator[Canonical]) -> Iterator[Canonical]:
        while chunk := list(islice(rows, CHUNK)):
            self._result.rows += len(chunk)
            self._result.chunks += 1
            self._progress(self._result)
            for row in chunk:
                stored = self._reader.stored(row)
                if stored is not row:
                    self._result.lost.update(self._reader.lost(row, stored))
                yield stored

    def _name_rows(self, stuck: set[int]) -> None:
        at_once = max(1, ROWS_AT_ONCE * self._number // max(1, self._result.rows))
        chosen = frozenset(sorted(stuck)[:at_once])
        ours = self._rows_of(map(self._reader.stored, self._reader.source_rows()), chosen)
        theirs = self._rows_of(self._reader.target_rows(), chosen)
        self._result.add([Difference(row, row, None) for row in (ours - theirs).elements()])
        self._result.add([Difference(row, None, row) for row in (theirs - ours).elements()])
        if len(chosen) < len(stuck):
            self._result.reason = f"no key; rows of {len(chosen)} of {len(stuck)} differing buckets counted"

    def _rows_of(self, rows: Iterator[Canonical], chosen: frozenset[int]) -> Counter[Canonical]:
        return Counter(row for row in rows if digest(row) % self._number in chosen)
