"""Which tables are captured, as the catalog has them now, and the publications that fit them (C3, C4).

Changed by the reader thread, before a session streams; any thread may look at the tables. Whoever changes publications
by an older list holds the lock and looks whether the list is still the newest.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from typing import Any

from connectors.cdc.selection import Selection
from connectors.postgres import catalog
from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection
from connectors.postgres.departures import Departures
from connectors.postgres.identities import Identities
from connectors.postgres.planning import CopyPlan
from connectors.postgres.position import Position
from connectors.postgres.publication import Publications, Published
from connectors.postgres.requests import CopyRequests
from replicator.api import ConfigError

log = logging.getLogger(__name__)


class Capture:
    """The captured tables.

    Attributes:
        relations: the tables; another list each time they were looked at.
        lock: held while they are listed and the publications are made to fit.
        departures: what was captured and is gone.
    """

    def __init__(self, options: Mapping[str, Any], selection: Selection, requests: CopyRequests) -> None:
        self._options = options
        self._selection = selection
        self._requests = requests
        self._plan = CopyPlan(options)
        self._identities = Identities(options["replica.identity.autoset.values"])
        self._publishes = options["snapshot.mode"] != "initial_only"
        self.relations: list[Relation] = []
        self.lock = threading.Lock()
        self.departures = Departures()

    @property
    def names(self) -> list[str]:
        """Full names of the captured tables."""
        return [r.full_name for r in self.relations]

    def fit(
        self, side: PlainConnection, *, slot_exists: bool, resuming: bool, known: Collection[str]
    ) -> Published:
        """List the tables as they are now and make the publications fit them.

        Args:
            side: a connection that reads the catalog.
            slot_exists: whether the slot is older than what is created now.
            resuming: whether log from before now will be read from that slot.
            known: tables that the stored position knows: they go on when new ones may not join.
        """
        with self.lock:
            self._list(side)
            if self._identities.apply(side, self.relations):
                self._list(side)
            if not self._publishes:
                return Published([])
            publications = Publications(side, self._options)
            try:
                return publications.ensure(self.relations, slot_exists=slot_exists, resuming=resuming)
            except ConfigError as error:
                old = [r for r in self.relations if r.full_name in known]
                if not old or len(old) == len(self.relations):
                    raise
                log.warning("New tables cannot join: %s", error)
                self.relations = old
                return publications.ensure(old, slot_exists=slot_exists, resuming=resuming)

    def _list(self, side: PlainConnection) -> None:
        found = catalog.candidates(side, via_root=self._options["publish.via.partition.root"])
        chosen = [r for r in found if self._selection.table(r.schema, r.name)]
        self.departures.compare(self.relations, found, {r.full_name for r in chosen})
        self.relations = catalog.with_leaves(side, chosen)

    def completed(self, position: Position, published: Published) -> Position:
        """The position with what the captured tables need: which of them are to be copied, and which anew."""
        position, renamed = self._plan.renamed(position, self.relations)
        self.departures.renamed(renamed)
        # Whatever happened to a table while it was not published is not in the log.
        position = self._plan.unpublished(position, published.added)
        return self._plan.complete(position, self.relations, published.members, self._requests.streamed)

    def to_copy(self, position: Position) -> list[Relation]:
        """Tables whose copy is not finished."""
        return self._plan.todo(position, self.relations)
