"""Database: what the command line asks of a source or target without knowing its kind (C25).

Connector packages register implementations under the entry point group `replicator.databases`,
by URL scheme. `sync`, `verify`, `status`, `recopy` and `clean` use only this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from replicator.api.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding of a preflight.

    Attributes:
        severity: "error" (refuse), "table" (this table cannot be replicated), "stopped" (it was replicated and cannot
            go on; the others can), "warning", "note".
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
        kind: how verify compares it: int, bool, numeric, float4, float8, text, bpchar, bytes, date, time,
            timestamp, json (exact text), jsonb (by value), interval, bit, varbit, other (exact text).
        schema: Connect schema of the column as the source emits it, or None when it cannot be captured.
        emit: what the source makes of the database's text, or None when it keeps the text.
    """

    name: str
    type: str
    nullable: bool = True
    key_position: int = 0
    generated: bool = False
    max_length: int | None = None
    kind: str = "other"
    schema: Schema | None = None
    emit: Callable[[str], Any] | None = None


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
        unlogged: whether its changes never reach the log.
        unique_indexes: column tuples of secondary unique indexes.
    """

    schema: str
    name: str
    columns: tuple[ColumnInfo, ...]
    identity: str = "key"
    rows: int = -1
    size_bytes: int = 0
    partitioned: bool = False
    unlogged: bool = False
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

Keys = Sequence[tuple[bytes | None, ...]]
"""Keys in canonical form."""


class SourceDatabase(Protocol):
    """A database that can be replicated from; constructed with its URL, connects on first use."""

    def describe(self) -> str:
        """`PostgreSQL 15.3 at host:port/db`, without secrets."""
        ...

    def tables(self, include: Sequence[str], exclude: Sequence[str]) -> list[TableInfo]:
        """Tables matching `schema.table` globs (`public.*`), partition roots instead of leaves."""
        ...

    def names(self, include: Sequence[str], exclude: Sequence[str]) -> list[str]:
        """Names (`schema.table`) of the tables in the log that match; cheap enough for every second."""
        ...

    def quiet(self) -> bool:
        """Whether no transaction runs that ran at the last call already."""
        ...

    def measured(self, tables: Sequence[TableInfo]) -> list[TableInfo]:
        """The tables with `max_length` of their text keys, as far as it can be had within some seconds."""
        ...

    def preflight(self, tables: Sequence[TableInfo], name: str) -> list[Problem]:
        """Everything that would keep a pipeline called `name` from reading these tables."""
        ...

    def connector_config(self, tables: Sequence[TableInfo], name: str) -> dict[str, str]:
        """Configuration of the source connector for a pipeline called `name`."""
        ...

    def position(self) -> int:
        """Current end of the log."""
        ...

    def checkpoint(self, name: str) -> int:
        """Write something the pipeline's stream passes, so that its position moves; returns its log position."""
        ...

    def diverged(self, tables: Sequence[TableInfo]) -> dict[str, str]:
        """Tables whose changes cannot all be in the log (C4), with the reason."""
        ...

    def rows(self, table: TableInfo, columns: Sequence[str], keys: Keys | None = None) -> Iterator[Canonical]:
        """Canonical rows, key columns first in the order given: all ordered by key, or those with the given keys."""
        ...

    def clean(self, name: str, *, dry_run: bool = False) -> list[str]:
        """Remove slot and publications of a pipeline; returns a sentence per removed object."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class TargetDatabase(Protocol):
    """A database that can be replicated to; constructed with its URL, connects on first use."""

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

    def compared_as(self, pair: TablePair) -> TablePair:
        """The pair with the kinds in which its columns can be compared: by value where the target keeps no text."""
        ...

    def comparable(self, pair: TablePair) -> list[str]:
        """Source columns that the target table holds and that are compared (generated ones are left out).

        Raises:
            StructuralError: the target table does not exist.
        """
        ...

    def missing(self, pair: TablePair) -> list[str]:
        """Source columns that are replicated and that the target table lacks."""
        ...

    def rows(self, pair: TablePair, columns: Sequence[str], keys: Keys | None = None) -> Iterator[Canonical]:
        """Canonical rows of the target table; see SourceDatabase.rows."""
        ...

    def stored(self, column: ColumnInfo, canonical: bytes | None) -> bytes | None:
        """What the type contract's policy makes of a source value (the value itself where the target can hold it)."""
        ...

    def create_missing(self, pairs: Sequence[TablePair]) -> list[str]:
        """Make the target tables that are not there, as the sink would; returns their names."""
        ...

    def ledger(self, name: str) -> list[dict[str, Any]]:
        """Ledger rows of a pipeline: topic, partition, next_offset, position, updated_at."""
        ...

    def clean(self, name: str, *, dry_run: bool = False) -> list[str]:
        """Remove the ledger rows of a pipeline; returns a sentence per removed object."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
