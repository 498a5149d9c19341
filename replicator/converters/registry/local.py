"""Registries within this process: the worker's own (`embedded://`) and those of tests (`mock://scope`).

The worker binds its registry when it starts; converters that were configured with `embedded://`
find it when they first ask. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from replicator.api.errors import ConfigError
from replicator.converters.registry.model import Answer, Transport

_lock: Final = threading.Lock()
_bound: Final[list[Transport]] = []
_scopes: Final[dict[str, Transport]] = {}


def bind(registry: Transport) -> Callable[[], None]:
    """Make a registry the one that `embedded://` means; returns what undoes it."""
    with _lock:
        _bound.append(registry)

    def undo() -> None:
        with _lock:
            if registry in _bound:
                _bound.remove(registry)
        registry.close()

    return undo


def current() -> Transport | None:
    """The bound registry; of several workers in one process that of the latest."""
    with _lock:
        return _bound[-1] if _bound else None


class EmbeddedTransport:
    """Calls into the worker's own registry."""

    def call(self, method: str, path: str, query: Mapping[str, str], body: Any = None) -> Answer:
        registry = current()
        if registry is None:
            raise ConfigError(
                "schema.registry.url is embedded://, but there is no registry within this worker.",
                option="schema.registry.url",
                hint="Set the URL of a schema registry.",
            )
        return registry.call(method, path, query, body)

    def close(self) -> None:
        """The worker closes its registry itself."""


def scope(name: str, make: Callable[[], Transport]) -> Transport:
    """The registry of a scope, made on first use and shared by all who name it."""
    with _lock:
        if name not in _scopes:
            _scopes[name] = make()
        return _scopes[name]


def drop_scope(name: str) -> None:
    """Forget a scope (tests)."""
    with _lock:
        _scopes.pop(name, None)
