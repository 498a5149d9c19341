"""What options of the SQL source need of each other; nothing connects. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.jdbc.source.options import INCREMENTING, MODES, TIMESTAMP, TIMESTAMP_INCREMENTING
from connectors.jdbc.url import parse_url
from replicator.api import ConfigDef, ConfigError
from replicator.api.config import ConfigValue

Report = Callable[[str, str], None]

_OFFSET: Final = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d{2}))?")


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
            zone_of(parsed["db.timezone"])
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


def zone_of(name: str) -> dt.tzinfo:
    """A zone by its name or offset, as Java reads them.

    Raises:
        ConfigError: there is none.
    """
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
