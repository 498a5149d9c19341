"""One writer at a time: what it decides on is the state with everything written so far. Any thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from replicator.converters.registry.server.state import Journal, State


class Writer:
    """The journal behind a lock."""

    def __init__(self, known: State, journal: Journal) -> None:
        self.state = known
        self.journal = journal
        self._writing = threading.Lock()

    @contextmanager
    def alone(self) -> Iterator[Journal]:
        """The journal, with everything of others read and nobody else of this process writing."""
        with self._writing:
            self.journal.refresh()
            yield self.journal
