"""Database: what the command line asks of a source or target without knowing its kind (C25).

Connector packages register implementations under the entry point group `replicator.databases`,
by URL scheme. `sync`, `verify`, `status`, `recopy` and `clean` use only this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding of a preflight.

    Attributes:
        severity: "error" (refuse), "table" (this table cannot be replicated), "warning".
        what: the fact, one sentence.
        remedy: what to do, with the exact command or SQL.
        table: source table it concerns, if any (`schema.table`).
    """

    severity: str
    what: str
    remedy: str = ""
    table: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInfo:
    """A column as both sides see it.

    Attributes:
        name: column name.
        type: full type text of its own database, for example `numeric(10,2)`.
        nullable: whether NULL is allowed.
        key_position: 1-based position in the key, or 0.
        generated: whether the database computes it.
        max_length: longest value present in characters for text keys, when measured.
        base: kind-neutral facts the type contract needs (`typname`, `element`, `labels`, `typmod`, `typtype` ...).
    """

    name: str
    type: str
    nullable: bool = True
    key_position: int = 0
    generated: bool = False
    max_length: int | None = None
    base: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """A table.

    Attributes:
        schema: schema name ("" where the database has none).
        name: table name.
        columns: in table order.
        identity: replica identity of a source table: "key", "full", "index", "none".
        rows: estimated number of rows (-1 unknown).
        size_bytes: estimated size.
        partitioned: whether it is the root of a partitioned table.
        unique_indexes: column tuples of secondary unique indexes.
    """

    schema: str
    name: str
    columns: tuple[ColumnInfo, ...]
    identity: str = "key"
    rows: int = -1
    size_bytes: int = 0
    partitioned: bool = False
    unique_indexes: tuple[tuple[str, ...], ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Key columns in key order."""
        keyed = [c for c in self.columns if c.key_position]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position))

    @property
    def full_name(self) -> str:
        """`schema.table`."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """A source table and the target table it is replicated to."""

    source: TableInfo
    target_name: str


Canonical = tuple[bytes | None, ...]
"""A row in canonical form: one byte string (or None) per compared column, equal on both sides."""


class SourceDatabase(Protocol):
    """A database that can be replicated from."""

    def describe(self) -> str:
        """`PostgreSQL 15.3 at host:port/db`, without secrets."""
        ...

    def tables(self, include: Sequence[str], exclude: Sequence[str]) -> list[TableInfo]:
        """Tables matching `schema.table` globs (`public.*`), partition roots instead of leaves."""
        ...

    def preflight(self, tables: Sequence[TableInfo], name: str) -> list[Problem]:
        """Everything that would keep a pipeline called `name` from reading these tables."""
        ...

    def connector_config(self, tables: Sequence[TableInfo], name: str) -> dict[str, str]:
        """Configuration of the source connector for a pipeline called `name`."""
        ...

    def position(self) -> int:
        """Current end of the log (for verify: wait until the target has passed it)."""
        ...

    def rows(self, table: TableInfo, columns: Sequence[str], keys: Sequence[tuple[Any, ...]] | None = None) -> Iterator[Canonical]:
        """Canonical rows: the whole table ordered by key where `sorted_alike`, or those with the given keys."""
        ...

    def clean(self, name: str, *, dry_run: bool = False) -> list[str]:
        """Remove slot and publications of a pipeline; returns a sentence per removed object."""
        ...


class TargetDatabase(Protocol):
    """A database that can be replicated to."""

    def describe(self) -> str:
        """`MySQL 9.7 at host:port/db`, without secrets."""
        ...

    def target_name(self, table: TableInfo) -> str:
        """Name of the target table (`public` keeps its name, other schemas give `schema_table`)."""
        ...

    def preflight(self, pairs: Sequence[TablePair], name: str) -> list[Problem]:
        """Everything that would keep these tables from being written: types, keys, sizes, names, modes."""
        ...

    def connector_config(self, pairs: Sequence[TablePair], name: str, topic_prefix: str) -> dict[str, str]:
        """Configuration of the sink connector."""
        ...

    def rows(self, pair: TablePair, columns: Sequence[str], keys: Sequence[tuple[Any, ...]] | None = None) -> Iterator[Canonical]:
        """Canonical rows of the target table; see SourceDatabase.rows."""
        ...

    def comparable(self, pair: TablePair) -> list[str]:
        """Columns that are compared (generated ones are left out)."""
        ...

    def policy(self, pair: TablePair, column: str, canonical_source: bytes | None) -> bytes | None:
        """What the type contract's policy makes of a source value the target cannot hold (else the value itself)."""
        ...

    def ledger(self, name: str) -> list[dict[str, Any]]:
        """Ledger rows of a pipeline: topic, partition, offset, position, time."""
        ...

    def clean(self, name: str, *, dry_run: bool = False) -> list[str]:
        """Remove the ledger rows of a pipeline; returns a sentence per removed object."""
        ...
