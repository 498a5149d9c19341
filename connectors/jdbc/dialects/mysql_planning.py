"""Plans a MySQL or MariaDB table so that key and row fit, and writes its DDL (C21). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connectors.jdbc.dialects.model import ColumnSpec, ColumnType, KeyContext
from connectors.jdbc.dialects.mysql_columns import MAX_KEY_BYTES, Flavour, column_type, parse_type
from replicator.api import Schema, StructuralError

MAX_ROW_BYTES: Final = 65_535
# 8126 less the record's header, transaction id and roll pointer.
MAX_PAGE_BYTES: Final = 8_100
MAX_COLUMNS: Final = 1_017
_SHORTEST_SHARE: Final = 256


def plan_columns(
    fields: Sequence[tuple[str, Schema]], keys: Sequence[str], flavour: Flavour, lengths: Mapping[str, int]
) -> tuple[ColumnSpec, ...]:
    """See `Dialect.plan_columns`."""
    by_name = dict(fields)
    _check_case([name for name, _ in fields])
    if len(fields) > MAX_COLUMNS:
        raise StructuralError(f"{len(fields)} columns: {flavour.name} takes at most {MAX_COLUMNS}")
    key_types = _plan_key([(k, by_name[k]) for k in keys], flavour, lengths)
    specs = [ColumnSpec(k, key_types[k], False, True) for k in keys]
    specs += [ColumnSpec(n, column_type(s, flavour), s.optional) for n, s in fields if n not in key_types]
    return _fit_row(specs, flavour)


def _check_case(names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise StructuralError(
                f"Columns {other} and {name} differ in case only; the target ignores case in names"
            )


def _plan_key(
    keys: Sequence[tuple[str, Schema]], flavour: Flavour, lengths: Mapping[str, int]
) -> dict[str, ColumnType]:
    """Text and binary columns of unknown length share what the others leave of the index."""
    whole = KeyContext(share=MAX_KEY_BYTES)
    types = {name: column_type(schema, flavour, whole) for name, schema in keys}
    refused = [name for name, made in types.items() if not made.key_bytes]
    if refused:
        raise StructuralError(f"Column {refused[0]} of type {types[refused[0]].sql} cannot be part of a key")
    total = sum(_net(made) for made in types.values())
    if total > MAX_KEY_BYTES:
        _shrink(types, dict(keys), flavour, total)
    for name, made in types.items():
        longest, fits = lengths.get(name, 0), parse_type(name, made.sql).length
        if fits is not None and longest > fits:
            raise StructuralError(f"Values of key column {name} are up to {longest} characters; {fits} fit")
    return types


def _shrink(
    types: dict[str, ColumnType], schemas: Mapping[str, Schema], flavour: Flavour, total: int
) -> None:
    elastic = [name for name in types if _shrinks(schemas[name], types[name], flavour)]
    free = MAX_KEY_BYTES - sum(_net(types[name]) for name in types if name not in elastic)
    share = free // len(elastic) // 4 * 4 if elastic else 0
    if share < _SHORTEST_SHARE:
        raise StructuralError(
            f"The key ({', '.join(types)}) takes {total} bytes; an index holds {MAX_KEY_BYTES}"
        )
    for name in elastic:
        types[name] = column_type(schemas[name], flavour, KeyContext(share=share))


def _net(made: ColumnType) -> int:
    # The index limit counts data, not the two length bytes.
    return made.key_bytes - 2 if made.sql.startswith(("VAR", "CHAR")) else made.key_bytes


def _shrinks(schema: Schema, made: ColumnType, flavour: Flavour) -> bool:
    """Whether a smaller share makes the column smaller, so that longer values are refused one by one."""
    return column_type(schema, flavour, KeyContext(share=_SHORTEST_SHARE)).key_bytes < made.key_bytes


def _fit_row(specs: list[ColumnSpec], flavour: Flavour) -> tuple[ColumnSpec, ...]:
    """Move the widest columns off the row until it fits."""
    nulls = (len(specs) + 7) // 8
    while sum(s.type.row_bytes for s in specs) + nulls > MAX_ROW_BYTES:
        wide = [(s.type.row_bytes, -i) for i, s in enumerate(specs) if s.type.off_row]
        if not wide:
            raise StructuralError(
                f"The row is longer than {MAX_ROW_BYTES} bytes, what {flavour.name} takes at most"
            )
        at = -max(wide)[1]
        off_row = specs[at].type.off_row
        if off_row is not None:
            specs[at] = replace(specs[at], type=off_row)
    page = sum(s.type.page_bytes for s in specs) + nulls
    page += sum(max(0, s.type.key_bytes - s.type.page_bytes) for s in specs if s.is_key)
    if page > MAX_PAGE_BYTES:
        raise StructuralError(
            f"{len(specs)} columns take {page} bytes of a page of {MAX_PAGE_BYTES}: too many long columns",
            hint="Leave columns out, or make the table yourself with shorter types.",
        )
    return tuple(specs)


def create_table(
    table: str, columns: Sequence[ColumnSpec], quote: Callable[[str], str], flavour: Flavour
) -> str:
    """CREATE TABLE."""
    lines = [column_definition(c, quote) for c in columns]
    keys = ",".join(quote(c.name) for c in columns if c.is_key)
    if keys:
        lines.append(f"PRIMARY KEY ({keys})")
    options = f"ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE={flavour.binary}"
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {table} (\n  {body}\n) {options}"


def column_definition(column: ColumnSpec, quote: Callable[[str], str]) -> str:
    """`name TYPE NULL`."""
    nullable = column.nullable and not column.is_key
    default = "" if column.default is None else f" DEFAULT ({column.default})"
    return f"{quote(column.name)} {column.type.sql} {'NULL' if nullable else 'NOT NULL'}{default}"
