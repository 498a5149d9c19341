"""Lists of options: as Java prints them, and the checks that ConfigDef makes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from replicator.api.option_types import invalid


def java_list(values: Sequence[str]) -> str:
    """`[a, b]`."""
    return f"[{', '.join(values)}]"


def non_empty_list(name: str, value: Any) -> None:
    """A ConfigDef validator: the list must have an entry."""
    if not value:
        raise invalid(name, java_list(value or []), "Empty list")


def split(entry: str) -> list[str]:
    """Java's `entry.split(":")`, which leaves out empty parts at the end."""
    parts = entry.split(":")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def pairs(name: str, value: Sequence[str]) -> dict[str, str]:
    """`old:new` entries as a map.

    Raises:
        ConfigError: an entry has another form.
    """
    found: dict[str, str] = {}
    for entry in value:
        parts = split(entry)
        if len(parts) != 2:
            raise invalid(name, java_list(value), f"Invalid rename mapping: {entry}")
        found[parts[0]] = parts[1]
    return found
