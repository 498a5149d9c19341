"""Names of all topics, kept fresh for subscriptions by pattern; one thread, only while somebody subscribes by one.

Patterns are matched here and not by librdkafka, whose regular expressions are not Java's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from replicator.api.errors import ConnectError

log = logging.getLogger(__name__)

_PERIOD: Final = 2.0
_INTERNAL: Final = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state"})


class TopicWatch:
    """See the module.

    Attributes:
        names: the topics there are, without Kafka's own.
        version: grows when `names` changed.
    """

    def __init__(self, ask: Callable[[], set[str]]) -> None:
        """Nothing is asked before somebody joins."""
        self._ask = ask
        self._lock = threading.Lock()
        self._readers = 0
        self._stop = threading.Event()
        self.names: frozenset[str] = frozenset()
        self.version = 0

    def join(self) -> None:
        """Somebody subscribes: the names are fresh when this returns."""
        self.refresh()
        with self._lock:
            self._readers += 1
            if self._readers == 1:
                self._stop = threading.Event()
                threading.Thread(
                    target=self._run, args=(self._stop,), name="kafka-topics", daemon=True
                ).start()

    def leave(self) -> None:
        """Somebody subscribes no more."""
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._stop.set()

    def refresh(self) -> None:
        """Ask now."""
        found = frozenset(self._ask()) - _INTERNAL
        with self._lock:
            if found != self.names:
                self.names = found
                self.version += 1

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(_PERIOD):
            try:
                self.refresh()
            except ConnectError as error:
                log.debug("The names of the topics could not be read: %s", error)
