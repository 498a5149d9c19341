"""Canonical rows of a MySQL or MariaDB table, for verification.

Rows are streamed with an unbuffered cursor, so memory does not grow with the table. Run by the
thread of the verifying command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import pymysql
import pymysql.converters
import pymysql.cursors

from connectors.jdbc.dialects import Dialect, TargetColumn, TargetTable, Unrepresentable
from connectors.jdbc.dialects.mysql_connection import connect_arguments
from connectors.jdbc.url import TargetUrl
from replicator.api.canonical import LOSSY, NORMALISERS, SORTED_ALIKE, Normaliser, microseconds, plain_decimal
from replicator.api.database import Canonical, ColumnInfo, Keys, TablePair
from replicator.api.errors import DataError

FETCH = 2000
KEYS_AT_ONCE = 500
# Sorting looks at so many bytes of a text; the longest key has 3072. A comparison may pause a reading for long.
_SESSION = "SET SESSION time_zone = '+00:00', net_write_timeout = 3600, max_sort_length = 4096"
_ADDRESSED = frozenset(
    {"int", "bool", "uuid", "text", "bpchar", "numeric", "date", "time", "timestamp", "timestamptz", "bytes", "other"}
)  # fmt: skip
"""Kinds of keys whose canonical form can be written as a literal; rows with others are looked for in all rows."""
_TEXT_ONLY: dict[Any, Any] = dict(pymysql.converters.encoders)
"""Arguments are escaped as usual; what comes back stays text."""


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
    normalisers = [(i, n) for i, (s, t) in enumerate(chosen) if (n := _normaliser(s, t.base)) is not None]
    if keys is None:
        if key_columns and all(s.kind in SORTED_ALIKE for s, _ in key_columns):
            query += " ORDER BY " + ", ".join(_order(dialect, s, t) for s, t in key_columns)
        yield from _stream(dialect, url, [query], normalisers)
    elif all(s.kind in _ADDRESSED for s, _ in key_columns):
        parts = (keys[start : start + KEYS_AT_ONCE] for start in range(0, len(keys), KEYS_AT_ONCE))
        queries = (f"{query} WHERE {_where(dialect, key_columns, part)}" for part in parts)
        yield from _stream(dialect, url, queries, normalisers)
    else:
        wanted, size = set(keys), len(key_columns)
        found = _stream(dialect, url, [query], normalisers)
        yield from (row for row in found if row[:size] in wanted)


def _stream(
    dialect: Dialect,
    url: TargetUrl,
    queries: Iterable[str],
    normalisers: list[tuple[int, Normaliser]],
) -> Iterator[Canonical]:
    try:
        connection = pymysql.connect(
            **connect_arguments(url), conv=_TEXT_ONLY, cursorclass=pymysql.cursors.SSCursor
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(_SESSION)
                for query in queries:
                    cursor.execute(query)
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
            try:
                values[i] = normalise(values[i])
            except (ValueError, ArithmeticError):
                continue  # not of the source's type at all: it differs as it is
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
        # MariaDB has no BIN_TO_UUID.
        return f"LOWER(INSERT(INSERT(INSERT(INSERT(HEX({name}), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))"
    if source.kind == "bpchar":
        return f"TRIM(TRAILING ' ' FROM {name})"
    if target.base in ("json", "uuid"):
        return f"CAST({name} AS CHAR CHARACTER SET utf8mb4)"
    return name


def _normaliser(source: ColumnInfo, base: str) -> Normaliser | None:
    """What remains to be done to what a column of this type prints."""
    if source.kind in ("timestamp", "timestamptz", "time"):
        return microseconds
    if source.kind == "bool":
        return lambda text: b"1" if text.strip(b"\x00") not in (b"0", b"") else b"0"
    if source.kind == "int" and base not in _INTEGERS:
        return plain_decimal
    if source.kind == "date" and base != "date":
        return lambda text: text.removesuffix(b".000000").removesuffix(b" 00:00:00")
    return NORMALISERS.get(source.kind)


def _order(dialect: Dialect, source: ColumnInfo, target: TargetColumn) -> str:
    name = dialect.quote(target.name)
    if source.kind == "int":
        return name if target.base in _INTEGERS else f"CAST({name} AS DECIMAL(65))"
    # Byte order of UTF-8 is the order of Postgres' "C" collation; of uuids in lower case it is theirs.
    collation = target.collation or ""
    if collation.endswith(_NO_PAD) or (source.kind == "uuid" and collation.endswith("_bin")):
        return name
    return f"CAST({_expression(dialect, source, target)} AS BINARY)"


_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_NO_PAD = ("0900_bin", "nopad_bin")
"""Collations that sort by code point and count trailing blanks."""


def _where(dialect: Dialect, keys: Sequence[tuple[ColumnInfo, TargetColumn]], wanted: Keys) -> str:
    """The condition for some keys, with literals of the columns' types so that the key's index serves it."""
    literals = [dialect.literal_for(t, s.schema) for s, t in keys if s.schema is not None]
    names = ", ".join(dialect.quote(t.name) for _, t in keys)
    listed = []
    for key in wanted:
        try:
            values = [
                render(_emitted(s, v or b"")) for render, (s, _), v in zip(literals, keys, key, strict=True)
            ]
        except DataError:
            continue  # what the column cannot hold is not in the table
        listed.append(f"({', '.join(values)})")
    return f"({names}) IN ({', '.join(listed)})" if listed else "FALSE"


_SPECIAL = {b"NaN": "NAN", b"Infinity": "POSITIVE_INFINITY", b"-Infinity": "NEGATIVE_INFINITY"}
_STAMP = re.compile(rb"(\d+)-(\d\d-\d\d)(?: (\d.*?))?( BC)?$")


def stored(dialect: Dialect, column: ColumnInfo, value: bytes | None) -> bytes | None:
    """What the type's policy makes of a source value; the value itself where the target holds it."""
    if value is None or column.schema is None or column.kind not in LOSSY:
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


@lru_cache(maxsize=4096)
def _literal_of(dialect: Dialect, schema: Any) -> Any:
    return dialect.column_type(schema).literal


def _literal(dialect: Dialect, column: ColumnInfo) -> Any:
    return _literal_of(dialect, column.schema)


def _emitted(column: ColumnInfo, value: bytes) -> Any:
    """The value as the source connector emits it, made from the canonical form."""
    text = value.decode()
    if column.kind == "int":
        return int(text)
    if column.kind == "bool":
        return text == "1"
    if column.kind == "bytes":
        return bytes.fromhex(text)
    if column.kind == "time":
        return text + "Z"
    if column.kind == "numeric":
        return _SPECIAL.get(value, text)
    if column.kind in ("float4", "float8"):
        return float(text)
    if column.kind not in ("date", "timestamp", "timestamptz") or text.endswith("infinity"):
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
    normalise = _normaliser(column, "")
    return normalise(text) if normalise is not None else text
