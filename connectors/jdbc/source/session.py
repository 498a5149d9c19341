"""Opens readers: by the URL's kind, and with the configured attempts. Drivers are imported only when they are used."""

from __future__ import annotations

import logging
import threading
from importlib import import_module
from typing import Final

from connectors.jdbc.source.names import TableId, same_names
from connectors.jdbc.source.reading import Reader
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import ConfigError, ConnectError, RetriableError

log = logging.getLogger(__name__)

_CLASSES: Final = {
    "mysql": ("connectors.jdbc.source.mysql", "MySqlReader"),
    "mariadb": ("connectors.jdbc.source.mysql", "MySqlReader"),
    "postgresql": ("connectors.jdbc.source.postgres", "PostgresReader"),
    "sqlite": ("connectors.jdbc.source.sqlite", "SqliteReader"),
}


def reader_class(settings: SourceSettings) -> type[Reader]:
    """The class of readers of a database."""
    module, name = _CLASSES[settings.url.kind]
    found: type[Reader] = getattr(import_module(module), name)
    return found


def open_reader(settings: SourceSettings, name: str) -> Reader:
    """A session on the database.

    Raises:
        RetriableError: it cannot be reached.
        ConfigError: it refuses the account or does not know the database.
    """
    return reader_class(settings)(settings.url, settings.zone, settings.isolation, f"replicator {name}")


def open_patiently(settings: SourceSettings, name: str, stopping: threading.Event) -> Reader:
    """The same with the configured attempts."""
    for attempt in range(1, settings.attempts + 1):
        try:
            return open_reader(settings, name)
        except ConfigError:
            raise
        except RetriableError as error:
            if attempt == settings.attempts or stopping.is_set():
                raise
            log.warning("%s cannot be reached (attempt %d of %d): %s", settings.url, attempt, settings.attempts,
                        error)  # fmt: skip
            stopping.wait(settings.backoff_ms / 1000)
    raise AssertionError


def find_tables(reader: Reader, settings: SourceSettings) -> list[TableId]:
    """The tables that are to be read, sorted.

    Raises:
        ConnectError: two of them would share a topic.
    """
    has_catalogs = reader.name_parts[0]
    home = (settings.url.database or None) if has_catalogs else None
    every = reader.tables(settings.filter.types)
    tables = sorted(settings.filter.chosen(every, reader.quote, home))
    missing = settings.filter.missing(tables, reader.quote)
    if missing:
        log.warning("table.whitelist names tables that are not there: %s", ", ".join(missing))
    twins = same_names(tables)
    if twins:
        listed = ", ".join(str(table) for table in twins)
        raise ConnectError(
            f"The connector uses the unqualified table name as the topic name and has detected duplicate unqualified "
            f"table names: {listed}.",
            hint="Restrict them with catalog.pattern, schema.pattern, or full names in the list of tables.",
        )
    return tables
