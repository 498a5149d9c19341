"""Reading from SQLite: types are those of the declarations; values that do not fit them are refused (INV-7)."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final
from urllib.parse import quote

from connectors.jdbc.dialects.sqlite_connection import translate
from connectors.jdbc.source.names import TableId
from connectors.jdbc.source.reading import Column, CursorResult, Decode, Kind, Reader, Result, TableColumn
from connectors.jdbc.source.sqlite_values import (
    DECODERS,
    UNKNOWN,
    declared_kind,
    kind_of,
    micros,
    micros_of,
    moment_of,
)
from connectors.jdbc.url import TargetUrl

_VIEW: Final = "replicator_query"


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
            self._driver.create_function("moment_us", 1, micros_of, deterministic=True)
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
            self._column(name, UNKNOWN if first is None else first[i], known.get(name))
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
        kind, precision, scale = declared_kind(declared) if declared else (kind_of(sample), 0, None)
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
            return lambda value: self.to_utc(moment_of(value))
        return partial(DECODERS[kind], kind)

    def _moment(self, moment: dt.datetime) -> str:
        return str(micros(self.local(moment)))


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
