"""The watch thread: what the log itself does not tell (retained log, snapshot age, tables that escape capture).

Has a connection of its own. Reports warnings and numbers for status and metrics; which tables belong is followed by
`membership`. A failure here never stops the task; the next round tries again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import psycopg

from connectors.cdc.selection import Selection
from connectors.postgres import catalog
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import Connector, PlainConnection
from connectors.postgres.divergence import Copied, Divergence
from connectors.postgres.membership import Membership, Owner
from connectors.postgres.rewrites import Rewrites
from connectors.postgres.status import Status
from replicator.api import ConnectError

log = logging.getLogger(__name__)

_SLOT_EVERY: Final = 5.0
_INSPECTION_EVERY: Final = 30.0
_SHARE: Final = 20
"""A look takes at most this part of the time, however many tables there are."""
_COSTS: Final = 5
"""What the cheapest of so many looks took is what a look takes: a machine that is busy now and then does not make them
rare."""
_RETAINED: Final = """
SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END
        - restart_lsn)::int8,
       coalesce(wal_status, ''), age(catalog_xmin)
  FROM pg_replication_slots WHERE slot_name = %s
"""


class Watched(Owner, Protocol):
    """What the watch looks at in the reader."""

    copies: deque[Copied]
    notes: deque[dict[str, Any]]

    @property
    def snapshot_opened(self) -> float | None:
        """When the copy's snapshot was opened, by this process's clock; None while there is none."""
        ...


class Watch:
    """Looks every second at which tables there are, every few at the slot, and twice a minute into the tables."""

    def __init__(
        self,
        options: Mapping[str, Any],
        reader: Watched,
        status: Status,
        tables: Mapping[str, Any] | None = None,
    ) -> None:
        """`tables` is what the last life of the task stored of them."""
        self._connector = Connector(options)
        self._selection = Selection(options)
        self._slot: str = options["slot.name"]
        self._via_root: bool = options["publish.via.partition.root"]
        self._limit: float = options["snapshot.max.age.warn.ms"] / 1000
        self._interval: float = options["catalog.watch.interval.ms"] / 1000
        # A copy without a stream publishes nothing.
        streams = self._interval and options["snapshot.mode"] != "initial_only"
        self._membership = Membership(options, reader) if streams else None
        self._reader = reader
        self._status = status
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="postgres-watch", daemon=True)
        self._connection: PlainConnection | None = None
        self._costs: deque[float] = deque(maxlen=_COSTS)
        self._slot_due = self._inspection_due = self._pause = 0.0
        self._leaves: dict[int, tuple[str, frozenset[int]]] = {}
        self._gone: dict[str, str] = {}
        self._divergence = Divergence()
        self._rewrites = Rewrites(tables)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a query that runs is not waited for long."""
        self._stop.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        self._pause = min(1.0, self._interval or 1.0)
        while not self._stop.wait(self._pause):
            try:
                self._round(time.monotonic())
            except (psycopg.Error, ConnectError) as error:
                # A lock that was not to be had is news; a lost connection is told by the reader.
                alive = self._connection is not None and not self._connection.closed
                level = logging.WARNING if alive else logging.DEBUG
                log.log(level, "The watch could not look at the source and tries again: %s", error)
                self._close()
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _round(self, now: float) -> None:
        if self._connection is None:
            self._connection = self._connector.plain("watch")
        if self._membership is not None:
            self._look(self._membership, self._connection)
        else:
            self._pause = _SLOT_EVERY
        if now >= self._slot_due:
            self._slot_facts(self._connection)
            self._slot_due = now + _SLOT_EVERY
        # A finished copy heals what warnings told of: they go at once.
        if (now >= self._inspection_due or self._reader.copies) and self._reader.captured:
            self._status.warn("tables", self.inspect(self._connection))
            stored = self._rewrites.to_store()
            if stored is not None:
                self._reader.notes.append(stored)
            self._inspection_due = now + _INSPECTION_EVERY

    def _look(self, membership: Membership, connection: PlainConnection) -> None:
        began = time.monotonic()
        self._status.warn("membership", membership.look(connection))
        self._status.warn("departures", self._reader.departures.sentences())
        self._costs.append(time.monotonic() - began)
        cost = min(self._costs) if len(self._costs) == _COSTS else 0.0
        self._pause = max(self._interval, _SHARE * cost)

    def _slot_facts(self, connection: PlainConnection) -> None:
        row = connection.execute(_RETAINED, [self._slot]).fetchone()
        if row is None:
            return
        retained, wal_status, age = row
        if retained is not None:
            self._status.facts(retained_bytes=int(retained))
        warnings = []
        if wal_status in ("unreserved", "lost"):
            warnings.append(
                f"Slot {self._slot} is about to lose log it needs (wal_status {wal_status}): raise "
                f"max_slot_wal_keep_size, or let the target catch up."
            )
        warnings += self._snapshot_age(age)
        self._status.warn("slot state", warnings)

    def _snapshot_age(self, transactions: int | None) -> list[str]:
        opened = self._reader.snapshot_opened
        if opened is None:
            self._status.facts(snapshot=None)
            return []
        seconds = time.monotonic() - opened
        self._status.facts(snapshot={"seconds": round(seconds), "transactions": transactions})
        if seconds < self._limit:
            return []
        return [
            f"The copy's snapshot has been open for {seconds / 3600:.1f} hours and keeps vacuum from removing dead "
            f"rows everywhere in the database."
        ]

    def inspect(self, connection: PlainConnection) -> list[str]:
        """Sentences about tables whose changes are (or will be) missing (C4, C7)."""
        self._learn_copies()
        captured = list(self._reader.captured)
        names = {r.full_name for r in captured}
        known = {r.oid for r in captured}
        found = catalog.candidates(connection, via_root=self._via_root)
        matching = [r for r in found if self._selection.table(r.schema, r.name)]
        now = catalog.with_leaves(connection, matching)
        warnings = [
            f"Table {schema}.{name} matches but is UNLOGGED: its changes are not in the log. Run ALTER TABLE "
            f"{schema}.{name} SET LOGGED."
            for schema, name in catalog.unlogged(connection)
            if self._selection.table(schema, name)
        ]
        warnings += self._detached(now)
        warnings += self._rewrites.inspect(connection, [r for r in now if r.oid in known])
        warnings += self._divergence.inspect(connection, [r for r in now if r.full_name in names])
        return warnings

    def _detached(self, now: Sequence[Relation]) -> list[str]:
        """Partitions that went away took their rows with them, and the log says nothing of it."""
        for r in now:
            leaves = frozenset(r.leaves)
            known = self._leaves.get(r.oid)
            if r.partitioned and known is not None and known[1] - leaves:
                self._gone[r.full_name] = (
                    f"Partitions of {r.full_name} were dropped or detached: their rows are gone from the source "
                    f"without an event, and remain in the target."
                )
            self._leaves[r.oid] = (r.full_name, leaves)
        return list(self._gone.values())

    def _learn_copies(self) -> None:
        while self._reader.copies:
            copied = self._reader.copies.popleft()
            self._divergence.copied(copied)
            self._rewrites.copied(copied.names)
            for name in copied.names:
                self._gone.pop(name, None)
