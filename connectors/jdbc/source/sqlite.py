"""Reading from SQLite: types are those of the declarations; values that do not fit them are refused (INV-7)."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final, NoReturn
from urllib.parse import quote

from connectors.jdbc.dialects.sqlite import translate
from connectors.jdbc.source.names import TableId
from connectors.jdbc.source.reading import Column, CursorResult, Decode, Kind, Reader, Result, TableColumn
from connectors.jdbc.url import TargetUrl
from replicator.api import DataError

_KINDS: Final = {
    "BOOLEAN": Kind.BOOLEAN,
    "TINYINT": Kind.INT8,
    "SMALLINT": Kind.INT16,
    "INT2": Kind.INT16,
    "DECIMAL": Kind.DECIMAL,
    "NUMERIC": Kind.NUMERIC,
    "DOUBLE": Kind.FLOAT64,
    "DOUBLE PRECISION": Kind.FLOAT64,
    "FLOAT": Kind.FLOAT64,
    "REAL": Kind.FLOAT64,
    "BLOB": Kind.BYTES,
    "BINARY": Kind.BYTES,
    "VARBINARY": Kind.BYTES,
    "DATE": Kind.DATE,
    "TIME": Kind.TIME,
    "TIMESTAMP": Kind.TIMESTAMP,
    "DATETIME": Kind.TIMESTAMP,
}
_VIEW: Final = "replicator_query"
_UNKNOWN: Final = object()
_DECLARATION: Final = re.compile(r"([^(]*)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_EPOCH: Final = dt.datetime(1970, 1, 1)
_JULIAN_EPOCH: Final = 2440587.5


class SqliteReader(Reader):
    """See `Reader`."""

    name_parts: ClassVar[tuple[bool, bool]] = (False, False)

    def __init__(self, url: TargetUrl, zone: dt.tzinfo, isolation: str, name: str) -> None:
        super().__init__(url, zone, isolation, name)
        try:
            # A file that is not there is a mistake, not an empty database.
            place = f"file:{quote(url.database)}?mode=rw"
            self._driver = sqlite3.connect(
                place, timeout=10, isolation_level=None, check_same_thread=False, uri=True
            )
            # Times are text, integers or Julian days there: compared as what they mean.
            self._driver.create_function("moment_us", 1, _micros_of, deterministic=True)
        except Exception as error:
            raise translate(error) from error

    def quote(self, name: str) -> str:
        return f'"{name.replace(chr(34), chr(34) * 2)}"'

    def tables(self, types: frozenset[str]) -> list[TableId]:
        rows = self._query(
            "SELECT name, type FROM sqlite_master WHERE type IN ('table','view') ORDER BY name"
        )
        return [
            TableId(None, None, name)
            for name, type_ in rows
            if type_.upper() in types and not name.startswith("sqlite_")
        ]

    def table_columns(self, table: TableId) -> dict[str, TableColumn]:
        rows = self._query('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (table.name,))
        keys = sum(1 for row in rows if row[3])
        return {
            name: TableColumn(
                not not_null and not (key and type_.upper() == "INTEGER"),
                bool(key) and keys == 1 and type_.upper() == "INTEGER",
                type_,
            )
            for name, type_, not_null, key in rows
        }

    def query_columns(self, query: str) -> dict[str, TableColumn]:
        # A view knows the declarations behind its columns; a result does not tell them.
        self._query(f"CREATE TEMP VIEW {_VIEW} AS {query}")
        try:
            rows = self._query("SELECT name, type FROM pragma_table_info(?)", (_VIEW,))
        finally:
            self._query(f"DROP VIEW {_VIEW}")
        return {name: TableColumn(True, type=type_) for name, type_ in rows}

    def now(self) -> dt.datetime:
        found: str = self._query("SELECT strftime('%Y-%m-%d %H:%M:%f','now')")[0][0]
        return dt.datetime.fromisoformat(found)

    def select(self, sql: str, known: Mapping[str, TableColumn]) -> Result:
        try:
            cursor = self._driver.execute(sql)
            first = cursor.fetchone()
        except Exception as error:
            raise translate(error) from error
        names = [entry[0] for entry in cursor.description]
        columns = [
            self._column(name, _UNKNOWN if first is None else first[i], known.get(name))
            for i, name in enumerate(names)
        ]
        return _Rows(columns, cursor, first)

    def close(self) -> None:
        self._driver.close()

    def _query(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._driver.execute(sql, args).fetchall()
        except Exception as error:
            raise translate(error) from error

    def _column(self, name: str, sample: Any, known: TableColumn | None) -> Column:
        declared = known.type if known is not None else ""
        # A computed column has no declaration: what its first value is decides.
        kind, precision, scale = _declared_kind(declared) if declared else (_kind_of(sample), 0, None)
        return Column(
            name=name,
            kind=kind,
            type=declared or kind.value,
            optional=known is None or known.nullable,
            precision=precision,
            scale=scale,
            decode=self._decoder(kind),
            auto_increment=known is not None and known.auto_increment,
            narrow=declared.upper() in ("INT", "INTEGER", "MEDIUMINT"),
            as_written=self._moment,
            compared=f"moment_us({self.quote(name)})" if kind in (Kind.TIMESTAMP, Kind.DATE) else None,
        )

    def _decoder(self, kind: Kind) -> Decode:
        if kind is Kind.TIMESTAMP:
            return lambda value: self.to_utc(_moment_of(value))
        return partial(_DECODERS[kind], kind)

    def _moment(self, moment: dt.datetime) -> str:
        return str(_micros(self.local(moment)))


class _Rows(CursorResult):
    """The first row is fetched already: it may tell a column's type."""

    def __init__(self, columns: Sequence[Column], cursor: sqlite3.Cursor, first: Any) -> None:
        super().__init__(columns, cursor, translate)
        self._first = first

    def fetch(self, count: int) -> list[tuple[Any, ...]]:
        first, self._first = self._first, None
        if first is None:
            return super().fetch(count)
        return [first, *super().fetch(count - 1)] if count > 1 else [first]


def _declared_kind(declared: str) -> tuple[Kind, int, int | None]:
    found = _DECLARATION.match(declared.upper())
    assert found is not None
    name = found[1].strip()
    kind = _KINDS.get(name)
    if kind is None:
        # SQLite's own rules of affinity, in their order.
        if "INT" in name:
            kind = Kind.INT64
        elif any(part in name for part in ("CHAR", "CLOB", "TEXT")):
            kind = Kind.STRING
        elif not name or "BLOB" in name:
            kind = Kind.BYTES if name else Kind.STRING
        elif any(part in name for part in ("REAL", "FLOA", "DOUB")):
            kind = Kind.FLOAT64
        else:
            kind = Kind.STRING
    if kind not in (Kind.DECIMAL, Kind.NUMERIC) or found[2] is None:
        return kind, 0, None
    return kind, int(found[2]), int(found[3] or 0)


def _kind_of(sample: Any) -> Kind:
    kinds: dict[type, Kind] = {int: Kind.INT64, float: Kind.FLOAT64, bytes: Kind.BYTES}
    if sample is _UNKNOWN:
        return Kind.INT64
    return kinds.get(type(sample), Kind.STRING)


def _integer(kind: Kind, value: Any) -> int:
    return int(value) if type(value) is int else _refused(kind, value)


def _boolean(kind: Kind, value: Any) -> bool:
    return bool(value) if value in (0, 1) else _refused(kind, value)


def _number(kind: Kind, value: Any) -> float:
    return float(value) if type(value) in (int, float) else _refused(kind, value)


def _decimal(kind: Kind, value: Any) -> Decimal:
    try:
        return Decimal(repr(value) if type(value) is float else value)
    except (ArithmeticError, TypeError, ValueError):
        _refused(kind, value)


def _text(kind: Kind, value: Any) -> str:
    return str(value) if type(value) in (str, int, float) else _refused(kind, value)


def _bytes(kind: Kind, value: Any) -> bytes:
    return value.encode() if type(value) is str else value if type(value) is bytes else _refused(kind, value)


def _date(kind: Kind, value: Any) -> dt.date:
    return _moment_of(value).date()


def _time(kind: Kind, value: Any) -> dt.time:
    if type(value) is str:
        try:
            return dt.time.fromisoformat(value)
        except ValueError:
            _refused(kind, value)
    return _moment_of(value).time()


def _moment_of(value: Any) -> dt.datetime:
    """Text, milliseconds since the epoch, or a Julian day: the three forms SQLite's own functions know."""
    try:
        if type(value) is str:
            return dt.datetime.fromisoformat(value)
        if type(value) is int:
            return _EPOCH + dt.timedelta(milliseconds=value)
        if type(value) is float:
            return _EPOCH + dt.timedelta(milliseconds=round((value - _JULIAN_EPOCH) * 86_400_000))
    except (ValueError, OverflowError):
        _refused(Kind.TIMESTAMP, value)
    raise DataError(f"{value!r} is no {Kind.TIMESTAMP.value}")


def _micros(moment: dt.datetime) -> int:
    return (moment.replace(tzinfo=None) - _EPOCH) // dt.timedelta(microseconds=1)


def _micros_of(value: Any) -> int | None:
    if value is None:
        return None
    moment = _moment_of(value)
    return _micros(moment if moment.tzinfo is None else moment.astimezone(dt.UTC))


def _refused(kind: Kind, value: Any) -> NoReturn:
    raise DataError(f"{value!r} is no {kind.value}")


_DECODERS: Final[dict[Kind, Any]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INT8: _integer,
    Kind.INT16: _integer,
    Kind.INT64: _integer,
    Kind.FLOAT64: _number,
    Kind.NUMERIC: _decimal,
    Kind.DECIMAL: _decimal,
    Kind.STRING: _text,
    Kind.BYTES: _bytes,
    Kind.DATE: _date,
    Kind.TIME: _time,
}
