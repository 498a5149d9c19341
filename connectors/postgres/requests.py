"""Requests to copy tables anew while the stream runs, in the form of Debezium's blocking snapshots (C27).

Checked on the caller's thread; the reader takes them between two transactions. The tables are then declared void
in the stored position, so that a crash in the middle changes nothing: the copy that follows is the ordinary one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connectors.cdc.selection import Patterns
from replicator.api import BadRequestError

EXECUTE_SNAPSHOT: Final = "execute-snapshot"
_BLOCKING: Final = "blocking"
_COLLECTIONS: Final = "data-collections"


class CopyWanted(Exception):
    """The stream is left, because tables are to be copied anew."""


class CopyRequests:
    """Names of tables to copy anew, and whether to fit the tables to the catalog; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: frozenset[str] = frozenset()
        self._streamed: frozenset[str] = frozenset()
        self._refit = False

    def __bool__(self) -> bool:
        return self._refit or bool(self._names)

    @property
    def names(self) -> list[str]:
        """What waits, sorted."""
        return sorted(self._names)

    def add(self, names: Iterable[str]) -> None:
        """Ask for these as well."""
        with self._lock:
            self._names |= frozenset(names)

    def refit(self, streamed: Iterable[str] = ()) -> None:
        """Ask to leave the stream and to begin anew with the tables as they are then.

        Args:
            streamed: tables whose rows are all in the stream, and need no copy.
        """
        with self._lock:
            self._streamed |= frozenset(streamed)
            self._refit = True

    @property
    def streamed(self) -> frozenset[str]:
        """Tables that need no copy, because the stream has them since they were made."""
        return self._streamed

    def taken(self, names: Iterable[str]) -> None:
        """These are on their way: the stored position says so."""
        with self._lock:
            self._names -= frozenset(names)
            self._refit = False


def requested_tables(data: Mapping[str, Any], captured: Sequence[str]) -> list[str]:
    """The captured tables that a request means.

    Raises:
        BadRequestError: it asks for something that is not offered, or for a table that is not captured.
    """
    kind = str(data.get("type")).lower()
    if kind != _BLOCKING:
        raise BadRequestError(
            f"Snapshots of type '{kind}' are not supported: use 'incremental' or '{_BLOCKING}'."
        )
    if data.get("additional-conditions") or data.get("additional-condition"):
        raise BadRequestError("A table is copied anew as a whole: additional-conditions are not supported.")
    return matching_tables(data.get(_COLLECTIONS), captured)


def matching_tables(patterns: Any, captured: Sequence[str]) -> list[str]:
    """The captured tables that match the expressions of a request.

    Raises:
        BadRequestError: there is none, or an expression matches nothing.
    """
    if not isinstance(patterns, list) or not patterns or not all(isinstance(p, str) for p in patterns):
        raise BadRequestError(
            f"{_COLLECTIONS} must list the tables, as regular expressions over schema.table."
        )
    chosen: set[str] = set()
    for pattern in patterns:
        compiled = Patterns(_COLLECTIONS, [pattern])
        found = [name for name in captured if compiled.match(name)]
        if not found:
            listed = ", ".join(sorted(captured))
            raise BadRequestError(f"No captured table matches '{pattern}'. Captured are: {listed}.")
        chosen.update(found)
    return sorted(chosen)
