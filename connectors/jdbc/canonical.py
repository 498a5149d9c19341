"""Canonical rows of a MySQL or MariaDB table, for verification.

Rows are streamed with an unbuffered cursor, so memory does not grow with the table. Run by the
thread of the verifying command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import pymysql
import pymysql.converters
import pymysql.cursors

from connectors.jdbc.dialects import Dialect, TargetColumn, TargetTable, Unrepresentable
from connectors.jdbc.dialects.mysql_connection import connect_arguments
from connectors.jdbc.url import TargetUrl
from replicator.api.canonical import NORMALISERS, SORTED_ALIKE, Normaliser, microseconds
from replicator.api.database import Canonical, ColumnInfo, Keys, TablePair
from replicator.api.errors import DataError

FETCH = 2000


def rows(
    dialect: Dialect,
    url: TargetUrl,
    pair: TablePair,
    table: TargetTable,
    columns: Sequence[str],
    keys: Keys | None,
) -> Iterator[Canonical]:
    """Canonical rows; see `TargetDatabase.rows`."""
    by_name = {c.name: c for c in pair.source.columns}
    chosen = [(by_name[name], _column(table, name)) for name in columns]
    key_columns = [(by_name[name], _column(table, name)) for name in pair.source.key if name in columns]
    query = f"SELECT {', '.join(_expression(dialect, s, t) for s, t in chosen)} FROM {dialect.quote_table(table.name)}"
    arguments: list[str] = []
    if keys is not None:
        condition, arguments = _where(dialect, key_columns, keys)
        # Names may hold a percent sign, which stands for an argument once there are some.
        query = query.replace("%", "%%") + f" WHERE {condition}"
    elif key_columns and all(s.kind in SORTED_ALIKE for s, _ in key_columns):
        query += " ORDER BY " + ", ".join(_order(dialect, s, t) for s, t in key_columns)
    normalisers = [(i, n) for i, (s, _) in enumerate(chosen) if (n := _normaliser(s)) is not None]
    yield from _stream(dialect, url, query, arguments, normalisers)


def _stream(
    dialect: Dialect,
    url: TargetUrl,
    query: str,
    arguments: list[str],
    normalisers: list[tuple[int, Normaliser]],
) -> Iterator[Canonical]:
    try:
        connection = pymysql.connect(**connect_arguments(url), conv=dict(pymysql.converters.encoders), cursorclass=pymysql.cursors.SSCursor)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION time_zone = '+00:00', net_write_timeout = 3600")
                cursor.execute(query, arguments or None)
                while fetched := cursor.fetchmany(FETCH):
                    for row in fetched:
                        yield _canonical(row, normalisers)
        finally:
            connection.close()
    except pymysql.Error as error:
        raise dialect.translate(error) from error


def _canonical(row: Sequence[Any], normalisers: list[tuple[int, Normaliser]]) -> Canonical:
    values = [v.encode() if type(v) is str else v for v in row]
    for i, normalise in normalisers:
        if values[i] is not None:
            values[i] = normalise(values[i])
    return tuple(values)


def _column(table: TargetTable, name: str) -> TargetColumn:
    column = table.column(name)
    if column is None:
        raise DataError(f"Table {table.name} has no column {name}")
    return column


def _expression(dialect: Dialect, source: ColumnInfo, target: TargetColumn) -> str:
    name = dialect.quote(target.name)
    if source.kind == "bytes":
        return f"LOWER(HEX({name}))"
    if target.base == "bit":
        return (
            f"LPAD(BIN({name} + 0), {target.length or 1}, '0')"
            if source.kind != "bool"
            else f"CAST({name} + 0 AS CHAR)"
        )
    if target.base == "float":
        return f"CAST({name} + 0E0 AS CHAR)"
    if source.kind == "uuid" and target.base == "binary":
        return f"BIN_TO_UUID({name})"
    if source.kind == "bpchar":
        return f"TRIM(TRAILING ' ' FROM {name})"
    if target.base in ("json", "uuid"):
        return f"CAST({name} AS CHAR CHARACTER SET utf8mb4)"
    return name


def _normaliser(source: ColumnInfo) -> Normaliser | None:
    if source.kind in ("timestamp", "timestamptz", "time"):
        return microseconds
    if source.kind == "bool":
        return lambda text: b"1" if text.strip(b"\x00") not in (b"0", b"") else b"0"
    return NORMALISERS.get(source.kind)


def _order(dialect: Dialect, source: ColumnInfo, target: TargetColumn) -> str:
    name = dialect.quote(target.name)
    # Byte order of UTF-8 is the order of Postgres' "C" collation.
    return f"CAST({name} AS BINARY)" if source.kind == "text" and not _is_binary(target) else name


def _is_binary(target: TargetColumn) -> bool:
    return target.collation is not None and target.collation.endswith(("_bin",))


def _where(
    dialect: Dialect, keys: Sequence[tuple[ColumnInfo, TargetColumn]], wanted: Keys
) -> tuple[str, list[str]]:
    names = ", ".join(
        dialect.quote(t.name) if s.kind != "bytes" else f"LOWER(HEX({dialect.quote(t.name)}))"
        for s, t in keys
    ).replace("%", "%%")
    one = "(" + ", ".join(["%s"] * len(keys)) + ")"
    arguments = [(v or b"").decode() for key in wanted for v in key]
    return f"({names}) IN ({', '.join([one] * len(wanted))})", arguments


_SPECIAL = {b"NaN": "NAN", b"Infinity": "POSITIVE_INFINITY", b"-Infinity": "NEGATIVE_INFINITY"}
_STAMP = re.compile(rb"(\d+)-(\d\d-\d\d)(?: (\d.*?))?( BC)?$")


def stored(dialect: Dialect, column: ColumnInfo, value: bytes | None) -> bytes | None:
    """What the type's policy makes of a source value; the value itself where the target holds it."""
    if value is None or column.schema is None or column.kind not in _JUDGED:
        return value
    emitted = _emitted(column, value)
    try:
        _literal(dialect, column)(emitted)
    except Unrepresentable as lost:
        if lost.substitute is not None and (lost.rounded or not column.nullable):
            return _from_literal(column, lost.substitute)
        return None if column.nullable else value
    except DataError:
        return value
    return value


_JUDGED = frozenset({"numeric", "float4", "float8", "date", "timestamp", "timestamptz", "jsonb"})


@lru_cache(maxsize=4096)
def _literal_of(dialect: Dialect, schema: Any) -> Any:
    return dialect.column_type(schema).literal


def _literal(dialect: Dialect, column: ColumnInfo) -> Any:
    return _literal_of(dialect, column.schema)


def _emitted(column: ColumnInfo, value: bytes) -> Any:
    """The value as the source connector emits it, made from the canonical form."""
    text = value.decode()
    if column.kind == "numeric":
        return _SPECIAL.get(value, text)
    if column.kind in ("float4", "float8"):
        return float(text)
    if column.kind == "jsonb" or text.endswith("infinity"):
        return text
    found = _STAMP.match(value)
    if found is None:
        return text
    year, rest, time, bc = (None if g is None else g.decode() for g in found.groups())
    number = int(year or 0)
    shown = f"-{number - 1:04d}" if bc else (f"+{number}" if number > 9999 else f"{number:04d}")
    if column.kind == "date":
        return f"{shown}-{rest}Z"
    return f"{shown}-{rest}T{time}Z"


def _from_literal(column: ColumnInfo, literal: str) -> bytes:
    text = literal.strip("'").encode()
    normalise = _normaliser(column)
    return normalise(text) if normalise is not None else text
