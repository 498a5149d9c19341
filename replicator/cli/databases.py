"""Finds the `Database` implementation for a URL's scheme (C25)."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from replicator.api.database import SourceDatabase, TargetDatabase
from replicator.api.errors import ConfigError

GROUP = "replicator.databases"


def _implementation(url: str, role: str) -> Any:
    scheme = url.removeprefix("jdbc:").partition(":")[0].partition("+")[0].lower()
    names = {"postgres": "postgresql"}
    known = {e.name: e for e in entry_points(group=GROUP)}
    found = known.get(names.get(scheme, scheme))
    if found is None:
        # What is no scheme may be anything, a password too.
        shown = (
            f"starts with '{scheme}:', which no installed plugin serves" if scheme.isalnum() else "is no URL"
        )
        raise ConfigError(
            f"The {role} URL {shown}.",
            option=f"{role.upper()}_URL",
            hint=f"Known: {', '.join(sorted(known))}. Example: postgresql://user:password@host:5432/database",
        )
    return found.load()


def source_database(url: str) -> SourceDatabase:
    """The source a URL names.

    Raises:
        ConfigError: unknown scheme, or a database that can only be a target.
    """
    made = _implementation(url, "source")(url)
    if not hasattr(made, "checkpoint"):
        raise ConfigError("That kind of database cannot be a source yet.", option="SOURCE_URL")
    result: SourceDatabase = made
    return result


def target_database(url: str) -> TargetDatabase:
    """The target a URL names.

    Raises:
        ConfigError: unknown scheme, or a database that can only be a source.
    """
    made = _implementation(url, "target")(url)
    if not hasattr(made, "target_name"):
        raise ConfigError("'sync' cannot write to that kind of database yet.", option="TARGET_URL")
    result: TargetDatabase = made
    return result
