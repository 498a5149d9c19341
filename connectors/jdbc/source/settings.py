"""Settings of the SQL source: one frozen form of its options, checked together. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from connectors.jdbc.source.names import TableFilter, TableId
from connectors.jdbc.source.options import (
    BULK,
    INCREMENTING,
    TIMESTAMP,
    TIMESTAMP_INCREMENTING,
)
from connectors.jdbc.url import TargetUrl
from replicator.api import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """What the source shall do; see `options`.

    Attributes:
        url: the database.
        filter: which tables.
        mode: one of `MODES`.
        incrementing: name of the incrementing column, or "".
        timestamps: names of the timestamp columns.
        incrementing_by_table: (regex of full names, column).
        timestamps_by_table: (regex of full names, columns).
        query: the user's SELECT, or "".
        masked: the query is shown nowhere.
        zone: zone of times without one.
        every_decimal: numeric.mapping also means DECIMAL columns.
        plain_numeric: a numeric without a scale gets scale 127, as Confluent's source does.
    """

    url: TargetUrl
    attempts: int = 3
    backoff_ms: int = 10000
    filter: TableFilter = field(default_factory=TableFilter)
    mode: str = BULK
    incrementing: str = ""
    timestamps: tuple[str, ...] = ()
    incrementing_by_table: tuple[tuple[str, str], ...] = ()
    timestamps_by_table: tuple[tuple[str, tuple[str, ...]], ...] = ()
    timestamp_initial: int | None = None
    validate_non_null: bool = True
    query: str = ""
    masked: bool = False
    wrapped: bool = True
    suffix: str = ""
    retries: int = -1
    quote: bool = True
    isolation: str = "DEFAULT"
    poll_interval: float = 5.0
    batch: int = 1000
    table_poll_interval: float = 60.0
    startup_limit: float = 10.0
    prefix: str = ""
    delay_ms: int = 0
    zone: dt.tzinfo = dt.UTC
    granularity: str = "connect_logical"
    numeric: str = "none"
    every_decimal: bool = False
    plain_numeric: bool = True
    unsupported: str = "drop"

    @property
    def uses_timestamps(self) -> bool:
        """Whether rows are found by time."""
        return self.mode in (TIMESTAMP, TIMESTAMP_INCREMENTING)

    @property
    def uses_incrementing(self) -> bool:
        """Whether rows are found by a growing number."""
        return self.mode in (INCREMENTING, TIMESTAMP_INCREMENTING)

    def incrementing_of(self, table: TableId | None) -> str:
        """The incrementing column of a table, or "" for its auto-increment column.

        Raises:
            ConfigError: not exactly one entry of the mapping means the table.
        """
        if table is None or not self.incrementing_by_table:
            return self.incrementing
        found: str = _only("incrementing.column.mapping", self.incrementing_by_table, table)
        return found

    def timestamps_of(self, table: TableId | None) -> tuple[str, ...]:
        """The timestamp columns of a table.

        Raises:
            ConfigError: not exactly one entry of the mapping means the table.
        """
        if table is None or not self.timestamps_by_table:
            return self.timestamps
        found: tuple[str, ...] = _only("timestamp.columns.mapping", self.timestamps_by_table, table)
        return found


def _only(option: str, entries: tuple[tuple[str, Any], ...], table: TableId) -> Any:
    found = [value for pattern, value in entries if re.fullmatch(pattern, str(table))]
    if len(found) != 1:
        many = "more than one entry" if found else "no entry"
        raise ConfigError(f"{many} of {option} matches the table {table}", option=option)
    return found[0]
