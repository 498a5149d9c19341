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
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from replicator.api.errors import ConnectError, NotFoundError
from replicator.config.providers import Leased, Resolver
from replicator.herder.base import Herder

log = logging.getLogger(__name__)

_TICK = 0.2
_AGAIN = 5.0
_RESTART = "restart"


class _Lease(NamedTuple):
    """What is known of a connector: its options as stored, when to ask again, and what the last answer was."""

    config: Mapping[str, str]
    due: float
    digest: bytes


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
        self._leases: dict[str, _Lease] = {}
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
            if not self._active():
                continue
            try:
                self.look(time.monotonic())
            except ConnectError as error:
                log.warning("The leases of config providers cannot be looked at: %s", error)

    def look(self, now: float) -> None:
        """Look after every connector whose lease has ended by `now`; from any thread."""
        with self._lock:
            names = self._herder.connectors()
            for name in [known for known in self._leases if known not in names]:
                del self._leases[name]
            for name in names:
                try:
                    self._look_after(name, self._herder.connector_config(name), now)
                except NotFoundError:
                    continue  # deleted meanwhile

    def _look_after(self, name: str, config: Mapping[str, str], now: float) -> None:
        lease = self._leases.get(name)
        if lease is not None and lease.config == config and now < lease.due:
            return
        placeholders = any("${" in str(value) for value in config.values())
        try:
            leased = self._resolver.lease(config) if placeholders else Leased({}, None)
        except ConnectError as error:
            # The provider has nothing just now: running tasks keep what they have.
            log.warning("%s: options cannot be resolved again: %s", name, error)
            self._leases[name] = _Lease(config, now + _AGAIN, lease.digest if lease is not None else b"")
            return
        digest = self._digest(leased.options)
        due = float("inf") if leased.ttl_ms is None else now + leased.ttl_ms / 1000
        self._leases[name] = _Lease(config, due, digest)
        if lease is None or lease.config != config or lease.digest == digest:
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
