"""What the SQL source asks of a database: its tables and columns, its clock, and rows in small portions.

A `Reader` is one session and belongs to one thread. Result sets stay on the server and are fetched in portions,
so that memory is bounded. Drivers' errors leave it only as the service's own (INV-6).
"""

from __future__ import annotations

import abc
import datetime as dt
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from connectors.jdbc.source.names import TableId
from connectors.jdbc.url import TargetUrl
from replicator.api import DataError


class Kind(enum.Enum):
    """What a column holds, by JDBC's types."""

    BOOLEAN = "BOOLEAN"
    INT8 = "TINYINT"
    INT16 = "SMALLINT"
    INT32 = "INTEGER"
    INT64 = "BIGINT"
    FLOAT32 = "REAL"
    FLOAT64 = "DOUBLE"
    NUMERIC = "NUMERIC"
    DECIMAL = "DECIMAL"
    STRING = "VARCHAR"
    BYTES = "BINARY"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    OTHER = "OTHER"


INTEGERS = frozenset({Kind.INT8, Kind.INT16, Kind.INT32, Kind.INT64})
NUMBERS = frozenset({Kind.NUMERIC, Kind.DECIMAL})

Decode = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a result.

    Attributes:
        name: its name or alias.
        kind: what it holds.
        type: the database's own word for its type.
        optional: whether it may be NULL.
        precision: digits of a number, 0 if not declared.
        scale: fraction digits of a number, None if not declared.
        decode: the driver's value -> int, str, bytes, bool, float, Decimal, date, time, or a naive UTC datetime.
        auto_increment: the database counts it up.
        as_written: writes a moment as a literal comparable with this column.
        compared: expression that is compared in place of the column.
        narrow: a 64 bit integer that the reference takes for a 32 bit one while its values fit.
    """

    name: str
    kind: Kind
    type: str = ""
    optional: bool = True
    precision: int = 0
    scale: int | None = None
    decode: Decode | None = None
    auto_increment: bool = False
    as_written: Callable[[dt.datetime], str] | None = None
    compared: str | None = None
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class TableColumn:
    """What only the catalog knows of a column."""

    nullable: bool
    auto_increment: bool = False
    type: str = ""


class Result(abc.ABC):
    """An open query; rows stay at the database until they are fetched."""

    columns: Sequence[Column]

    @abc.abstractmethod
    def fetch(self, count: int) -> list[tuple[Any, ...]]:
        """The next rows, at most `count`; empty at the end."""

    @abc.abstractmethod
    def close(self) -> None:
        """End the query and its transaction; only after the last row."""


class CursorResult(Result):
    """A driver's cursor; `translate` makes our errors of the driver's."""

    def __init__(
        self, columns: Sequence[Column], cursor: Any, translate: Callable[[Exception], Exception]
    ) -> None:
        self.columns = columns
        self._cursor = cursor
        self._translate = translate

    def fetch(self, count: int) -> list[tuple[Any, ...]]:
        try:
            return list(self._cursor.fetchmany(count))
        except Exception as error:
            raise self._translate(error) from error

    def close(self) -> None:
        self._cursor.close()


class Reader(abc.ABC):
    """One session on a database."""

    name_parts: ClassVar[tuple[bool, bool]] = (False, True)
    """Whether catalogs and schemas are parts of a table's name."""

    def __init__(self, url: TargetUrl, zone: dt.tzinfo, isolation: str, name: str) -> None:
        self.url = url
        self.zone = zone
        self.isolation = "" if isolation == "DEFAULT" else isolation.replace("_", " ")
        self.application = name

    @abc.abstractmethod
    def quote(self, name: str) -> str:
        """One identifier, quoted."""

    @abc.abstractmethod
    def tables(self, types: frozenset[str]) -> list[TableId]:
        """Tables of these kinds, sorted."""

    @abc.abstractmethod
    def table_columns(self, table: TableId) -> dict[str, TableColumn]:
        """Columns by name; empty when there is no such table."""

    def query_columns(self, query: str) -> dict[str, TableColumn]:
        """What the catalog knows of a query's columns, where the result itself does not tell."""
        return {}

    @abc.abstractmethod
    def now(self) -> dt.datetime:
        """The database's clock, naive in UTC."""

    @abc.abstractmethod
    def select(self, sql: str, known: Mapping[str, TableColumn]) -> Result:
        """Run a query; `known` is what the catalog says of its columns."""

    @abc.abstractmethod
    def close(self) -> None:
        """End the session and whatever runs in it; never raises."""

    def select_list(self, source: str, known: Mapping[str, TableColumn]) -> str:
        """What to select from a table or derived table to get every column with all its digits."""
        return "*"

    def describe(self, source: str, known: Mapping[str, TableColumn]) -> Sequence[Column]:
        """Columns of `SELECT * FROM source`, without its rows."""
        result = self.select(f"SELECT * FROM {source} WHERE 1=0", known)
        result.fetch(1)
        result.close()
        return result.columns

    def local(self, moment: dt.datetime) -> dt.datetime:
        """A naive UTC moment as the clock of `db.timezone` showed it."""
        if self.zone is dt.UTC:
            return moment
        return moment.replace(tzinfo=dt.UTC).astimezone(self.zone).replace(tzinfo=None)

    def to_utc(self, moment: dt.datetime) -> dt.datetime:
        """A time read from the database as a naive UTC moment; one without a zone is of `db.timezone`."""
        if moment.tzinfo is None:
            if self.zone is dt.UTC:
                return moment
            moment = moment.replace(tzinfo=self.zone)
        return moment.astimezone(dt.UTC).replace(tzinfo=None)


def parsed(text: str, what: str, parse: Callable[[str], Any]) -> Any:
    """`parse(text)`, refused as a data error where Python's calendar has no such value."""
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise DataError(f"{text} is a {what} that Connect's types cannot hold") from None


def parse_time(text: str) -> dt.time:
    """A time of day; 24:00:00 and beyond have no form."""
    return dt.time.fromisoformat(text)
