"""Which tables belong to the connector, looked at every second while the stream runs (C4, C7).

Owned by the watch thread. One query tells whether anything changed that matters; only then are the tables listed. A
table that lost its replica identity is taken out of the publication of updates and deletes here and at once, because
until then the server refuses the application's UPDATE. Everything else is left to the reader: it is asked to fit
itself to the catalog between two transactions, where it makes publications, positions and copies agree (C3).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from connectors.cdc.selection import Selection
from connectors.postgres import catalog
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection
from connectors.postgres.departures import Departures
from connectors.postgres.errors import translated
from connectors.postgres.publication import Publications
from replicator.api import ConfigError

log = logging.getLogger(__name__)

_FINGERPRINT: Final = """
SELECT txid_snapshot_xmin(s), txid_snapshot_xmax(s),
  (SELECT sum(hashtext(concat_ws(':', oid, relname, relnamespace, relkind, relpersistence, relispartition,
                                 relreplident))::int8)
     FROM pg_class WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND oid >= 16384),
  (SELECT sum(hashtext(concat_ws(':', indrelid, indexrelid, indisprimary, indisreplident, indimmediate))::int8)
     FROM pg_index WHERE indrelid >= 16384 AND (indisprimary OR indisreplident)),
  (SELECT sum(hashtext(concat_ws(':', inhrelid, inhparent))::int8) FROM pg_inherits),
  (SELECT sum(hashtext(concat_ws(':', oid, nspname))::int8) FROM pg_namespace WHERE oid >= 16384)
  FROM (SELECT txid_current_snapshot() AS s) AS now
"""
_PATIENCE: Final = 60.0
"""A new slot waits for older transactions, and the stream with it: for so long a better moment is waited for."""


class Owner(Protocol):
    """What is needed of the reader."""

    fitting: threading.Lock
    departures: Departures

    @property
    def captured(self) -> list[Relation]:
        """The tables that are captured; another list each time they were looked at."""
        ...

    def refit(self, streamed: Sequence[str] = ()) -> None:
        """Leave the stream between two transactions and begin anew with the tables as they are then."""
        ...


class Membership:
    """Compares the catalog with what the reader captures."""

    def __init__(self, options: Mapping[str, Any], owner: Owner) -> None:
        self._options = options
        self._owner = owner
        self._selection = Selection(options)
        self._chosen: dict[tuple[str, str], bool] = {}
        self._via_root: bool = options["publish.via.partition.root"]
        self._print: tuple[Any, ...] = ()
        self._seen: list[Relation] | None = None
        self._newest = 0
        self._waiting_since = 0.0
        self._asked: list[Relation] | None = None
        self._told: dict[str, str] = {}
        self._complained = ""

    def look(self, connection: PlainConnection) -> list[str]:
        """Do what has to be done now; sentences for the operator."""
        captured = self._owner.captured
        if not captured:
            return []
        with translated("looking for changed tables"):
            row = connection.execute(_FINGERPRINT).fetchone()
        assert row is not None
        calm = int(row[0]) >= self._newest
        self._newest = int(row[1])
        if tuple(row[2:]) != self._print or captured is not self._seen or self._told:
            self._compare(connection, captured, calm=calm)
            self._print, self._seen = tuple(row[2:]), captured
        return list(self._told.values())

    def _compare(self, connection: PlainConnection, captured: list[Relation], *, calm: bool) -> None:
        everything = catalog.candidates(connection, via_root=self._via_root)
        now = catalog.with_leaves(connection, [r for r in everything if self._is_chosen(r)])
        with self._owner.fitting:
            if self._owner.captured is not captured:
                return  # the reader has listed them later than this look: the next one begins with its list
            self._owner.departures.compare(captured, everything, {r.full_name for r in now})
        known = {r.oid: r for r in captured}
        self._told.clear()
        lost = [r for r in now if r.oid in known and known[r.oid].has_identity and not r.has_identity]
        if lost:
            self._move_out(connection, captured, [r for r in now if r.oid in known], lost)
        joining = [
            r
            for r in now
            if r.oid not in known
            or r.full_name != known[r.oid].full_name
            or (r.has_identity and not known[r.oid].has_identity)
        ]
        self._join(connection, captured, joining, calm=calm)

    def _is_chosen(self, relation: Relation) -> bool:
        name = (relation.schema, relation.name)
        if name not in self._chosen:
            self._chosen[name] = self._selection.table(*name)
        return self._chosen[name]

    # --- replica identity lost ---

    def _move_out(
        self,
        connection: PlainConnection,
        captured: list[Relation],
        now: Sequence[Relation],
        lost: Sequence[Relation],
    ) -> None:
        """The application's UPDATE and DELETE must not fail for longer than it takes to notice (C4)."""
        names = ", ".join(r.full_name for r in lost)
        publications = Publications(connection, self._options)
        why = ""
        if not publications.ours:
            why = f"publication {publications.name} is not changed by this connector"
        else:
            try:
                with self._owner.fitting:
                    if self._owner.captured is not captured:
                        return  # the reader has seen it by itself
                    publications.ensure(now, slot_exists=True, resuming=True)
            except ConfigError as error:
                why = error.message
        if not why:
            log.error(
                "%s lost the replica identity: from now on only inserts and truncates are replicated, so that the "
                "application's UPDATE and DELETE do not fail",
                names,
            )
            self._owner.refit()
            return
        for r in lost:
            self._told[r.full_name] = (
                f"Table {r.full_name} has no replica identity any more, so publication {publications.name} makes its "
                f"UPDATE and DELETE fail, and {why}. Give it a primary key or REPLICA IDENTITY FULL, or run as owner: "
                f"{publications.removal(r)};"
            )
        if names != self._complained:
            self._complained = names
            log.error("%s", " ".join(self._told[r.full_name] for r in lost))

    # --- tables that come, or come back ---

    def _join(
        self,
        connection: PlainConnection,
        captured: list[Relation],
        joining: list[Relation],
        *,
        calm: bool,
    ) -> None:
        publications = Publications(connection, self._options)
        if joining and not publications.ours:
            missing = publications.uncovered(joining)
            self._told |= missing
            joining = [r for r in joining if r.full_name not in missing]
        elif joining:
            # A role without the right to it must not fail the other tables.
            refused = publications.refused(joining)
            self._told |= refused
            joining = [r for r in joining if r.full_name not in refused]
        if not joining:
            self._waiting_since = 0.0
            return
        known = {(r.oid, r.full_name) for r in captured}
        for r in joining:
            what = "has a replica identity again" if (r.oid, r.full_name) in known else "is new"
            self._told[r.full_name] = f"Table {r.full_name} {what}: it is being copied."
        now = time.monotonic()
        # Not at first sight: what runs by then is known to be old only at the next look.
        calm = calm and bool(self._waiting_since)
        self._waiting_since = self._waiting_since or now
        if captured is self._asked:
            return  # the reader is on its way
        if not (calm or now - self._waiting_since > _PATIENCE):
            return
        names = [r.full_name for r in joining]
        log.info("Joining: %s", ", ".join(names))
        self._asked = captured
        # As Debezium does: the stream of a publication that is not ours has a table since it was made.
        self._owner.refit(() if publications.ours else names)
