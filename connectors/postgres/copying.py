"""The copies of one task: as many snapshots as it takes, until every captured table is copied (C1, C2).

Owned by the reader thread, before a session streams. A table that was changed while it was read is read again under
another snapshot; tables that came meanwhile are copied as well.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from connectors.postgres.capture import Capture
from connectors.postgres.chunks import TableChanged
from connectors.postgres.connection import Connector, PlainConnection
from connectors.postgres.divergence import Copied, changes
from connectors.postgres.encoders import Encoders
from connectors.postgres.outbox import Outbox
from connectors.postgres.position import Position
from connectors.postgres.publication import Published
from connectors.postgres.session_connections import Connections
from connectors.postgres.snapshot import Copy, open_view
from connectors.postgres.start_point import StartPoint
from connectors.postgres.status import Status
from connectors.postgres.types_catalog import TypeCatalog
from connectors.postgres.walsender import format_lsn
from replicator.api import Header, SourceRecord

log = logging.getLogger(__name__)


class Copying:
    """Copies what is to be copied.

    Attributes:
        opened: when the open snapshot was opened, by this process's clock; None while there is none.
        finished: what was copied, for the watch to learn.
        everything: whether all tables are to be copied again, because snapshot.mode says so.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        connector: Connector,
        capture: Capture,
        encoders: Encoders,
        types: TypeCatalog,
        status: Status,
        outbox: Callable[[], Outbox],
        handed: Callable[[SourceRecord | None], None],
        check_stop: Callable[[], None],
        partition: Mapping[str, Any],
        extra_headers: list[Header],
        everything: bool,
    ) -> None:
        self._options = options
        self._connector = connector
        self._capture = capture
        self._encoders = encoders
        self._types = types
        self._status = status
        self._outbox = outbox
        self._handed = handed
        self._check_stop = check_stop
        self._partition = partition
        self._extra = extra_headers
        self.opened: float | None = None
        self.finished: deque[Copied] = deque()
        self.everything = everything

    def run(
        self, start: StartPoint, side: PlainConnection, position: Position, published: Published
    ) -> tuple[Position, Published]:
        """Copy until nothing is left; where the stream goes on, and what it is to read."""
        first = not any(t.done and t.point for t in position.copy.tables.values())
        while position.copying or self._capture.to_copy(position):
            position = self._round(start, side, position, published, first=first)
            first = False
            published = self._capture.fit(
                side, slot_exists=True, resuming=True, known=position.copy.tables.keys()
            )
            position = self._capture.completed(position, published)
        self._tell_copied(position)
        return position, published

    def _round(
        self,
        start: StartPoint,
        side: PlainConnection,
        position: Position,
        published: Published,
        *,
        first: bool,
    ) -> Position:
        """Copy under one snapshot."""
        todo = self._capture.to_copy(position)
        with ExitStack() as stack:
            connections = Connections(self._connector, stack)
            before = changes(side, todo)
            created = start.snapshot(connections)
            reading = connections.plain("copy")
            view = open_view(reading, created.snapshot or "", created.point, todo)
            outbox = self._outbox()
            copy = Copy(
                self._options,
                reading=reading,
                side=side,
                encoders=self._encoders,
                types=self._types,
                outbox=outbox,
                send=lambda: self._handed(outbox.send()),
                report=self._status.table,
                check_stop=self._check_stop,
                partition=self._partition,
                extra_headers=self._extra,
                first=first,
                published=published,
            )
            self._status.facts(phase="snapshot", lsn=format_lsn(created.point), now=True)
            log.info("Copying %d tables as of %s", len(todo), format_lsn(created.point))
            self.opened = time.monotonic()
            try:
                position = copy.run(view, todo, position.moved(copying=True))
            except TableChanged:
                log.warning("A table was changed during its copy: it starts over under a new snapshot")
                return copy.position
            finally:
                self.opened = None
            self.everything = False
            self.finished.append(Copied([r.full_name for r in todo], before))
            return position

    def _tell_copied(self, position: Position) -> None:
        """Also of tables that were copied before this task began."""
        tables = position.copy.tables
        known = {r.full_name: tables[r.full_name] for r in self._capture.relations if r.full_name in tables}
        self._status.tables(
            {
                name: {"state": "copied" if t.point else "not copied", "as_of": t.point}
                for name, t in known.items()
            },
            new_only=True,
        )
