"""The task's one connection: opened with retries at start, restored after it was lost (C19). Task thread only."""

from __future__ import annotations

import logging
import threading

from connectors.jdbc.config import SinkSettings
from connectors.jdbc.dialects import Connection, Dialect, dialect_for
from connectors.jdbc.url import TargetUrl, parse_url
from replicator.api import ConfigError, RetriableError

log = logging.getLogger(__name__)


def target_url(settings: SinkSettings) -> TargetUrl:
    """The target, with the options given beside the URL.

    Raises:
        ConfigError: the URL is of no known form.
    """
    url = parse_url(settings.url, settings.user, settings.password)
    url.options.update(settings.properties)
    return url


class Session:
    """Opens and restores the connection.

    Attributes:
        url: the target.
        dialect: its SQL.
        reconnected: a new connection was made since `settle`.
    """

    def __init__(self, settings: SinkSettings, name: str, stopping: threading.Event) -> None:
        self.url = target_url(settings)
        self.dialect: Dialect = dialect_for(self.url.kind)
        self._settings = settings
        self._name = name
        self._stopping = stopping
        self._connection: Connection | None = None

    def open_patiently(self) -> Connection:
        """Connect at start, with the configured attempts.

        Raises:
            RetriableError: the target cannot be reached.
            ConfigError: it refuses the account or does not know the database.
        """
        attempts = self._settings.connection_attempts
        for attempt in range(1, attempts + 1):
            try:
                return self.connection()
            except ConfigError:
                raise
            except RetriableError as error:
                if attempt == attempts or self._stopping.is_set():
                    raise
                log.warning("%s cannot be reached (attempt %d of %d): %s", self.url, attempt, attempts, error)
                self._stopping.wait(self._settings.connection_backoff_ms / 1000)
        raise AssertionError

    def connection(self) -> Connection:
        """The open connection, made now if there is none."""
        if self._connection is None:
            self._connection = self.dialect.connect(self.url, f"replicator {self._name}")
        return self._connection

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    def discard(self) -> None:
        """Give the connection up; the next use makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
