"""Restarts connectors whose resolved options have changed when the lease of a value ends (`config.action.reload`).

One thread; it asks the config providers again and compares what they give. Only a digest of the values is kept,
made with a key of this process (INV-9).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from replicator.api.errors import ConnectError
from replicator.config.providers import Resolver
from replicator.herder.base import Herder

log = logging.getLogger(__name__)

_TICK = 1.0
_RESTART = "restart"


class Reloads:
    """See the module."""

    def __init__(
        self,
        herder: Herder,
        resolver: Resolver,
        *,
        active: Callable[[], bool] = lambda: True,
        tick: float = _TICK,
    ) -> None:
        """`active` says whether this worker is the one that restarts (of several, the leader)."""
        self._herder = herder
        self._resolver = resolver
        self._active = active
        self._tick = tick
        self._key = os.urandom(16)
        self._due: dict[str, tuple[float, bytes]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="config-reloads", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.wait(self._tick):
            if self._active():
                self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Look after every connector whose lease has ended by `now`; from any thread."""
        with self._lock:
            names = self._herder.connectors()
            for name in [known for known in self._due if known not in names]:
                del self._due[name]
            for name in names:
                due = self._due.get(name)
                if due is None or due[0] <= now:
                    self._look_after(name, now)

    def _look_after(self, name: str, now: float) -> None:
        try:
            config = self._herder.connector_config(name)
            if not any("${" in str(value) for value in config.values()):
                return
            leased = self._resolver.lease(config)
        except ConnectError as error:
            # Deleted meanwhile, or the provider has nothing just now: the running tasks keep what they have.
            log.warning("%s: options cannot be resolved again: %s", name, error)
            return
        if leased.ttl_ms is None:
            self._due.pop(name, None)
            return
        before = self._due.get(name)
        digest = self._digest(leased.options)
        self._due[name] = (now + leased.ttl_ms / 1000, digest)
        if before is None or before[1] == digest:
            return
        if str(leased.options.get("config.action.reload") or _RESTART).lower() == _RESTART:
            self._restart(name)

    def _restart(self, name: str) -> None:
        log.info("%s: a config provider gives another value: it is restarted", name)
        try:
            self._herder.restart_connector(name, include_tasks=True)
        except ConnectError as error:
            log.warning("%s: could not be restarted with its new options: %s", name, error)

    def _digest(self, options: dict[str, Any]) -> bytes:
        text = json.dumps(options, sort_keys=True, default=str).encode()
        return hashlib.blake2b(text, key=self._key).digest()
