"""Reading from Postgres: named cursors, and every type but numbers, text and bytes as the text it prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, Final

import psycopg
from psycopg.postgres import types as builtin_types
from psycopg.types.string import TextLoader

from connectors.jdbc.dialects.postgres import connect_arguments
from connectors.jdbc.dialects.postgres_errors import translate
from connectors.jdbc.source.names import TableId
from connectors.jdbc.source.reading import (
    Column,
    CursorResult,
    Decode,
    Kind,
    Reader,
    Result,
    TableColumn,
    parse_time,
    parsed,
)
from connectors.jdbc.url import TargetUrl
from replicator.api import DataError

_NATIVE: Final = {
    "bool": Kind.BOOLEAN,
    "int2": Kind.INT16,
    "int4": Kind.INT32,
    "int8": Kind.INT64,
    "oid": Kind.INT64,
    "float4": Kind.FLOAT32,
    "float8": Kind.FLOAT64,
    "numeric": Kind.NUMERIC,
    "text": Kind.STRING,
    "varchar": Kind.STRING,
    "bpchar": Kind.STRING,
    "name": Kind.STRING,
    "bytea": Kind.BYTES,
}
"""Types whose values the driver makes."""

_TEXTUAL: Final = {
    "char": Kind.STRING,
    "json": Kind.STRING,
    "jsonb": Kind.STRING,
    "uuid": Kind.STRING,
    "xml": Kind.STRING,
    "unknown": Kind.STRING,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "timetz": Kind.TIME,
    "timestamp": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMP,
}

_RELATIONS: Final = {
    "r": "TABLE",
    "p": "PARTITIONED TABLE",
    "v": "VIEW",
    "m": "MATERIALIZED VIEW",
    "f": "FOREIGN TABLE",
}
_TABLES: Final = (
    "SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence='t', "
    "n.nspname IN ('pg_catalog','information_schema','pg_toast') FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE c.relkind IN ('r','p','v','m','f') "
    "ORDER BY 1, 2"
)
_COLUMNS: Final = (
    "SELECT a.attname::text, NOT a.attnotnull, a.attidentity<>'' OR "
    "COALESCE(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%', false) FROM pg_catalog.pg_attribute a "
    "JOIN pg_catalog.pg_class c ON c.oid=a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid=a.attrelid AND d.adnum=a.attnum "
    "WHERE n.nspname=COALESCE(%s::text, current_schema()::text) AND c.relname=%s::text "
    "AND a.attnum>0 AND NOT a.attisdropped ORDER BY a.attnum"
)
_TYPE: Final = "SELECT typname::text, typtype::text FROM pg_catalog.pg_type WHERE oid=%s"
_SESSION: Final = (
    "SET TIME ZONE 'UTC'; SET datestyle='ISO,YMD'; SET extra_float_digits=1; SET client_encoding='UTF8'"
)


class PostgresReader(Reader):
    """See `Reader`."""

    def __init__(self, url: TargetUrl, zone: dt.tzinfo, isolation: str, name: str) -> None:
        super().__init__(url, zone, isolation, name)
        self._cursors = count(1)
        self._user_types: dict[int, tuple[str, str]] = {}
        try:
            self._driver: psycopg.Connection[Any] = psycopg.connect(
                **connect_arguments(url, self.application)
            )
            _read_as_text(self._driver)
            self._driver.execute(_SESSION)
            if self.isolation:
                self._driver.execute(
                    f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {self.isolation}".encode()
                )
            if "currentSchema" in url.options:
                self._driver.execute(
                    "SELECT set_config('search_path', %s, false)", [url.options["currentSchema"]]
                )
            self._driver.commit()
        except Exception as error:
            raise translate(error) from error

    def quote(self, name: str) -> str:
        return f'"{name.replace(chr(34), chr(34) * 2)}"'

    def tables(self, types: frozenset[str]) -> list[TableId]:
        database = self._driver.info.dbname
        found = []
        for schema, name, relation, temporary, system in self._query(_TABLES):
            kind = _RELATIONS[relation]
            if temporary:
                kind = "LOCAL TEMPORARY"
            elif system:
                kind = f"SYSTEM {kind}"
            if kind in types:
                found.append(TableId(None, schema, name, database))
        return found

    def table_columns(self, table: TableId) -> dict[str, TableColumn]:
        rows = self._query(_COLUMNS, (table.schema, table.name))
        return {name: TableColumn(nullable, automatic) for name, nullable, automatic in rows}

    def now(self) -> dt.datetime:
        found: str = self._query("SELECT CURRENT_TIMESTAMP")[0][0]
        return self.to_utc(dt.datetime.fromisoformat(found))

    def select(self, sql: str, known: Mapping[str, TableColumn]) -> Result:
        cursor = self._driver.cursor(name=f"source_{next(self._cursors)}")
        try:
            cursor.execute(sql.encode())
            answer = cursor.pgresult
            assert answer is not None
            described = [(answer.fname(i), answer.ftype(i), answer.fmod(i)) for i in range(answer.nfields)]
            columns = [
                self._column((name or b"").decode(), oid, modifier, known)
                for name, oid, modifier in described
            ]
        except Exception as error:
            self._abandon()
            raise translate(error) from error
        return _Rows(columns, cursor, self._driver)

    def close(self) -> None:
        self._driver.close()

    def _query(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        try:
            rows = [tuple(row) for row in self._driver.execute(sql.encode(), args).fetchall()]
            self._driver.commit()
        except Exception as error:
            self._abandon()
            raise translate(error) from error
        return rows

    def _abandon(self) -> None:
        """Leave a failed transaction, as far as the session still lives."""
        try:
            self._driver.rollback()
        except psycopg.Error:
            self._driver.close()

    def _column(self, name: str, oid: int, modifier: int, known: Mapping[str, TableColumn]) -> Column:
        from_catalog = known.get(name)
        precision, scale = _digits(modifier)
        type_, kind, decode = self._type(oid, modifier)
        return Column(
            name=name,
            kind=kind,
            type=type_,
            optional=from_catalog is None or from_catalog.nullable,
            precision=precision if kind is Kind.NUMERIC else 0,
            scale=scale if kind is Kind.NUMERIC else None,
            decode=decode,
            auto_increment=from_catalog is not None and from_catalog.auto_increment,
            as_written=self._moment if kind in (Kind.TIMESTAMP, Kind.DATE) else None,
        )

    def _type(self, oid: int, modifier: int) -> tuple[str, Kind, Decode | None]:
        info = builtin_types.get(oid)
        if info is not None and oid == info.array_oid:
            return f"{info.name}[]", Kind.OTHER, None
        if info is None:
            name, category = self._user_type(oid)
            return name, Kind.STRING if category == "e" else Kind.OTHER, None
        if info.name == "bit":
            return (info.name, *_bits(modifier))
        kind = _NATIVE.get(info.name) or _TEXTUAL.get(info.name, Kind.OTHER)
        return info.name, kind, self._decoder(info.name)

    def _decoder(self, type_: str) -> Decode | None:
        decoders: dict[str, Callable[[str], Any]] = {
            "date": dt.date.fromisoformat,
            "time": parse_time,
            "timetz": _utc_time,
            "timestamp": lambda text: self.to_utc(dt.datetime.fromisoformat(text)),
            "timestamptz": lambda text: self.to_utc(dt.datetime.fromisoformat(text)),
        }
        parse = decoders.get(type_)
        return None if parse is None else partial(parsed, what=type_, parse=parse)

    def _user_type(self, oid: int) -> tuple[str, str]:
        if oid not in self._user_types:
            # In the query's own transaction: a commit here would end it.
            rows = self._driver.execute(_TYPE, (oid,)).fetchall()
            self._user_types[oid] = (rows[0][0], rows[0][1]) if rows else (str(oid), "b")
        return self._user_types[oid]

    def _moment(self, moment: dt.datetime) -> str:
        # timestamp ignores the offset, timestamptz the clock that was meant: right for both.
        local = moment.replace(tzinfo=dt.UTC).astimezone(self.zone)
        return f"'{local.isoformat(' ')}'"


class _Rows(CursorResult):
    def __init__(self, columns: Sequence[Column], cursor: Any, driver: psycopg.Connection[Any]) -> None:
        super().__init__(columns, cursor, translate)
        self._driver = driver

    def close(self) -> None:
        try:
            self._cursor.close()
            self._driver.commit()
        except Exception as error:
            raise translate(error) from error


def _read_as_text(driver: psycopg.Connection[Any]) -> None:
    """Everything but what `_NATIVE` lists comes as text, arrays too."""
    for info in builtin_types:
        if info.name not in _NATIVE:
            driver.adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            driver.adapters.register_loader(info.array_oid, TextLoader)


def _digits(modifier: int) -> tuple[int, int | None]:
    """Precision and scale of a numeric; (0, None) where none were declared."""
    if modifier < 4:
        return 0, None
    scale = (modifier - 4) & 0x7FF
    return (modifier - 4) >> 16 & 0xFFFF, scale - 0x800 if scale >= 0x400 else scale


def _bits(length: int) -> tuple[Kind, Decode]:
    if length == 1:
        return Kind.BOOLEAN, lambda text: text == "1"
    if length <= 8:
        return Kind.INT8, lambda text: _signed(int(text, 2))
    return Kind.BYTES, lambda text: int(text, 2).to_bytes((len(text) + 7) // 8, "big")


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _utc_time(text: str) -> dt.time:
    """A time with zone, as the time in UTC."""
    time = dt.time.fromisoformat(text)
    offset = time.utcoffset()
    if offset is None:
        raise DataError(f"{text} has no zone")
    return (dt.datetime.combine(dt.date(1970, 1, 2), time.replace(tzinfo=None)) - offset).time()
