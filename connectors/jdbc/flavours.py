"""Raw configurations -> settings, for each set of option names; and their validation. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.jdbc.config import SinkSettings, check_together, debezium_settings, own_settings, raise_first
from connectors.jdbc.options import (
    CONFLUENT_NAMES,
    CONFLUENT_OPTIONS,
    DEBEZIUM_NAMES,
    DEBEZIUM_OPTIONS,
    OWN_NAMES,
    OWN_OPTIONS,
)
from connectors.jdbc.url import parse_url
from replicator.api import ConfigDef, ConfigError
from replicator.api.config import ConfigValue

ReadSettings = Callable[[Mapping[str, Any]], SinkSettings]


def own(raw: Mapping[str, Any]) -> SinkSettings:
    """Our option names.

    Raises:
        ConfigError: an option is wrong, or does not go with another.
    """
    parsed = OWN_OPTIONS.parse(raw)
    check_together(OWN_NAMES, parsed, raise_first)
    return own_settings(parsed, raw)


def confluent(raw: Mapping[str, Any]) -> SinkSettings:
    """Confluent's option names and defaults."""
    parsed = CONFLUENT_OPTIONS.parse(raw)
    check_together(CONFLUENT_NAMES, parsed, raise_first)
    return own_settings(parsed, raw)


def debezium(raw: Mapping[str, Any]) -> SinkSettings:
    """Debezium's option names and defaults."""
    parsed = DEBEZIUM_OPTIONS.parse(raw)
    check_together(DEBEZIUM_NAMES, parsed, raise_first)
    return debezium_settings(parsed, raw)


def validate(options: ConfigDef, names: Mapping[str, str], raw: Mapping[str, Any]) -> list[ConfigValue]:
    """Every option by itself, then together; nothing connects."""
    values = options.validate(raw)
    by_name = {v.name: v for v in values}

    def report(option: str, message: str) -> None:
        by_name[option].errors.append(message)

    check_together(names, {v.name: v.value for v in values}, report)
    url = by_name["connection.url"]
    if url.value and not url.errors:
        try:
            parse_url(str(url.value))
        except ConfigError as error:
            report("connection.url", error.message)
    if raw.get("field.include.list") and raw.get("field.exclude.list"):
        report("field.exclude.list", "field.include.list and field.exclude.list exclude each other")
    return values
