"""Is the target equal to the source? Content, row by row, while writes go on.

Tables whose keys sort alike on both sides are read once, in key order, chunk by chunk; others are
hashed into buckets in one pass (C24), and only buckets that differ are read again. Rows that differ
are suspects: they are read again, on both sides, after the target has passed the source's position.
A suspect is cleared when the target shows a value the source had since the comparison began; it is
a difference when the source's row stood still and the target still shows something else.

Run by the thread of the verifying command; memory is bounded by chunk and bucket sizes.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from replicator.api.canonical import SORTED_ALIKE
from replicator.api.database import Canonical, ColumnInfo, SourceDatabase, TablePair, TargetDatabase

CHUNK = 4096
BUCKETS = 4096
MAX_SUSPECTS = 20_000
SHOWN = 20

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
    """

    table: str
    target: str
    status: str = "equal"
    reason: str = ""
    rows: int = 0
    chunks: int = 0
    rechecked: int = 0
    differences: list[Difference] = field(default_factory=list)
    difference_count: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    columns: list[str] = field(default_factory=list)


class TableComparison:
    """Compares one table pair."""

    def __init__(
        self,
        source: SourceDatabase,
        target: TargetDatabase,
        pair: TablePair,
        *,
        catch_up: Callable[[], None],
        settle: float,
        timeout: float,
        progress: Callable[[TableResult], None],
    ) -> None:
        self._source = source
        self._target = target
        self._pair = pair
        self._catch_up = catch_up
        self._settle = settle
        self._timeout = timeout
        self._progress = progress
        table = pair.source
        self.result = TableResult(table.full_name, pair.target_name)
        held = target.comparable(pair)
        keys = [name for name in table.key if name in held]
        self._keyed = bool(keys) and len(keys) == len(table.key)
        self._key_size = len(keys) if self._keyed else 0
        self._columns = keys + [n for n in held if n not in keys] if self._keyed else held
        by_name = {c.name: c for c in table.columns}
        self._infos: list[ColumnInfo] = [by_name[n] for n in self._columns]
        self._in_order = self._keyed and all(c.kind in SORTED_ALIKE for c in self._infos[: self._key_size])
        self.result.columns = self._columns

    def run(self) -> TableResult:
        """Compare; the result says how it ended."""
        if not self._keyed:
            return self._run_keyless()
        if self._in_order:
            suspects = self._compare_sorted()
        else:
            suspects = self._compare_buckets()
        if suspects:
            self._recheck(suspects)
        self._conclude()
        return self.result

    def _conclude(self) -> None:
        if self.result.difference_count:
            self.result.status = "different"
        elif self.result.lost:
            self.result.status = "policy"

    def _key(self, row: Canonical) -> Key:
        return row[: self._key_size]

    def _sort_key(self, row: Canonical) -> tuple[int | bytes, ...]:
        return tuple(
            int(v or 0) if c.kind == "int" else (v or b"")
            for c, v in zip(self._infos, self._key(row), strict=False)
        )

    def _stored(self, row: Canonical) -> Canonical:
        """The source row as the target's type contract stores it."""
        return tuple(self._target.stored(c, v) for c, v in zip(self._infos, row, strict=True))

    def _stored_and_counted(self, row: Canonical) -> Canonical:
        stored = self._stored(row)
        if stored != row:
            self._count_lost(row, stored)
        return stored

    def _count_lost(self, row: Canonical, stored: Canonical) -> None:
        self.result.lost.update(c.name for c, a, b in zip(self._infos, row, stored, strict=True) if a != b)

    def _same(self, source: Canonical, target: Canonical) -> bool:
        if source == target:
            return True
        stored = self._stored(source)
        if stored != target:
            return False
        if self._in_order:  # the bucket pass has counted every row already
            self._count_lost(source, stored)
        return True

    def _compare_sorted(self) -> list[Key]:
        source = self._source.rows(self._pair.source, self._columns)
        target = _Peekable(self._target.rows(self._pair, self._columns))
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
                if self.result.difference_count > MAX_SUSPECTS:
                    return []
        while extra := [self._key(row) for row in islice(target, MAX_SUSPECTS)]:
            suspects.extend(extra)
            if len(suspects) > MAX_SUSPECTS:
                self._recheck(suspects)
                suspects = []
                if self.result.difference_count > MAX_SUSPECTS:
                    return []
        return suspects

    def _narrow(self, source: Sequence[Canonical], target: Sequence[Canonical]) -> Iterator[Key]:
        ours = {self._key(row): row for row in source}
        theirs = {self._key(row): row for row in target}
        for key, row in ours.items():
            other = theirs.pop(key, None)
            if other is None or not self._same(row, other):
                yield key
        yield from theirs

    def _count(self, rows: int) -> None:
        self.result.rows += rows
        self.result.chunks += 1
        self._progress(self.result)

    def _compare_buckets(self) -> list[Key]:
        ours = self._buckets(
            map(self._stored_and_counted, self._counted(self._source.rows(self._pair.source, self._columns)))
        )
        theirs = self._buckets(self._target.rows(self._pair, self._columns))
        wrong = {b for b in range(BUCKETS) if ours[b] != theirs[b]}
        if not wrong:
            return []
        mine = [
            r for r in self._source.rows(self._pair.source, self._columns) if _bucket(self._key(r)) in wrong
        ]
        other = [r for r in self._target.rows(self._pair, self._columns) if _bucket(self._key(r)) in wrong]
        return list(self._narrow(mine, other))

    def _counted(self, rows: Iterator[Canonical]) -> Iterator[Canonical]:
        while chunk := list(islice(rows, CHUNK)):
            self._count(len(chunk))
            yield from chunk

    def _buckets(self, rows: Iterator[Canonical]) -> list[int]:
        sums = [0] * BUCKETS
        for row in rows:
            sums[_bucket(self._key(row))] += _digest(row)
        return sums

    def _recheck(self, suspects: list[Key]) -> None:
        """Read suspects again until each is cleared or known to differ; see the module's text."""
        pending = list(dict.fromkeys(suspects))
        self.result.rechecked += len(pending)
        history: dict[Key, set[Canonical | None]] = {key: set() for key in pending}
        since: dict[Key, tuple[Canonical | None, float]] = {}
        final: dict[Key, Difference] = {}
        deadline = time.monotonic() + self._timeout
        while pending:
            self._catch_up()
            ours = self._read_source(pending)
            theirs = self._read_target(pending)
            now = time.monotonic()
            still = []
            for key in pending:
                source, target = ours.get(key), theirs.get(key)
                history[key].add(source)
                if self._known(history[key], target):
                    continue
                last = since.get(key)
                if last is None or last[0] != source:
                    since[key] = (source, now)
                elif now - last[1] >= self._settle or now > deadline:
                    final[key] = Difference(key, source, target)
                    continue
                still.append(key)
            pending = still
            if pending:
                time.sleep(min(0.5, self._settle / 4))
            if now > deadline:
                final.update({k: Difference(k, ours.get(k), theirs.get(k)) for k in pending})
                break
        self.result.difference_count += len(final)
        shown = self.result.differences
        shown.extend(list(final.values())[: SHOWN - len(shown)])

    def _known(self, history: set[Canonical | None], target: Canonical | None) -> bool:
        if target in history:
            return True
        if target is None:
            return False
        return any(row is not None and self._same(row, target) for row in history)

    def _read_source(self, keys: list[Key]) -> dict[Key, Canonical]:
        out: dict[Key, Canonical] = {}
        for part in _slices(keys):
            out.update((self._key(r), r) for r in self._source.rows(self._pair.source, self._columns, part))
        return out

    def _read_target(self, keys: list[Key]) -> dict[Key, Canonical]:
        out: dict[Key, Canonical] = {}
        for part in _slices(keys):
            out.update((self._key(r), r) for r in self._target.rows(self._pair, self._columns, part))
        return out

    def _run_keyless(self) -> TableResult:
        """Compare as multisets, a few times while writes go on."""
        deadline = time.monotonic() + self._timeout
        calm = False
        last: tuple[int, int] | None = None
        while True:
            self.result.rows = self.result.chunks = 0
            self.result.lost.clear()
            ours = self._whole(
                map(
                    self._stored_and_counted,
                    self._counted(self._source.rows(self._pair.source, self._columns)),
                )
            )
            theirs = self._whole(self._target.rows(self._pair, self._columns))
            if ours == theirs:
                self._conclude()
                return self.result
            calm = last == ours
            if calm or time.monotonic() > deadline:
                break
            last = ours
            self._catch_up()
            time.sleep(self._settle / 2)
        self.result.status = "different"
        self.result.difference_count = max(1, abs(ours[0] - theirs[0]))
        self.result.reason = (
            f"no key; the source has {ours[0]} rows, the target {theirs[0]}, and their contents differ"
        )
        return self.result

    @staticmethod
    def _whole(rows: Iterator[Canonical]) -> tuple[int, int]:
        count = total = 0
        for row in rows:
            count += 1
            total += _digest(row)
        return count, total


def _digest(row: Canonical) -> int:
    """Hash of a row whose sum over rows does not depend on their order."""
    parts = b"\x00".join(b"\x01" if v is None else b"\x02" + v.replace(b"\x00", b"\x00\x03") for v in row)
    return int.from_bytes(hashlib.blake2b(parts, digest_size=16).digest(), "big")


def _bucket(key: Key) -> int:
    return _digest(key) % BUCKETS


def _slices(keys: list[Key], size: int = 200) -> Iterator[list[Key]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


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
