"""The SQL source's settings from its options. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.jdbc.source.checks import check_together, zone_of
from connectors.jdbc.source.names import TableFilter
from connectors.jdbc.source.settings import SourceSettings
from connectors.jdbc.url import parse_url
from replicator.api import ConfigDef, ConfigError

_DECLARED: Final = {f"connection.{n}" for n in ("url", "user", "password", "attempts", "backoff.ms")}


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
        zone=zone_of(parsed["db.timezone"]),
        granularity=parsed["timestamp.granularity"].lower(),
        numeric=_numeric(parsed),
        every_decimal=own,
        plain_numeric=not own,
        unsupported=parsed["unsupported.types"],
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
