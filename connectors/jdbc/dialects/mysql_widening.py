"""Which columns may change their type without losing a value: the ladder of MySQL and MariaDB. Pure."""

from __future__ import annotations

from typing import Final

from connectors.jdbc.dialects.model import ColumnType, TargetColumn, TargetTable
from connectors.jdbc.dialects.mysql_columns import parse_type
from replicator.api import StructuralError

_INTEGERS: Final = ["tinyint", "smallint", "mediumint", "int", "bigint"]
_DIGITS: Final = {"tinyint": 3, "smallint": 5, "mediumint": 7, "int": 10, "bigint": 19}
_TEXTS: Final = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext"]
_BLOBS: Final = ["varbinary", "tinyblob", "blob", "mediumblob", "longblob"]
_SIZES: Final = {"tinytext": 255, "text": 65_535, "mediumtext": 1 << 24, "longtext": 1 << 32} | {
    "tinyblob": 255, "blob": 65_535, "mediumblob": 1 << 24, "longblob": 1 << 32,
}  # fmt: skip


def widen_column(table: TargetTable, column: TargetColumn, wanted: ColumnType) -> str | None:
    """The type the column must get, or None when it already holds everything `wanted` holds.

    Raises:
        StructuralError: only a change that may lose values would do.
    """
    target = parse_type(column.name, wanted.sql)
    if _holds(column, target):
        return None
    if _holds(target, column) and not (_in_an_index(table, column) and not wanted.key_bytes):
        return wanted.sql
    raise StructuralError(
        f"Column {column.name} of {table.name} is {column.type}: becoming {wanted.sql} could lose values",
        hint="Change the column yourself, then retry.",
    )


def _in_an_index(table: TargetTable, column: TargetColumn) -> bool:
    indexed = {name for columns in table.unique_indexes.values() for name in columns} | set(table.primary_key)
    return column.name in indexed


def _holds(wide: TargetColumn, narrow: TargetColumn) -> bool:
    """Whether every value of `narrow` is one of `wide`."""
    if "unsigned" in wide.type or "unsigned" in narrow.type:
        return wide.type.partition(" ")[2] == narrow.type.partition(" ")[2] and _holds_integer(wide, narrow)
    if narrow.base in _INTEGERS:
        return _holds_integer(wide, narrow)
    if wide.base == narrow.base == "decimal":
        scale, other = wide.scale or 0, narrow.scale or 0
        return scale >= other and (wide.precision or 10) - scale >= (narrow.precision or 10) - other
    if narrow.base in _TEXTS:
        return wide.base in _TEXTS and _holds_text(wide, narrow)
    if narrow.base in _BLOBS:
        return wide.base in _BLOBS and _size(wide) >= _size(narrow)
    if wide.base == narrow.base and narrow.fraction is not None:
        return (wide.fraction or 0) >= narrow.fraction
    if narrow.base == "bit":
        return wide.base == "bit" and (wide.length or 1) >= (narrow.length or 1)
    if narrow.base == "float" and wide.base == "double":
        return True
    return wide.base == narrow.base and wide.type.partition(" ")[0] == narrow.type.partition(" ")[0]


def _holds_integer(wide: TargetColumn, narrow: TargetColumn) -> bool:
    if wide.base in _INTEGERS and narrow.base in _INTEGERS:
        return _INTEGERS.index(wide.base) >= _INTEGERS.index(narrow.base)
    if wide.base == "decimal" and narrow.base in _INTEGERS:
        return (wide.precision or 10) - (wide.scale or 0) >= _DIGITS[narrow.base]
    return False


def _holds_text(wide: TargetColumn, narrow: TargetColumn) -> bool:
    if wide.base == "char" and narrow.base != "char":
        return False
    if wide.base in {"char", "varchar"} and narrow.base in {"char", "varchar"}:
        return (wide.length or 1) >= (narrow.length or 1)
    return _size(wide) >= _size(narrow)


def _size(column: TargetColumn) -> int:
    return _SIZES.get(column.base) or (column.length or 1) * (4 if column.base in {"char", "varchar"} else 1)
