"""What the config topic says between two turns of a worker's tick thread.

The store's thread notes, the tick thread takes; a note wakes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from replicator.storage.base import ConfigListener, RestartRequest, SessionKey


@dataclass(slots=True)
class Changes:
    """Names of connectors, by what changed.

    Attributes:
        connectors: their configurations.
        targets: the states that users want.
        tasks: their task configurations.
        restarts: restarts asked for.
        assign: whether connectors came or went, so that work must be shared anew.
    """

    connectors: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    restarts: dict[str, RestartRequest] = field(default_factory=dict)
    assign: bool = False


class ConfigChanges(ConfigListener):
    """See the module.

    Attributes:
        known: connectors that the tick thread has seen; others are new.
        on_logger_level: called with (logger, level) when a level is set for the whole group.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called when there is something to take."""
        self.known: frozenset[str] = frozenset()
        self.on_logger_level: Callable[[str, str], None] = lambda namespace, level: None
        self._wake = wake
        self._lock = threading.Lock()
        self._noted = Changes()

    @property
    def pending(self) -> bool:
        """Whether there is something to take."""
        return self._noted != Changes()

    def take(self) -> Changes:
        """What was noted since the last time."""
        with self._lock:
            noted, self._noted = self._noted, Changes()
        return noted

    # ConfigListener, on the store's thread

    def connector_updated(self, connector: str) -> None:
        """A new one is to be assigned; a changed one is started anew by its owner."""
        self._note(lambda c: c.connectors.add(connector), assign=connector not in self.known)

    def connector_removed(self, connector: str) -> None:
        """Whoever runs it stops."""
        self._note(lambda c: c.targets.discard(connector), assign=True)

    def tasks_updated(self, connector: str) -> None:
        """Its tasks start anew."""
        self._note(lambda c: c.tasks.add(connector))

    def target_state_changed(self, connector: str) -> None:
        """The user wants another state."""
        self._note(lambda c: c.targets.add(connector))

    def session_key_updated(self, key: SessionKey) -> None:
        """Requests may be signed."""
        self._wake()

    def restart_requested(self, request: RestartRequest) -> None:
        """The widest of several requests for one connector counts."""

        def add(changes: Changes) -> None:
            former = changes.restarts.get(request.connector)
            if former is None or _rank(request) > _rank(former):
                changes.restarts[request.connector] = request

        self._note(add)

    def logger_level_changed(self, namespace: str, level: str) -> None:
        """The level of a logger changes on every worker."""
        self.on_logger_level(namespace, level)

    def _note(self, change: Callable[[Changes], object], *, assign: bool = False) -> None:
        with self._lock:
            change(self._noted)
            self._noted.assign = self._noted.assign or assign
        self._wake()


def _rank(request: RestartRequest) -> int:
    """How much a request restarts; see the order in Connect's RestartRequest."""
    return (0 if request.only_failed else 2) + (1 if request.include_tasks else 0)
