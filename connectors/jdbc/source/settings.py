"""Settings of the SQL source: one frozen form of its options, checked together. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.jdbc.source.names import TableFilter, TableId
from connectors.jdbc.source.options import (
    BULK,
    INCREMENTING,
    MODES,
    TIMESTAMP,
    TIMESTAMP_INCREMENTING,
)
from connectors.jdbc.url import TargetUrl, parse_url
from replicator.api import ConfigDef, ConfigError
from replicator.api.config import ConfigValue

Report = Callable[[str, str], None]

_DECLARED: Final = {f"connection.{n}" for n in ("url", "user", "password", "attempts", "backoff.ms")}


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


def read_settings(options: ConfigDef, raw: Mapping[str, Any], *, own: bool) -> SourceSettings:
    """Settings from raw options.

    Raises:
        ConfigError: an option is wrong, or does not go with another.
    """
    parsed = options.parse(raw)
    check_together(parsed, _raise)
    url = parse_url(parsed["connection.url"], parsed["connection.user"], parsed["connection.password"])
    url.options.update(
        {
            name.removeprefix("connection."): str(value)
            for name, value in raw.items()
            if name.startswith("connection.") and name not in _DECLARED
        }
    )
    masked = parsed["query.masked"]
    return SourceSettings(
        url=url,
        attempts=parsed["connection.attempts"],
        backoff_ms=parsed["connection.backoff.ms"],
        filter=_filter(parsed),
        mode=parsed["mode"],
        incrementing=parsed["incrementing.column.name"],
        timestamps=_listed(parsed["timestamp.column.name"]),
        incrementing_by_table=tuple(_entries(parsed["incrementing.column.mapping"])),
        timestamps_by_table=tuple(
            (pattern, tuple(c.strip() for c in columns.strip("[]").split("|")))
            for pattern, columns in _entries(parsed["timestamp.columns.mapping"])
        ),
        timestamp_initial=parsed["timestamp.initial"],
        validate_non_null=parsed["validate.non.null"],
        query=(masked.reveal() if masked else parsed["query"]).strip().rstrip(";"),
        masked=bool(masked and masked.reveal()),
        wrapped=parsed["query.wrapped"],
        suffix=parsed["query.suffix"].strip(),
        retries=parsed["query.retry.attempts"],
        quote=parsed["quote.sql.identifiers"].lower() == "always",
        isolation=parsed["transaction.isolation.mode"].upper(),
        poll_interval=parsed["poll.interval.ms"] / 1000,
        batch=parsed["batch.max.rows"],
        table_poll_interval=parsed["table.poll.interval.ms"] / 1000,
        startup_limit=parsed["table.monitoring.startup.polling.limit.ms"] / 1000,
        prefix=parsed["topic.prefix"],
        delay_ms=parsed["timestamp.delay.interval.ms"],
        zone=_zone(parsed["db.timezone"]),
        granularity=parsed["timestamp.granularity"].lower(),
        numeric=_numeric(parsed),
        every_decimal=own,
        plain_numeric=not own,
        unsupported=parsed["unsupported.types"],
    )


def validate(options: ConfigDef, raw: Mapping[str, Any]) -> list[ConfigValue]:
    """Every option by itself, then together; nothing connects."""
    values = options.validate(raw)
    by_name = {v.name: v for v in values}

    def report(option: str, message: str) -> None:
        by_name[option].errors.append(message)

    check_together({v.name: v.value for v in values if not v.errors}, report)
    return values


def check_together(parsed: Mapping[str, Any], report: Report) -> None:
    """Report what does not go together; options that are missing in `parsed` are wrong by themselves."""
    if "connection.url" in parsed:
        _check_url(parsed, report)
    if parsed.get("mode", MODES[0]) not in MODES:
        report(
            "mode", f"Invalid value for configuration mode: Query mode must be specified: {', '.join(MODES)}"
        )
    if parsed.get("db.timezone"):
        try:
            _zone(parsed["db.timezone"])
        except ConfigError as error:
            report("db.timezone", error.message)
    if parsed.get("transaction.isolation.mode") == "SQL_SERVER_SNAPSHOT":
        report("transaction.isolation.mode", "SQL_SERVER_SNAPSHOT exists in SQL Server only")
    _check_tables(parsed, report)
    _check_columns(parsed, report)


def _check_url(parsed: Mapping[str, Any], report: Report) -> None:
    if not parsed["connection.url"]:
        report(
            "connection.url", 'Missing required configuration "connection.url" which has no default value.'
        )
        return
    try:
        parse_url(parsed["connection.url"])
    except ConfigError as error:
        report("connection.url", error.message)


def _check_tables(parsed: Mapping[str, Any], report: Report) -> None:
    lists = [
        name
        for name in ("table.whitelist", "table.blacklist", "table.include.list", "table.exclude.list")
        if any(parsed.get(name) or ())
    ]
    if {"table.whitelist", "table.blacklist"} <= set(lists):
        report("table.blacklist", "table.whitelist and table.blacklist are exclusive")
    if "table.exclude.list" in lists and "table.include.list" not in lists:
        report("table.exclude.list", "table.exclude.list needs table.include.list")
    old = [name for name in lists if name in ("table.whitelist", "table.blacklist")]
    if old and len(old) < len(lists):
        report(old[0], f"{old[0]} cannot be used together with table.include.list or table.exclude.list")
    query = parsed.get("query") or parsed.get("query.masked")
    if parsed.get("query") and parsed.get("query.masked"):
        report("query", "query and query.masked are exclusive")
    if query and lists:
        report("query", f"query and {lists[0]} are exclusive: a query names its tables itself")
    if query and parsed.get("mode") in (INCREMENTING, TIMESTAMP_INCREMENTING) and not _named(parsed):
        report("incrementing.column.name", "A query needs incrementing.column.name in this mode")


def _named(parsed: Mapping[str, Any]) -> bool:
    return bool(parsed.get("incrementing.column.name"))


def _check_columns(parsed: Mapping[str, Any], report: Report) -> None:
    mode = parsed.get("mode")
    columns = any(parsed.get("timestamp.column.name") or ())
    mapped = any(parsed.get("timestamp.columns.mapping") or ())
    if mode in (TIMESTAMP, TIMESTAMP_INCREMENTING) and not columns and not mapped:
        report(
            "timestamp.column.name", f"Mode {mode} needs timestamp.column.name or timestamp.columns.mapping"
        )
    if columns and mapped:
        report(
            "timestamp.columns.mapping", "timestamp.column.name and timestamp.columns.mapping are exclusive"
        )
    if _named(parsed) and any(parsed.get("incrementing.column.mapping") or ()):
        report(
            "incrementing.column.mapping",
            "incrementing.column.name and incrementing.column.mapping are exclusive",
        )


def _raise(option: str, message: str) -> None:
    raise ConfigError(message, option=option)


def _filter(parsed: Mapping[str, Any]) -> TableFilter:
    return TableFilter(
        whitelist=_listed(parsed["table.whitelist"]),
        blacklist=_listed(parsed["table.blacklist"]),
        include=_listed(parsed["table.include.list"]),
        exclude=_listed(parsed["table.exclude.list"]),
        catalog=parsed["catalog.pattern"],
        schema=parsed["schema.pattern"],
        types=frozenset(t.upper() for t in _listed(parsed["table.types"])),
    )


def _listed(value: list[str]) -> tuple[str, ...]:
    return tuple(part for part in value if part)


def _entries(value: list[str]) -> list[tuple[str, str]]:
    return [(pattern, column.strip()) for pattern, _, column in (e.rpartition(":") for e in value if e)]


def _numeric(parsed: Mapping[str, Any]) -> str:
    if parsed["numeric.mapping"]:
        return str(parsed["numeric.mapping"]).lower()
    return "precision_only" if parsed["numeric.precision.mapping"] else "none"


_OFFSET: Final = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d{2}))?")


def _zone(name: str) -> dt.tzinfo:
    """A zone by its name or offset, as Java reads them."""
    if name in ("UTC", "GMT", "Z", "Etc/UTC"):
        return dt.UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        delta = dt.timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return dt.timezone(-delta if offset[1] == "-" else delta)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"Invalid value {name} for configuration db.timezone: Invalid time zone identifier",
            option="db.timezone",
        ) from None
