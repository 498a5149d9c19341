"""Is the target equal to the source? Content, row by row, while writes go on.

Tables whose keys sort alike on both sides are read once, in key order, chunk by chunk; others are
hashed into buckets in one pass (C24), and only buckets that differ are read again. Rows that differ
are suspects, judged by `replicator.cli.suspects`; tables without key by `replicator.cli.keyless`.

Run by the thread of the verifying command; memory is bounded by chunk and bucket sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from replicator.api.canonical import SORTED_ALIKE
from replicator.api.database import Canonical, SourceDatabase, TablePair, TargetDatabase
from replicator.cli.buckets import ROWS_AT_ONCE, buckets_for, digest
from replicator.cli.keyless import KeylessComparison
from replicator.cli.suspects import Recheck
from replicator.cli.table_pair import CHUNK, Key, TablePairReader, TableResult

MAX_SUSPECTS: Final = 20_000


class TableComparison:
    """Compares one table pair."""

    def __init__(
        self,
        source: SourceDatabase,
        target: TargetDatabase,
        pair: TablePair,
        *,
        catch_up: Callable[[], bool],
        settle: float,
        timeout: float,
        progress: Callable[[TableResult], None],
    ) -> None:
        self._reader = TablePairReader(source, target, pair)
        self._catch_up = catch_up
        self._settle = settle
        self._timeout = timeout
        self._progress = progress
        self.result = TableResult(pair.source.full_name, pair.target_name)
        self.result.columns = self._reader.columns
        reader = self._reader
        keys = reader.infos[: reader.key_size]
        self._in_order = reader.keyed and all(c.kind in SORTED_ALIKE for c in keys)
        self._numbers = tuple(c.kind == "int" for c in keys)

    def run(self) -> TableResult:
        """Compare; the result says how it ended."""
        if not self._reader.keyed:
            compare = KeylessComparison(self._reader, self.result, self._catch_up, self._progress)
            compare.run(settle=self._settle, timeout=self._timeout)
        elif self._in_order:
            self._compare_sorted()
        else:
            self._compare_buckets()
        self._conclude()
        return self.result

    def _conclude(self) -> None:
        if self.result.difference_count:
            self.result.status = "different"
        elif self.result.status == "equal" and self.result.lost:
            self.result.status = "policy"

    def _sort_key(self, row: Canonical) -> tuple[int | bytes, ...]:
        return tuple(
            int(v or 0) if number else (v or b"") for number, v in zip(self._numbers, row, strict=False)
        )

    def _same(self, source: Canonical, target: Canonical) -> bool:
        if source == target:
            return True
        stored = self._reader.stored(source)
        if stored != target:
            return False
        if self._in_order:  # the bucket pass has counted every row already
            self.result.lost.update(self._reader.lost(source, stored))
        return True

    def _compare_sorted(self) -> None:
        source = self._reader.source_rows()
        target = _Peekable(self._reader.target_rows())
        suspects: list[Key] = []
        while chunk := list(islice(source, CHUNK)):
            upper = self._sort_key(chunk[-1])
            other = target.take_while(lambda row, upper=upper: self._sort_key(row) <= upper)  # type: ignore[misc]
            self._count(len(chunk))
            if chunk != other:
                suspects.extend(self._narrow(chunk, other))
            # Bounded memory; the comparison goes on, because cleared suspects say nothing about later rows.
            if len(suspects) > MAX_SUSPECTS:
                self._recheck(suspects)
                suspects = []
                if self._enough():
                    return
        while extra := [self._reader.key(row) for row in islice(target, MAX_SUSPECTS)]:
            suspects.extend(extra)
            if len(suspects) > MAX_SUSPECTS:
                self._recheck(suspects)
                suspects = []
                if self._enough():
                    return
        self._recheck(suspects)

    def _enough(self) -> bool:
        if self.result.difference_count <= MAX_SUSPECTS:
            return False
        self.result.reason = f"stopped after {self.result.difference_count} rows that differ"
        return True

    def _narrow(self, source: Sequence[Canonical], target: Sequence[Canonical]) -> Iterator[Key]:
        key = self._reader.key
        theirs = {key(row): row for row in target}
        for row in source:
            other = theirs.pop(key(row), None)
            if other is None or not self._same(row, other):
                yield key(row)
        yield from theirs

    def _count(self, rows: int) -> None:
        self.result.rows += rows
        self.result.chunks += 1
        self._progress(self.result)

    def _compare_buckets(self) -> None:
        number = buckets_for(self._reader.pair.source.rows)
        ours, theirs = [0] * number, [0] * number
        for row in self._judged(self._reader.source_rows()):
            ours[digest(self._reader.key(row)) % number] += digest(row)
        for row in self._reader.target_rows():
            theirs[digest(self._reader.key(row)) % number] += digest(row)
        wrong = [b for b in range(number) if ours[b] != theirs[b]]
        at_once = max(1, ROWS_AT_ONCE * number // max(1, self.result.rows))
        for start in range(0, len(wrong), at_once):
            self._reread(number, frozenset(wrong[start : start + at_once]))
            if self._enough():
                return

    def _reread(self, number: int, wrong: frozenset[int]) -> None:
        def chosen(rows: Iterator[Canonical]) -> list[Canonical]:
            return [r for r in rows if digest(self._reader.key(r)) % number in wrong]

        mine = chosen(self._reader.source_rows())
        self._recheck(list(self._narrow(mine, chosen(self._reader.target_rows()))))

    def _judged(self, rows: Iterator[Canonical]) -> Iterator[Canonical]:
        """Rows as the target stores them, counted."""
        while chunk := list(islice(rows, CHUNK)):
            self._count(len(chunk))
            for row in chunk:
                stored = self._reader.stored(row)
                if stored is not row:
                    self.result.lost.update(self._reader.lost(row, stored))
                yield stored

    def _recheck(self, suspects: list[Key]) -> None:
        if suspects:
            Recheck(self._reader, self.result, self._catch_up, self._same).run(
                suspects, settle=self._settle, timeout=self._timeout
            )


class _Peekable:
    """An iterator of rows that can stop before the first row that does not fit."""

    def __init__(self, rows: Iterator[Canonical]) -> None:
        self._rows = rows
        self._next: Canonical | None = None

    def take_while(self, fits: Callable[[Canonical], bool]) -> list[Canonical]:
        taken: list[Canonical] = []
        while (row := self._peek()) is not None and fits(row):
            taken.append(row)
            self._next = None
        return taken

    def _peek(self) -> Canonical | None:
        if self._next is None:
            self._next = next(self._rows, None)
        return self._next

    def __iter__(self) -> Iterator[Canonical]:
        while (row := self._peek()) is not None:
            self._next = None
            yield row
