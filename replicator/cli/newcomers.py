"""Tables that appear in the source while a pipeline runs: `sync` adds them at its next start, and says so.

A thread of its own with a connection of its own: a source that does not answer must not keep `sync` from stopping.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence

from replicator.api.database import SourceDatabase
from replicator.api.errors import ConnectError

log = logging.getLogger(__name__)

EVERY = 30.0


class Newcomers:
    """Looks for tables that match the pipeline's patterns and were not there at its start.

    Attributes:
        names: those found at the last look.
    """

    def __init__(
        self, source: SourceDatabase, include: Sequence[str], exclude: Sequence[str], known: Iterable[str]
    ) -> None:
        self.names: tuple[str, ...] = ()
        self._source = source
        self._include = include or ["*.*"]
        self._exclude = exclude
        self._known = frozenset(known)
        self._stop = threading.Event()

    def start(self) -> None:
        """Start the thread; it ends with the process or with `stop`."""
        threading.Thread(target=self._run, name="newcomers", daemon=True).start()

    def stop(self) -> None:
        """End the thread after its present look."""
        self._stop.set()

    def look(self) -> None:
        """Look once."""
        found = (t for t in self._source.tables(self._include, self._exclude) if not t.unlogged)
        self.names = tuple(t.full_name for t in found if t.full_name not in self._known)

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self.look()
            except ConnectError as error:
                log.debug("No look for new tables: %s", error)
        self._source.close()
