"""Is the target equal to the source? Content, row by row, while writes go on.

Tables whose keys sort alike on both sides are read once, in key order, chunk by chunk; others are
hashed into buckets in one pass (C24), and only buckets that differ are read again. Rows that differ
are suspects, judged by `replicator.cli.suspects`; tables without key by `replicator.cli.keyless`.

Run by the thread of the verifying command; memory is bounded by chunk and bucket sizes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from replicator.api.canonical import LOSSY, SORTED_ALIKE
from replicator.api.database import Canonical, ColumnInfo, SourceDatabase, TablePair, TargetDatabase

CHUNK: Final = 4096
MAX_SUSPECTS: Final = 20_000
ROWS_AT_ONCE: Final = 200_000
"""Rows of differing buckets that are held in memory together."""
SHOWN: Final = 20

Key = tuple[bytes | None, ...]


@dataclass(slots=True)
class Difference:
    """One row that differs."""

    key: Key
    source: Canonical | None
    target: Canonical | None

    @property
    def kind(self) -> str:
        """Missing (in the target), extra (in the target) or changed."""
        if self.target is None:
            return "missing"
        return "extra" if self.source is None else "changed"


@dataclass(slots=True)
class TableResult:
    """Outcome for one table.

    Attributes:
        status: equal, policy (equal but for values lost by policy), different, diverged, unknown.
        lost: number of values lost by policy, per column.
        moving: rows that changed all the time; they are equal in every column that stood still.
    """

    table: str
    target: str
    status: str = "equal"
    reason: str = ""
    rows: int = 0
    chunks: int = 0
    rechecked: int = 0
    moving: int = 0
    differences: list[Difference] = field(default_factory=list)
    difference_count: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    columns: list[str] = field(default_factory=list)

    def add(self, found: Sequence[Difference]) -> None:
        """Count differences; the first ones are kept to be shown."""
        self.difference_count += len(found)
        self.differences.extend(found[: SHOWN - len(self.differences)])


class TablePairReader:
    """Reads both sides of one table pair in the same columns, key columns first."""

    def __init__(self, source: SourceDatabase, target: TargetDatabase, pair: TablePair) -> None:
        self._source = source
        self._target = target
        pair = self.pair = target.compared_as(pair)
        table = pair.source
        self.held = target.comparable(pair)
        keys = [name for name in table.key if name in self.held]
        self.keyed = bool(keys) and len(keys) == len(table.key)
        self.key_size = len(keys) if self.keyed else 0
        self.columns = keys + [n for n in self.held if n not in keys] if self.keyed else self.held
        by_name = {c.name: c for c in table.columns}
        self.infos: list[ColumnInfo] = [by_name[n] for n in self.columns]
        self._lossy = [(i, c) for i, c in enumerate(self.infos) if c.kind in LOSSY]

    def source_rows(self, keys: list[Key] | None = None) -> Iterator[Canonical]:
        """Rows of the source."""
        return self._source.rows(self.pair.source, self.columns, keys)

    def target_rows(self, keys: list[Key] | None = None) -> Iterator[Canonical]:
        """Rows of the target."""
        return self._target.rows(self.pair, self.columns, keys)

    def key(self, row: Canonical) -> Key:
        """The key of a row."""
        return row[: self.key_size]

    def stored(self, row: Canonical) -> Canonical:
        """The source row as the target's type contract stores it."""
        changed: list[bytes | None] | None = None
        for i, column in self._lossy:
            value = row[i]
            if value is None:
                continue
            held = self._target.stored(column, value)
            if held != value:
                changed = changed or list(row)
                changed[i] = held
        return row if changed is None else tuple(changed)

    def lost(self, source: Canonical, stored: Canonical) -> list[str]:
        """Columns whose values the target cannot hold."""
        return [c.name for c, a, b in zip(self.infos, source, stored, strict=True) if a != b]


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
        # Both build on this module's types.
        from replicator.cli.keyless import KeylessComparison

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
        from replicator.cli.suspects import Recheck

        if suspects:
            Recheck(self._reader, self.result, self._catch_up, self._same).run(
                suspects, settle=self._settle, timeout=self._timeout
            )


def digest(row: Canonical) -> int:
    """Hash of a row whose sum over rows does not depend on their order."""
    if None in row:
        parts = b"\x00".join(b"\x01" if v is None else b"\x02" + v for v in row)
        return int.from_bytes(hashlib.blake2b(parts, digest_size=16, person=b"nulls").digest(), "big")
    # No text of either side holds a NUL, and bytes are compared as hexadecimal digits.
    return int.from_bytes(hashlib.blake2b(b"\x00".join(row), digest_size=16).digest(), "big")  # type: ignore[arg-type]


def buckets_for(rows: int) -> int:
    """Number of buckets for a table of about so many rows: few rows each, in bounded memory."""
    return min(262_144, max(4_096, rows // 256))


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
