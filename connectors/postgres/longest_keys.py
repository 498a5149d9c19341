"""How long text and binary keys really are: a MySQL index holds 3072 bytes (C21).

Only key columns whose type does not bound them are measured, small tables together, and all of it within
a time that somebody waits for; what takes longer is reported as not measured. Run by the command line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import psycopg
from psycopg import sql

from replicator.api.database import Problem, TableInfo

LIMIT_SECONDS: Final = 30.0
_TOGETHER: Final = 50
_SMALL: Final = 32 << 20
_LOCK_MS: Final = 500
_SHORTEST: Final = 0.1
_TOO_LONG: Final = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)

Lengths = dict[str, dict[str, int]]
"""`schema.table` -> column -> characters (bytes of binary columns)."""


def measure(
    connection: psycopg.Connection[Any], tables: Sequence[TableInfo]
) -> tuple[list[TableInfo], Lengths]:
    """Tables that could not be measured in time, and the lengths of the others."""
    wanted = [t for t in tables if unbounded(t)]
    deadline = time.monotonic() + LIMIT_SECONDS
    found: Lengths = {}
    late: list[TableInfo] = []
    for group in _groups(wanted):
        try:
            found |= _lengths(connection, group, deadline)
        except (*_TOO_LONG, psycopg.errors.InsufficientPrivilege):
            for table in group:
                try:
                    found |= _lengths(connection, [table], deadline)
                except _TOO_LONG:
                    late.append(table)
                except psycopg.errors.InsufficientPrivilege:
                    continue  # preflight reports the missing privilege with its remedy
    return late, found


def unmeasured(table: TableInfo) -> Problem:
    """The warning for a table whose keys could not be measured."""
    names = ", ".join(unbounded(table))
    return Problem(
        severity="warning",
        what=f"{table.full_name}: the longest value of key column(s) {names} could not be measured within"
        f" {LIMIT_SECONDS:.0f} s, or the table is locked; a value longer than the target's key would stop it.",
        remedy=f"Look yourself: SELECT max(length({names.split(', ')[0]}::text)) FROM {table.full_name};"
        " a single text key of MySQL holds 768 characters.",
        table=table.full_name,
    )


def unbounded(table: TableInfo) -> list[str]:
    """Key columns whose type allows values longer than an index holds."""
    return [
        c.name
        for c in table.columns
        if c.key_position and c.kind in ("text", "bpchar", "bytes") and "(" not in c.type and c.type != "name"
    ]


def _groups(tables: Sequence[TableInfo]) -> Iterator[list[TableInfo]]:
    small = [t for t in tables if t.size_bytes <= _SMALL]
    for start in range(0, len(small), _TOGETHER):
        yield small[start : start + _TOGETHER]
    for table in tables:
        if table.size_bytes > _SMALL:
            yield [table]


def _lengths(connection: psycopg.Connection[Any], tables: Sequence[TableInfo], deadline: float) -> Lengths:
    left = deadline - time.monotonic()
    if left < _SHORTEST:
        raise psycopg.errors.QueryCanceled
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, ARRAY[{}]::int8[] FROM {}").format(
            sql.Literal(table.full_name),
            sql.SQL(", ").join(
                sql.SQL("coalesce(max({}(t.{}{})), 0)").format(
                    *_how(table, name), sql.SQL("" if _is_binary(table, name) else "::text")
                )
                for name in unbounded(table)
            ),
            sql.SQL("{} AS t").format(sql.Identifier(table.schema, table.name)),
        )
        for table in tables
    )
    # Without a transaction, whose end a timeout could hit too. Nobody waits behind us for a lock that we wait for.
    connection.execute(f"SET lock_timeout = {_LOCK_MS}")
    connection.execute(f"SET statement_timeout = {int(left * 1000)}")
    try:
        rows = connection.execute(query).fetchall()
    finally:
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET lock_timeout = 0")
    by_name = {t.full_name: t for t in tables}
    return {name: dict(zip(unbounded(by_name[name]), lengths, strict=True)) for name, lengths in rows}


def _is_binary(table: TableInfo, name: str) -> bool:
    return any(c.name == name and c.kind == "bytes" for c in table.columns)


def _how(table: TableInfo, name: str) -> tuple[sql.Composable, sql.Composable]:
    return sql.SQL("octet_length" if _is_binary(table, name) else "length"), sql.Identifier(name)
