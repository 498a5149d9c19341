"""The one table from SQLSTATE and libpq failures to the service's errors.

Pure functions, any thread. Nothing of psycopg leaves this package (INV-6): every place that talks to the
server runs inside `translated`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from replicator.api import ConfigError, ConnectError, PositionLostError, RetriableError

_RETRIABLE_CLASSES: Final = ("08", "53", "57", "58", "40")
_RETRIABLE_STATES: Final = {
    "55P03",  # lock not available
    "55006",  # object in use: the slot's former reader has not gone yet
    "25006",  # read-only transaction: a standby that is being promoted
}
_WAL_REMOVED: Final = "requested WAL segment"
_SLOT_GONE: Final = (
    "can no longer get changes from replication slot",
    "cannot read from logical replication slot",
)
_LOGIN_REFUSED: Final = (
    "password authentication failed",
    "no password supplied",
    "is not permitted to log in",
    "no pg_hba.conf entry",
    "authentication failed",
    'role "',
)
_NEW_COPY: Final = (
    "Changes after the stored position are gone: make a new copy (delete the connector's offsets and the slot), "
    "or set snapshot.mode=when_needed."
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise driver errors as errors of the service; `doing` completes "while ..."."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, doing) from error


def translate(error: psycopg.Error, doing: str = "talking to Postgres") -> ConnectError:
    """The service's error for a driver's error."""
    message = _message(error)
    state = error.sqlstate or _state_of_login_failure(message)
    if not state and not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return ConnectError(f"{message} (while {doing})")
    return by_state(state, message, doing)


def _state_of_login_failure(message: str) -> str:
    """SQLSTATE of a refused login: libpq gives only its text."""
    if any(phrase in message for phrase in _LOGIN_REFUSED):
        return "28000"
    if 'database "' in message and "does not exist" in message:
        return "3D000"
    if (
        "must be superuser or replication role" in message
        or "permission denied to start WAL sender" in message
    ):
        return "42501"
    return ""


def by_state(state: str, message: str, doing: str) -> ConnectError:
    """The service's error for an SQLSTATE ("" when the failure has none) and the server's message."""
    text = f"{message} (while {doing})"
    lost = _position_lost(state, message, text)
    if lost is not None:
        return lost
    if state.startswith("28"):
        return ConfigError(
            text, option=_credential(message), hint="Correct database.user and database.password."
        )
    if state == "3D000":
        return ConfigError(text, option="database.dbname", hint="Correct database.dbname.")
    if state == "42501":
        return ConfigError(text, option="database.user", hint=_grant(message))
    if state == "55000" and "wal_level" in message:
        return ConfigError(text, option="database.hostname", hint=WAL_LEVEL_HINT)
    if state == "53400" or "all replication slots are in use" in message or "max_wal_senders" in message:
        return RetriableError(
            text, hint="Drop unused slots, or raise max_replication_slots and max_wal_senders."
        )
    if "snapshot identifier" in message or (state == "42704" and message.startswith("snapshot ")):
        return RetriableError(text)  # the session that held the snapshot was lost: a new copy makes a new one
    if state == "" or state[:2] in _RETRIABLE_CLASSES or state in _RETRIABLE_STATES:
        return RetriableError(text)
    return ConnectError(text)


WAL_LEVEL_HINT: Final = "Run ALTER SYSTEM SET wal_level = logical and restart the server."


def _position_lost(state: str, message: str, text: str) -> ConnectError | None:
    if _WAL_REMOVED in message or any(phrase in message for phrase in _SLOT_GONE):
        return PositionLostError(text, hint=_NEW_COPY)
    if state == "42704" and "replication slot" in message:
        return PositionLostError(text, hint=_NEW_COPY)
    if state == "42704" and "publication" in message:
        return PositionLostError(
            text,
            hint="A publication made after the slot cannot be used to read older log. " + _NEW_COPY,
        )
    return None


def _credential(message: str) -> str:
    return "database.password" if "password" in message else "database.user"


def _grant(message: str) -> str:
    """The exact statement that gives the missing right, as far as the message tells."""
    words = message.split()
    name = words[-1].strip('".') if words else ""
    if "for table" in message:
        return f"Run as its owner: GRANT SELECT ON {name} TO <database.user>."
    if "for schema" in message:
        return f"Run as its owner: GRANT USAGE ON SCHEMA {name} TO <database.user>."
    if "for database" in message:
        return f"Run as its owner: GRANT CREATE ON DATABASE {name} TO <database.user>."
    if "replication" in message or "replication slots" in message:
        return "Run as superuser: ALTER ROLE <database.user> WITH REPLICATION."
    if "must be owner" in message:
        return (
            f"Run the statement as the owner of {name}, or make <database.user> a member of the owning role."
        )
    return "Grant the missing privilege to <database.user>."


def _message(error: psycopg.Error) -> str:
    primary = error.diag.message_primary
    text = primary or str(error).strip() or type(error).__name__
    return " ".join(text.split())
