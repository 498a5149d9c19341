"""psycopg's errors -> the service's, by SQLSTATE: the one translation table for Postgres targets (INV-6)."""

from __future__ import annotations

from typing import Final

import psycopg

from connectors.jdbc.dialects.failures import AlreadyThereError, DuplicateKeyError
from connectors.jdbc.url import OPTION
from replicator.api import ConfigError, ConnectError, DataError, RetriableError, StructuralError

_RETRIABLE: Final = {"55P03", "25006", "57014", "55006"}
_RETRIABLE_CLASSES: Final = {"08", "40", "53", "57"}
_DATA: Final = {"23502", "23503", "23514", "23P01", "54000"}
_ALREADY_THERE: Final = {"42P07", "42701", "42710"}
_STRUCTURE_CLASSES: Final = {"42", "0A", "54"}
_USER: Final = {"42501", "3D000", "3F000"}


def translate(error: BaseException) -> ConnectError:
    """The service's error for one of the driver's."""
    if isinstance(error, ConnectError):
        return error
    if isinstance(error, UnicodeError):
        return DataError(f"Text is not valid Unicode: {error}")
    if not isinstance(error, psycopg.Error):
        return ConnectError(f"{type(error).__name__}: {error}")
    state = error.sqlstate or ""
    message = f"{str(error).strip()} ({state})" if state else str(error).strip()
    if state == "23505":
        return DuplicateKeyError(message, index=error.diag.constraint_name or "")
    return _connecting(error, message) if not state else _by_state(state, message)


def _by_state(state: str, message: str) -> ConnectError:
    if state in _RETRIABLE or state[:2] in _RETRIABLE_CLASSES:
        return RetriableError(message)
    if state in _ALREADY_THERE:
        return AlreadyThereError(message)
    if state in _USER or state[:2] == "28":
        option = "connection.user" if state[:2] in {"28", "42"} else OPTION
        return ConfigError(message, option=option)
    if state in _DATA or state[:2] == "22":
        return DataError(message)
    if state[:2] in _STRUCTURE_CLASSES:
        return StructuralError(message)
    return ConnectError(message)


def _connecting(error: psycopg.Error, message: str) -> ConnectError:
    """Failures without a state: the connection could not be made, or broke."""
    if "authentication failed" in message or "no pg_hba.conf entry" in message:
        return ConfigError(message, option="connection.user")
    if "database" in message and "does not exist" in message:
        return ConfigError(message, option=OPTION)
    if isinstance(error, psycopg.DataError):
        return DataError(message)
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return RetriableError(message)
    return ConnectError(message)
