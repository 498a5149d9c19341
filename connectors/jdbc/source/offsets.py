"""Source partitions and offsets of the SQL source, in the form Confluent's source stores them. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.jdbc.source.names import TableId
from replicator.api import ConnectError

INCREMENTING: Final = "incrementing"
TIMESTAMP: Final = "timestamp"
NANOS: Final = "timestamp_nanos"
QUERY_PARTITION: Final = {"query": "query"}
_EPOCH: Final = dt.datetime(1970, 1, 1)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Offset:
    """Where reading goes on: after this number, after this moment (naive UTC), or both."""

    incrementing: int | None = None
    timestamp: dt.datetime | None = None

    def to_map(self) -> dict[str, int]:
        """The offset as stored; what is not used is absent."""
        stored: dict[str, int] = {}
        if self.timestamp is not None:
            stored[NANOS] = self.timestamp.microsecond * 1000
        if self.incrementing is not None:
            stored[INCREMENTING] = self.incrementing
        if self.timestamp is not None:
            stored[TIMESTAMP] = (self.timestamp - _EPOCH) // _MICROSECOND // 1000
        return stored


def offset_of(stored: Mapping[str, Any] | None) -> Offset | None:
    """A stored offset; None where there is none.

    Raises:
        ConnectError: it has another form.
    """
    if not stored:
        return None
    numbers = {name: stored.get(name) for name in (INCREMENTING, TIMESTAMP, NANOS)}
    for name, number in numbers.items():
        if number is not None and type(number) is not int:
            raise ConnectError(f"The stored offset's {name} is {number!r}, not an integer")
    return Offset(numbers[INCREMENTING], moment_of(numbers[TIMESTAMP], numbers[NANOS]))


def moment_of(millis: int | None, nanos: int | None = None) -> dt.datetime | None:
    """Milliseconds since the epoch, and nanoseconds within the second, as a naive UTC moment."""
    if millis is None:
        return None
    try:
        moment = _EPOCH + dt.timedelta(milliseconds=millis)
    except OverflowError:
        raise ConnectError(f"The timestamp {millis} is beyond the calendar") from None
    return moment if nanos is None else moment.replace(microsecond=nanos // 1000)


def partition_of(table: TableId | None) -> dict[str, str]:
    """The source partition of a table, or of the query."""
    return dict(QUERY_PARTITION) if table is None else {"protocol": "1", "table": str(table)}


def older_partitions(table: TableId | None) -> list[dict[str, str]]:
    """Partitions under which earlier versions stored the same table's offset."""
    if table is None:
        return []
    full = [{"protocol": "1", "table": f"{table.database}.{table}"}] if table.database else []
    return [*full, {"table": table.name}]
