"""Heartbeat records: they carry the source's position to where consumers can see it, on a timer.

Owned by the reader thread. The position itself moves without them, too (C5); they are made only when
`heartbeat.interval.ms` says so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from connectors.cdc import schemas
from replicator.api import SourceRecord, Struct
from replicator.api.record import LazyOffset


class Heartbeat:
    """Knows when the next heartbeat is due, and makes it."""

    def __init__(self, interval_ms: int, topic: str, server: str) -> None:
        self._interval = interval_ms / 1000
        self._topic = topic
        self._server = server
        self._next = time.monotonic() + self._interval

    def due(self) -> bool:
        """Whether a heartbeat should be sent now; the next one is due an interval later."""
        if not self._interval:
            return False
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._interval
        return True

    @property
    def enabled(self) -> bool:
        """Whether there are heartbeats at all."""
        return bool(self._interval)

    def record(self, partition: Mapping[str, Any], offset: Mapping[str, Any] | LazyOffset) -> SourceRecord:
        """A heartbeat with the given offset."""
        now = int(time.time() * 1000)
        return SourceRecord(
            partition,
            offset,
            self._topic,
            0,
            schemas.HEARTBEAT_KEY,
            Struct(schemas.HEARTBEAT_KEY, {"serverName": self._server}),
            schemas.HEARTBEAT_VALUE,
            Struct(schemas.HEARTBEAT_VALUE, {"ts_ms": now}),
        )
