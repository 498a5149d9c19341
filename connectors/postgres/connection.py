"""Connections to the source: plain ones for catalogs and copying, replication ones for the log.

Any thread may ask for a connection; the thread that asked owns it. Session settings fix the text form of
values, so that the copy and the stream print alike whatever the role's or database's settings are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg

from connectors.postgres.errors import WAL_LEVEL_HINT, translated
from replicator.api import ConfigError, Secret

PlainConnection = psycopg.Connection[tuple[Any, ...]]

_SESSION: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # A policy that hides rows must fail the copy, not thin it out silently.
    "row_security": "off",
}
LIBPQ_OPTIONS: Final = {
    "host": "database.hostname",
    "port": "database.port",
    "user": "database.user",
    "password": "database.password",
    "dbname": "database.dbname",
    "sslmode": "database.sslmode",
    "sslcert": "database.sslcert",
    "sslkey": "database.sslkey",
    "sslpassword": "database.sslpassword",
    "sslrootcert": "database.sslrootcert",
}
"""libpq's parameters and the options that hold them."""

APPLICATION: Final = "replicator"
"""The first word of our sessions' application_name."""

_WITH_IDLE_SESSION_TIMEOUT: Final = 140000


class Connector:
    """Opens connections as the connector's options say."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._parameters = _parameters(options)
        self._initial = _statements(options.get("database.initial.statements"))
        self.user = str(options["database.user"])
        self.place = f"{options['database.hostname']}:{options['database.port']}/{options['database.dbname']}"

    def plain(self, purpose: str) -> PlainConnection:
        """An autocommit connection; `purpose` shows in pg_stat_activity.

        Raises:
            ConnectError: translated from the driver's error.
        """
        with translated(f"connecting to {self.place}"):
            connection = psycopg.connect(
                **self._parameters,
                application_name=f"{APPLICATION} {purpose}",
                autocommit=True,
                prepare_threshold=None,
            )
            try:
                _settle(connection)
                for statement in self._initial:
                    connection.execute(statement.encode())
            except psycopg.Error:
                connection.close()
                raise
        return connection

    def replication(self, purpose: str) -> PlainConnection:
        """A connection that speaks the replication protocol."""
        with translated(f"connecting to {self.place} for replication"):
            return psycopg.connect(
                **self._parameters,
                application_name=f"{APPLICATION} {purpose}",
                replication="database",
                autocommit=True,
            )


def server_version(connection: PlainConnection) -> int:
    """For example 150018."""
    return connection.info.server_version


def check_encoding(connection: PlainConnection) -> None:
    """Refuse a database whose text has no known encoding.

    Raises:
        ConfigError: the database is SQL_ASCII.
    """
    with translated("reading the server's encoding"):
        row = connection.execute("SHOW server_encoding").fetchone()
    if row is not None and row[0] == "SQL_ASCII":
        raise ConfigError(
            "The database's encoding is SQL_ASCII: its text cannot be decoded reliably.",
            option="database.dbname",
            hint="Use a database with encoding UTF8.",
        )


def check_wal_level(connection: PlainConnection) -> None:
    """Refuse a server without logical decoding.

    Raises:
        ConfigError: wal_level is another than logical.
    """
    with translated("reading wal_level"):
        row = connection.execute("SHOW wal_level").fetchone()
    if row is not None and row[0] != "logical":
        raise ConfigError(
            f"The server's wal_level is {row[0]}, but logical decoding needs logical.",
            option="database.hostname",
            hint=WAL_LEVEL_HINT,
        )


def _parameters(options: Mapping[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for name, option in LIBPQ_OPTIONS.items():
        value = options.get(option)
        if value is not None:
            parameters[name] = value.reveal() if isinstance(value, Secret) else value
    parameters["connect_timeout"] = max(2, int(options["connect.timeout.ms"]) // 1000)
    parameters["keepalives"] = 1 if options["database.tcpKeepAlive"] else 0
    parameters["keepalives_idle"] = 30
    parameters["client_encoding"] = "UTF8"
    parameters["options"] = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    return parameters


def _settle(connection: PlainConnection) -> None:
    if server_version(connection) >= _WITH_IDLE_SESSION_TIMEOUT:
        connection.execute("SET idle_session_timeout = 0")


def _statements(text: str | None) -> list[str]:
    """Statements separated by `;`, where `;;` is a literal semicolon."""
    if not text:
        return []
    parts = text.replace(";;", "\0").split(";")
    return [p.replace("\0", ";").strip() for p in parts if p.strip()]
