"""Reading from MySQL and MariaDB: unbuffered result sets, values from the text protocol."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

import pymysql
from pymysql.constants import FIELD_TYPE, FLAG
from pymysql.converters import encoders
from pymysql.cursors import SSCursor

from connectors.jdbc.dialects.mysql_connection import connect_arguments
from connectors.jdbc.dialects.mysql_errors import translate
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

_BINARY: Final = 63
_SIGNED: Final = {
    FIELD_TYPE.TINY: Kind.INT8,
    FIELD_TYPE.SHORT: Kind.INT16,
    FIELD_TYPE.INT24: Kind.INT32,
    FIELD_TYPE.LONG: Kind.INT32,
    FIELD_TYPE.LONGLONG: Kind.INT64,
}
_UNSIGNED: Final = {
    FIELD_TYPE.TINY: Kind.INT16,
    FIELD_TYPE.SHORT: Kind.INT32,
    FIELD_TYPE.INT24: Kind.INT64,
    FIELD_TYPE.LONG: Kind.INT64,
    FIELD_TYPE.LONGLONG: Kind.INT64,
}
_OTHERS: Final = {
    FIELD_TYPE.FLOAT: Kind.FLOAT32,
    FIELD_TYPE.DOUBLE: Kind.FLOAT64,
    FIELD_TYPE.DECIMAL: Kind.DECIMAL,
    FIELD_TYPE.NEWDECIMAL: Kind.DECIMAL,
    FIELD_TYPE.TIMESTAMP: Kind.TIMESTAMP,
    FIELD_TYPE.DATETIME: Kind.TIMESTAMP,
    FIELD_TYPE.DATE: Kind.DATE,
    FIELD_TYPE.NEWDATE: Kind.DATE,
    FIELD_TYPE.YEAR: Kind.DATE,
    FIELD_TYPE.TIME: Kind.TIME,
    FIELD_TYPE.JSON: Kind.STRING,
    FIELD_TYPE.ENUM: Kind.STRING,
    FIELD_TYPE.SET: Kind.STRING,
    FIELD_TYPE.GEOMETRY: Kind.BYTES,
    FIELD_TYPE.NULL: Kind.STRING,
}
_CONVERSIONS: Final[dict[Any, Any]] = {
    **encoders,
    **dict.fromkeys(_SIGNED, int),
    FIELD_TYPE.FLOAT: float,
    FIELD_TYPE.DOUBLE: float,
    FIELD_TYPE.DECIMAL: Decimal,
    FIELD_TYPE.NEWDECIMAL: Decimal,
    FIELD_TYPE.YEAR: int,
}
_NAMES: Final = {code: name for name, code in vars(FIELD_TYPE).items() if name.isupper()}
_SYSTEM: Final = ("mysql", "information_schema", "performance_schema", "sys", "ndbinfo")
_TABLES: Final = "SELECT table_schema, table_name, table_type FROM information_schema.tables ORDER BY 1, 2"
_COLUMNS: Final = (
    "SELECT column_name, is_nullable='YES', extra LIKE '%%auto_increment%%', data_type FROM information_schema.columns "
    "WHERE table_schema=COALESCE(%s, DATABASE()) AND table_name=%s ORDER BY ordinal_position"
)
# A reader that is paused must not lose its result set after a minute.
_SESSION: Final = "SET SESSION time_zone='+00:00', net_write_timeout=86400, autocommit=1"
_FLOAT: Final = "float"
_MAX_LONG: Final = 2**63 - 1


class MySqlReader(Reader):
    """See `Reader`."""

    name_parts: ClassVar[tuple[bool, bool]] = (True, False)

    def __init__(self, url: TargetUrl, zone: dt.tzinfo, isolation: str, name: str) -> None:
        super().__init__(url, zone, isolation, name)
        self._zero_dates = url.options.get("zeroDateTimeBehavior", "EXCEPTION").upper().replace("_", "")
        self._cast: frozenset[str] = frozenset()
        try:
            # The driver's signature knows nothing of keyword arguments in a map.
            options: dict[str, Any] = connect_arguments(url) | {
                "conv": _CONVERSIONS,
                "program_name": self.application,
            }
            if not {"read_timeout", "socketTimeout"} & url.options.keys():
                # A query may sort for hours before its first row; keepalive finds a server that is gone.
                options["read_timeout"] = None
            self._driver: Any = pymysql.connect(**options)
            self._run(_SESSION)
            if self.isolation:
                self._run(f"SET SESSION TRANSACTION ISOLATION LEVEL {self.isolation}")
        except Exception as error:
            raise translate(error) from error

    def quote(self, name: str) -> str:
        return f"`{name.replace('`', '``')}`"

    def tables(self, types: frozenset[str]) -> list[TableId]:
        rows = self._query(_TABLES)
        found = []
        for database, name, relation in rows:
            kind = relation.upper().replace("BASE TABLE", "TABLE").replace("SEQUENCE", "SYSTEM TABLE")
            if database.lower() in _SYSTEM:
                kind = f"SYSTEM {kind.removeprefix('SYSTEM ')}"
            if kind in types:
                found.append(TableId(database, None, name))
        return found

    def table_columns(self, table: TableId) -> dict[str, TableColumn]:
        rows = self._query(_COLUMNS, (table.catalog, table.name))
        return {name: TableColumn(bool(null), bool(auto), type_.lower()) for name, null, auto, type_ in rows}

    def now(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self._query("SELECT UTC_TIMESTAMP(6)")[0][0])

    def select(self, sql: str, known: Mapping[str, TableColumn]) -> Result:
        try:
            cursor = self._driver.cursor(SSCursor)
            cursor.execute(sql)
            fields = cursor._result.fields
        except Exception as error:
            raise translate(error) from error
        columns = [self._column(field, known.get(field.name)) for field in fields]
        self._cast = frozenset()
        return CursorResult(columns, cursor, translate)

    def select_list(self, source: str, known: Mapping[str, TableColumn]) -> str:
        # A float is printed with six digits only; the double it becomes with all.
        if known:
            floats = {name: column.type == _FLOAT for name, column in known.items()}
        else:
            floats = {column.name: column.kind is Kind.FLOAT32 for column in self.describe(source, known)}
        if not any(floats.values()):
            return "*"
        self._cast = frozenset(name for name, is_float in floats.items() if is_float)
        quoted = ((self.quote(name), is_float) for name, is_float in floats.items())
        return ",".join(
            f"CAST({name} AS DOUBLE) AS {name}" if is_float else name for name, is_float in quoted
        )

    def close(self) -> None:
        # Not the polite way: that would read an unfinished result set to its end first.
        driver = self._driver
        if driver._result is not None:
            driver._result.unbuffered_active = False
            driver._result = None
        driver._force_close()

    def _query(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        try:
            with self._driver.cursor() as cursor:
                cursor.execute(sql, args)
                return list(cursor.fetchall())
        except Exception as error:
            raise translate(error) from error

    def _run(self, sql: str) -> None:
        with self._driver.cursor() as cursor:
            cursor.execute(sql)

    def _column(self, field: Any, known: TableColumn | None) -> Column:
        kind, decode = self._type(field)
        if kind is Kind.FLOAT64 and field.name in self._cast:
            kind, decode = Kind.FLOAT32, _shortest
        unsigned = bool(field.flags & FLAG.UNSIGNED)
        scale = field.scale if kind is Kind.DECIMAL else None
        precision = field.length - (1 if scale else 0) - (0 if unsigned else 1) if kind is Kind.DECIMAL else 0
        zoned = field.type_code == FIELD_TYPE.TIMESTAMP
        return Column(
            name=field.name,
            kind=kind,
            type=_NAMES.get(field.type_code, str(field.type_code)).lower(),
            optional=not field.flags & FLAG.NOT_NULL if known is None else known.nullable,
            precision=precision,
            scale=scale,
            decode=decode,
            auto_increment=bool(field.flags & FLAG.AUTO_INCREMENT),
            as_written=partial(self._moment, zoned) if kind in (Kind.TIMESTAMP, Kind.DATE) else None,
        )

    def _type(self, field: Any) -> tuple[Kind, Decode | None]:
        code = field.type_code
        if code in _SIGNED:
            unsigned = field.flags & FLAG.UNSIGNED
            decode = _in_range if unsigned and code == FIELD_TYPE.LONGLONG else None
            return (_UNSIGNED if unsigned else _SIGNED)[code], decode
        if code == FIELD_TYPE.BIT:
            return (Kind.INT8, _small_bits) if field.length <= 8 else (Kind.BYTES, None)
        kind = _OTHERS.get(code)
        if kind is not None:
            return kind, self._decoder(code)
        return (Kind.BYTES if field.charsetnr == _BINARY else Kind.STRING), None

    def _decoder(self, code: int) -> Decode | None:
        if code in (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE):
            return self._unless_zero(dt.date.fromisoformat, "date")
        if code == FIELD_TYPE.DATETIME:
            return self._unless_zero(lambda t: self.to_utc(dt.datetime.fromisoformat(t)), "datetime")
        if code == FIELD_TYPE.TIMESTAMP:
            return self._unless_zero(dt.datetime.fromisoformat, "timestamp")
        if code == FIELD_TYPE.YEAR:
            return self._year
        if code == FIELD_TYPE.TIME:
            return partial(parsed, what="time", parse=parse_time)
        return None

    def _unless_zero(self, parse: Any, what: str) -> Decode:
        def decode(text: str) -> Any:
            if text.startswith("0000-00-00"):
                return self._zero(text)
            return parsed(text, what, parse)

        return decode

    def _year(self, year: int) -> dt.date | None:
        return dt.date(year, 1, 1) if year else self._zero("0000")

    def _zero(self, text: str) -> Any:
        """A zero date, by Connector/J's option."""
        if self._zero_dates == "CONVERTTONULL":
            return None
        if self._zero_dates == "ROUND":
            return dt.date(1, 1, 1) if len(text) <= 10 else dt.datetime(1, 1, 1)
        raise DataError(
            f"{text} is no date",
            hint="Add zeroDateTimeBehavior=CONVERT_TO_NULL to connection.url to read NULL.",
        )

    def _moment(self, zoned: bool, moment: dt.datetime) -> str:
        shown = moment if zoned else self.local(moment)
        return f"'{shown.isoformat(' ', 'microseconds')}'"


def _in_range(value: int) -> int:
    if value > _MAX_LONG:
        raise DataError(f"{value} is beyond Connect's INT64", hint="Select it as text in a query.")
    return value


def _shortest(value: float) -> float:
    """The shortest number that is the same single: 1.1, not 1.100000023841858."""
    single = struct.pack("f", value)
    return next(
        n for n in (float(f"{value:.{digits}g}") for digits in (6, 7, 8, 9)) if struct.pack("f", n) == single
    )


def _small_bits(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=len(value) == 1)
