"""One table on both sides: its rows in the same columns, and what was found when they were compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from replicator.api.canonical import LOSSY
from replicator.api.database import Canonical, ColumnInfo, SourceDatabase, TablePair, TargetDatabase

CHUNK: Final = 4096
"""Rows that are read at a time."""

SHOWN: Final = 20
"""Rows that differ that are kept to be shown."""

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
