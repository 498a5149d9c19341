"""A frozen or unreachable reader that still holds the slot: ended by its successor (reader thread, INV-10).

The server itself gives such a reader up only after wal_sender_timeout, a minute by default. A reader that lives
sends its status every status.update.interval.ms, so one of ours whose last status stays the same for longer than
that, by the clock of who watches, has no claim any more: should it wake up, its connection is gone and its
producer is fenced.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated
from connectors.postgres.slot import Slot

log = logging.getLogger(__name__)

_LAST_STATUS: Final = """
SELECT to_jsonb(r) ->> 'reply_time' FROM pg_stat_replication r
 WHERE pid = %s AND application_name = %s AND usename = current_user
"""
_GRACE: Final = 2.5


class SilentReader:
    """Watches who holds the slot, from attempt to attempt."""

    def __init__(
        self,
        options: Mapping[str, Any],
        application: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`application` is the application_name of readers like us."""
        self._patience: float = options["status.update.interval.ms"] / 1000 + _GRACE
        self._application = application
        self._clock = clock
        self._seen: tuple[int, str | None] | None = None
        self._since = 0.0

    def end(self, connection: PlainConnection, slot: Slot | None) -> bool:
        """End the slot's reader if it was silent for too long; whether it did."""
        if slot is None or slot.active_pid is None:
            self._seen = None
            return False
        with translated("looking who reads the slot"):
            row = connection.execute(_LAST_STATUS, [slot.active_pid, self._application]).fetchone()
        if row is None:
            self._seen = None
            return False
        if self._seen != (slot.active_pid, row[0]):
            self._seen, self._since = (slot.active_pid, row[0]), self._clock()
            return False
        if self._clock() - self._since < self._patience:
            return False
        log.warning(
            "The former reader of slot %s (pid %s on the server) has been silent for %.0f s: it is ended.",
            slot.name, slot.active_pid, self._clock() - self._since,
        )  # fmt: skip
        with translated("ending the slot's former reader"):
            connection.execute("SELECT pg_terminate_backend(%s)", [slot.active_pid])
        self._seen = None
        return True
