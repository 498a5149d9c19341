"""What a dialect works with: names, tables as they are, columns as they shall be, values as SQL text.

Immutable values without I/O; made and used on the task's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name, unquoted; `schema` (a database in MySQL) is None for the connection's own."""

    schema: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetColumn:
    """A column of an existing table, as the target's catalog has it.

    Attributes:
        name: name as stored.
        type: full type text, lower case, for example `varchar(20)` or `bigint unsigned`.
        base: type without arguments, for example `varchar`.
        nullable: whether NULL is allowed.
        has_default: whether the server fills in a value when an INSERT leaves the column out.
        generated: whether the server computes it (it is never written).
        collation: collation of text columns, else None.
        length: declared length in characters (text), bytes (binary) or bits.
        precision: digits of a number.
        scale: fraction digits of a number.
        fraction: fractional second digits of a time.
    """

    name: str
    type: str
    base: str
    nullable: bool = True
    has_default: bool = False
    generated: bool = False
    collation: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fraction: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTable:
    """An existing table.

    Attributes:
        name: its name.
        columns: in table order.
        primary_key: key columns in key order; empty without a primary key.
        unique_indexes: secondary unique indexes, index name -> columns.
        engine: storage engine, "" where there is none.
        is_view: whether it is a view (never altered).
    """

    name: TableName
    columns: tuple[TargetColumn, ...]
    primary_key: tuple[str, ...] = ()
    unique_indexes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    engine: str = ""
    is_view: bool = False

    def column(self, name: str) -> TargetColumn | None:
        """The column called `name`: exactly so, else the only one that differs in case alone (E5)."""
        for column in self.columns:
            if column.name == name:
                return column
        folded = name.casefold()
        alike = [c for c in self.columns if c.name.casefold() == folded]
        return alike[0] if len(alike) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyContext:
    """The column is part of the key: how many bytes of the index a text or binary column may use."""

    share: int = 3072


@dataclass(frozen=True, slots=True)
class Literal:
    """Turns a value that is not None into SQL text.

    Attributes:
        render: the function. Raises `Unrepresentable` or `DataError`.
        usual: the usual case for the generated row formatter, without a Python call: a condition, and the text as
            part of an f-string in double quotes. `$v` is the value (a local variable), `$c` the check.
        check: a C function that is true for the usual form of the value.
    """

    render: Callable[[Any], str]
    usual: tuple[str, str] | None = None
    check: Callable[[Any], Any] | None = None

    def __call__(self, value: Any) -> str:
        return "NULL" if value is None else self.render(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """The column type that holds a schema's values, and how they are written.

    Attributes:
        sql: type text for DDL, with character set and collation.
        literal: writes a value.
        policy: which values of the source type the column cannot hold, and what happens; "" if none.
        row_bytes: what the column takes of the server's row size limit.
        page_bytes: what it takes of a page when everything is as long as can be.
        key_bytes: what it takes of an index.
        off_row: the same column kept off the row, for tables whose rows would not fit.
    """

    sql: str
    literal: Literal
    policy: str = ""
    row_bytes: int = 0
    page_bytes: int = 0
    key_bytes: int = 0
    off_row: ColumnType | None = None


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column to be made; `default` is an SQL literal that existing rows get."""

    name: str
    type: ColumnType
    nullable: bool = True
    is_key: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class BoundColumn:
    """A column to be written.

    Attributes:
        field: name of the value in a row's dict.
        column: the target's column.
        literal: writes a value.
        nullable: whether the column takes NULL.
    """

    field: str
    column: str
    literal: Literal
    nullable: bool = True
