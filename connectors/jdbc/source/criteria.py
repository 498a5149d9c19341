"""The SQL of each mode: conditions and order that find the rows behind an offset. Pure.

Values stand in the text as literals: they are numbers and moments only, and a user's query may hold any
character that a driver would take for a parameter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.jdbc.source.names import Quote
from connectors.jdbc.source.offsets import Offset
from connectors.jdbc.source.reading import Column, Kind
from connectors.jdbc.source.schemas import is_integer
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import ConfigError, ConnectError, DataError


@dataclass(frozen=True, slots=True)
class Criteria:
    """The columns rows are found by; either may be missing.

    Attributes:
        incrementing: the incrementing column.
        timestamps: the timestamp columns; the first that is not null counts.
        quote: how names are written.
    """

    incrementing: Column | None
    timestamps: tuple[Column, ...]
    quote: Quote

    def clause(self, offset: Offset, end: dt.datetime | None) -> str:
        """` WHERE ... ORDER BY ...`; without a stored offset there is no lower bound."""
        conditions = [c for c in (self._upper(end), self._lower(offset)) if c]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = [part for part in (self._time(), self._number()) if part]
        return f"{where} ORDER BY {','.join(f'{part} ASC' for part in order)}"

    def _lower(self, offset: Offset) -> str:
        time, number = self._time(), self._number()
        if time and offset.timestamp is not None:
            moment = self._moment(offset.timestamp)
            if number and offset.incrementing is not None:
                return f"(({time} = {moment} AND {number} > {offset.incrementing}) OR {time} > {moment})"
            # timestamp.initial with numbers: every row of that moment is still to come.
            if number:
                return f"{time} >= {moment}"
            return f"{time} > {moment}"
        if number and not time and offset.incrementing is not None:
            return f"{number} > {offset.incrementing}"
        return ""

    def _upper(self, end: dt.datetime | None) -> str:
        time = self._time()
        return f"{time} < {self._moment(end)}" if time and end is not None else ""

    def _time(self) -> str:
        names = [column.compared or self.quote(column.name) for column in self.timestamps]
        return names[0] if len(names) == 1 else f"COALESCE({','.join(names)})" if names else ""

    def _number(self) -> str:
        return "" if self.incrementing is None else self.quote(self.incrementing.name)

    def _moment(self, moment: dt.datetime) -> str:
        write = self.timestamps[0].as_written
        assert write is not None
        return write(moment)


def find_criteria(
    what: str,
    columns: Sequence[Column],
    incrementing: str,
    timestamps: Sequence[str],
    settings: SourceSettings,
    quote: Quote,
) -> Criteria:
    """The columns a mode needs, checked.

    Raises:
        ConfigError: one is missing, is of another type, or allows NULL though that was to be refused.
    """
    times: tuple[Column, ...] = ()
    number: Column | None = None
    if settings.uses_timestamps:
        times = tuple(_named(what, columns, name, "timestamp.column.name") for name in timestamps)
        _check_times(what, times, settings)
    if settings.uses_incrementing:
        number = _incrementing(what, columns, incrementing)
        if settings.validate_non_null and number.optional:
            raise ConfigError(
                f"Cannot make incremental queries using incrementing column {number.name} on {what} because this "
                "column is nullable.",
                option="incrementing.column.name",
                hint="Declare it NOT NULL, or set validate.non.null=false.",
            )
    return Criteria(number, times, quote)


def _incrementing(what: str, columns: Sequence[Column], name: str) -> Column:
    option = "incrementing.column.name"
    if name:
        found = _named(what, columns, name, option)
    else:
        automatic = [column for column in columns if column.auto_increment]
        if len(automatic) != 1:
            how_many = "More than one auto-increment column" if automatic else "No auto-increment column"
            raise ConfigError(f"{how_many} found in {what}.", option=option, hint=f"Set {option}.")
        found = automatic[0]
    if not is_integer(found):
        raise ConfigError(
            f"Invalid type for incrementing column: {found.name} of {what} is {found.type}", option=option
        )
    return found


def _check_times(what: str, times: Sequence[Column], settings: SourceSettings) -> None:
    option = "timestamp.column.name"
    for column in times:
        if column.kind not in (Kind.TIMESTAMP, Kind.DATE) or column.as_written is None:
            raise ConfigError(f"Timestamp column {column.name} of {what} is {column.type}", option=option)
    if settings.zone is not dt.UTC and len({column.type for column in times}) > 1:
        raise ConfigError(
            f"The timestamp columns of {what} are of different types, which db.timezone makes ambiguous",
            option=option,
        )
    if settings.validate_non_null and all(column.optional for column in times):
        names = ", ".join(column.name for column in times)
        raise ConfigError(
            f"Cannot make incremental queries using timestamp columns [{names}] on {what} because all of these "
            "columns are nullable.",
            option=option,
            hint="Declare one NOT NULL, or set validate.non.null=false.",
        )


def _named(what: str, columns: Sequence[Column], name: str, option: str) -> Column:
    """The column called so: exactly, else the only one that differs in case alone."""
    for column in columns:
        if column.name == name:
            return column
    alike = [column for column in columns if column.name.lower() == name.lower()]
    if len(alike) > 1:
        raise DataError(f"Column {name} of {what} is ambiguous: {', '.join(c.name for c in alike)}")
    if not alike:
        kind = "Incrementing" if option.startswith("incrementing") else "Timestamp"
        raise ConfigError(f"{kind} column: {name} does not exist in {what}.", option=option)
    return alike[0]


def number_in(column: Column, value: Any) -> int:
    """The incrementing value of a row.

    Raises:
        ConnectError: it is null, or no integer that Connect's INT64 holds.
    """
    if value is None:
        raise ConnectError(f"Null value for incrementing column of type: {column.name} ({column.type})")
    number = int(value)
    if number != value or not -(2**63) <= number < 2**63:
        raise ConnectError(f"Invalid value for incrementing column {column.name}: {value}")
    return number


def moment_in(columns: Sequence[Column], values: Sequence[Any], zone: dt.tzinfo) -> dt.datetime:
    """The moment of a row: the first timestamp column that is not null.

    Raises:
        ConnectError: all of them are null.
    """
    for column, value in zip(columns, values, strict=True):
        decoded = column.decode(value) if value is not None and column.decode is not None else value
        if isinstance(decoded, dt.datetime):
            return decoded
        if isinstance(decoded, dt.date):
            midnight = dt.datetime.combine(decoded, dt.time(), tzinfo=zone)
            return midnight.astimezone(dt.UTC).replace(tzinfo=None)
    raise ConnectError(f"A row without a value in {', '.join(c.name for c in columns)}")
