"""Canonical rows of a Postgres table, for verification.

Each compared value becomes bytes that are equal on both sides exactly when the values are. What
the server can print in canonical form it prints (to_char, encode, trim_scale); the rest is
normalised here. Rows are streamed by COPY, so memory does not grow with the table.
Run by the thread of the verifying command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from replicator.api.canonical import NORMALISERS, SORTED_ALIKE, Normaliser
from replicator.api.database import Canonical, ColumnInfo, Keys, TableInfo


def expression(column: ColumnInfo) -> sql.Composable:
    """SQL that prints a column in (nearly) canonical form."""
    name = sql.SQL("t.") + sql.Identifier(column.name)
    # Bare, COPY prints it as the log does; a cast may print otherwise (inet gets its netmask).
    form = _EXPRESSIONS.get(column.kind, "{0}")
    return sql.SQL(form).format(name)


_TIMESTAMP = (
    "CASE WHEN isfinite({0}) AND {0} >= '0001-01-01' THEN to_char({0}, 'YYYY-MM-DD HH24:MI:SS.US')"
    " ELSE {0}::text END"
)
_EXPRESSIONS = {
    "bool": "({0})::int::text",
    "numeric": "trim_scale(({0})::numeric)::text",
    "bytes": "encode({0}, 'hex')",
    "timestamp": _TIMESTAMP,
    "timestamptz": _TIMESTAMP.replace("{0}", "({0} AT TIME ZONE 'UTC')"),
    "time": "CASE WHEN {0} = '24:00' THEN '24:00:00.000000' ELSE to_char({0}, 'HH24:MI:SS.US') END",
    "bpchar": "rtrim(({0})::text)",
}


def normaliser(column: ColumnInfo) -> Normaliser | None:
    """What remains to be done to the printed bytes, or None."""
    if column.kind == "numeric":
        return None  # trim_scale has done it
    normalise = NORMALISERS.get(column.kind)
    emit = column.emit
    if emit is None or column.kind not in _EMITTED:
        return normalise
    if normalise is None:
        return lambda text: str(emit(text.decode())).encode()
    return lambda text: normalise(str(emit(text.decode())).encode())


_EMITTED = frozenset({"array", "hstore", "other", "interval"})
"""Kinds whose form at the target is what the connector emits, so verify asks the connector's codec."""


def rows(
    connection: psycopg.Connection[Any], table: TableInfo, columns: Sequence[str], keys: Keys | None
) -> Iterator[Canonical]:
    """Canonical rows; see `SourceDatabase.rows`."""
    by_name = {c.name: c for c in table.columns}
    chosen = [by_name[name] for name in columns]
    # Tables that inherit from this one are tables of their own.
    query = sql.SQL("SELECT {} FROM {}{} AS t").format(
        sql.SQL(", ").join(expression(c) for c in chosen),
        sql.SQL("" if table.partitioned else "ONLY "),
        sql.Identifier(table.schema, table.name),
    )
    key_columns = [by_name[name] for name in table.key]
    normalisers = [(i, n) for i, c in enumerate(chosen) if (n := normaliser(c)) is not None]
    if keys is None:
        if key_columns and all(c.kind in SORTED_ALIKE for c in key_columns):
            query += sql.SQL(" ORDER BY ") + sql.SQL(", ").join(_order(connection, c) for c in key_columns)
        yield from _read(connection, query, normalisers)
    elif any(c.kind in _NOT_CAST for c in key_columns):
        wanted, size = set(keys), len(key_columns)
        yield from (row for row in _read(connection, query, normalisers) if row[:size] in wanted)
    else:
        for start in range(0, len(keys), KEYS_AT_ONCE):
            part = query + _with_keys(key_columns, keys[start : start + KEYS_AT_ONCE])
            yield from _read(connection, part, normalisers)


KEYS_AT_ONCE = 500
_NOT_CAST = frozenset({"array", "hstore"})
"""Kinds whose canonical form cannot be cast back: keys of these are looked for in all rows."""


def _read(
    connection: psycopg.Connection[Any], query: sql.Composed, normalisers: list[tuple[int, Normaliser]]
) -> Iterator[Canonical]:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL datestyle = 'ISO'; SET LOCAL timezone = 'UTC'")
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
            yield from _decode(copy, normalisers)


def _decode(copy: psycopg.Copy, normalisers: list[tuple[int, Normaliser]]) -> Iterator[Canonical]:
    rest = b""
    for block in copy:
        lines = (rest + bytes(block)).split(b"\n")
        rest = lines.pop()
        for line in lines:
            values = line.split(b"\t")
            if b"\\" in line:
                values = [None if v == b"\\N" else unescape(v) for v in values]  # type: ignore[misc]
            for i, normalise in normalisers:
                if values[i] is not None:
                    values[i] = normalise(values[i])
            yield tuple(values)


_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def unescape(value: bytes) -> bytes:
    """Undo COPY's text escapes."""
    if b"\\" not in value:
        return value
    return _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), value)


def _order(connection: psycopg.Connection[Any], column: ColumnInfo) -> sql.Composable:
    # Unqualified, the name would mean the printed output column, which sorts as text.
    name = sql.SQL("t.") + sql.Identifier(column.name)
    if column.kind != "text":
        return name
    if connection.info.parameter_status("server_encoding") == "UTF8":
        return sql.SQL('{}::text COLLATE "C"').format(name)
    return sql.SQL("convert_to({}::text, 'UTF8')").format(name)


def _with_keys(key_columns: Sequence[ColumnInfo], keys: Keys) -> sql.Composable:
    """A join with the keys, cast to the columns' types so that the key's index serves it."""
    names = [sql.Identifier(f"k{i}") for i in range(len(key_columns))]
    values = sql.SQL(", ").join(
        sql.SQL("({})").format(sql.SQL(", ").join(sql.Literal((v or b"").decode()) for v in key))
        for key in keys
    )
    equal = sql.SQL(" AND ").join(
        sql.SQL("t.{} = {}").format(sql.Identifier(c.name), sql.SQL(_CASTS.get(c.kind, _CAST)).format(
            sql.SQL("v.") + name, sql.SQL(c.type)))
        for c, name in zip(key_columns, names, strict=True)
    )  # fmt: skip
    return sql.SQL(" JOIN (VALUES {}) AS v ({}) ON {}").format(values, sql.SQL(", ").join(names), equal)


_CAST = "{0}::{1}"
_CASTS = {"bytes": "decode({0}, 'hex')", "bool": "{0}::int::bool", "numeric": "{0}::numeric::{1}"}
