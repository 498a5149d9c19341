"""Options of Debezium's transforms: its checks and its wording. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from replicator.api.config import ConfigKey, Importance, Width, key
from replicator.api.errors import ConfigError
from replicator.api.java_regex import compile_java
from replicator.api.option_types import Type, invalid


def option(name: str, type_: Type, default: Any, shown: str, doc: str, **more: Any) -> ConfigKey:
    """One option; `shown` is its display name."""
    more.setdefault("importance", Importance.LOW)
    more.setdefault("width", Width.LONG)
    more.setdefault("order", 1)
    return key(name, type_, default, display_name=shown, doc=doc, **more)


def refused(name: str, value: Any, why: str) -> ConfigError:
    """The error for a wrong value."""
    shown = "null" if value is None else ",".join(value) if isinstance(value, list) else value
    return invalid(name, shown, f"The '{name}' value is invalid: {why}")


def require(options: Mapping[str, Any], *names: str) -> None:
    """Check that options are given and not empty.

    Raises:
        ConfigError: one is missing.
    """
    for name in names:
        if options[name] in (None, "", []):
            raise refused(name, options[name], "A value is required")


def pattern(options: Mapping[str, Any], name: str) -> re.Pattern[str]:
    """A compiled regular expression.

    Raises:
        ConfigError: it is none.
    """
    try:
        return compile_java(options[name])
    except re.error:
        why = "A regular expression is expected, but is invalid"
        raise refused(name, options[name], why) from None
