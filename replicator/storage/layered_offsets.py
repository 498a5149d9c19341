"""Offsets of a connector with a topic of its own (`offsets.storage.topic`), over the worker's store. Any thread.

The connector's topic wins; what is only in the worker's store (from before the connector had its own topic) is still
found. Offsets go to the connector's topic first, removals to the worker's first: otherwise what was removed could
come back from there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from replicator.api.errors import ConnectError
from replicator.broker.message import NewMessage
from replicator.storage.base import Offset, OffsetPartition, OffsetStore
from replicator.storage.formats import partition_identity

log = logging.getLogger(__name__)

Entries = Sequence[tuple[OffsetPartition, Offset | None]]


class LayeredOffsetStore:
    """See the module."""

    def __init__(self, own: OffsetStore, worker: OffsetStore) -> None:
        """`own` is started and stopped here, `worker` by its owner."""
        self._own = own
        self._worker = worker

    def start(self) -> None:
        """Open the connector's topic."""
        self._own.start()

    def stop(self) -> None:
        """Release it."""
        self._own.stop()

    def read(self, connector: str, partition: OffsetPartition) -> dict[str, Any] | None:
        """The stored offset of one source partition."""
        found = self._own.read(connector, partition)
        return found if found is not None else self._worker.read(connector, partition)

    def offsets(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All (partition, offset) of a connector."""
        found = {partition_identity(p): (p, o) for p, o in self._worker.offsets(connector)}
        found |= {partition_identity(p): (p, o) for p, o in self._own.offsets(connector)}
        return list(found.values())

    def write(self, connector: str, offsets: Entries) -> None:
        """Store offsets; those removed go from both stores or from none."""
        self._remove_below(connector, offsets)
        self._own.write(connector, offsets)
        self._copy(connector, offsets)

    def messages(self, connector: str, offsets: Entries) -> list[NewMessage]:
        """Offset records to append together with the data."""
        self._remove_below(connector, offsets)
        return self._own.messages(connector, offsets)

    def observe(self, connector: str, offsets: Entries) -> None:
        """What `messages` gave was appended."""
        self._own.observe(connector, offsets)
        self._copy(connector, offsets)

    def _remove_below(self, connector: str, offsets: Entries) -> None:
        removed = [(partition, None) for partition, offset in offsets if offset is None]
        if removed:
            self._worker.write(connector, removed)

    def _copy(self, connector: str, offsets: Entries) -> None:
        """Best effort: the connector's own topic has them."""
        kept = [(partition, offset) for partition, offset in offsets if offset is not None]
        try:
            if kept:
                self._worker.write(connector, kept)
        except ConnectError as error:
            log.warning("%s: its offsets were not copied to the worker's store: %s", connector, error)
