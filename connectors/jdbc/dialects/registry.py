"""Finds the dialect of a URL; drivers are imported only when their database is used."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from connectors.jdbc.dialects.base import Dialect
from connectors.jdbc.url import OPTION, TargetUrl
from replicator.api import ConfigError

_CLASSES: Final = {
    "mysql": ("connectors.jdbc.dialects.mysql", "MySqlDialect"),
    "mariadb": ("connectors.jdbc.dialects.mariadb", "MariaDbDialect"),
    "postgresql": ("connectors.jdbc.dialects.postgres", "PostgresDialect"),
    "sqlite": ("connectors.jdbc.dialects.sqlite", "SqliteDialect"),
}


def dialect_for(kind: str) -> Dialect:
    """A new dialect for a `TargetUrl.kind`.

    Raises:
        ConfigError: there is none.
    """
    try:
        module, name = _CLASSES[kind]
    except KeyError:
        raise ConfigError(f"No dialect for {kind}", option=OPTION) from None
    made: Dialect = getattr(import_module(module), name)()
    return made


def create_dialect(url: TargetUrl) -> Dialect:
    """A new dialect for a URL; see `dialect_for`."""
    return dialect_for(url.kind)
