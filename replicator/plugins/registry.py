"""The registry: plugin names to classes, imported on first use.

Names come from entry points (cheap: metadata only). Java class names and short forms of the
built-in plugins are resolved through a static table, those of third parties through the
`aliases` of their classes, which costs an import and happens only when nothing else matched.
One broken plugin gives one error and hides no other.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint
from typing import Any, Final

from replicator.api.errors import ConfigError, ConnectError
from replicator.api.source import Connector
from replicator.plugins.aliases import BUILT_IN
from replicator.plugins.discovery import KINDS, discover, version_of

_SUFFIXES: Final = {
    "sink": ("Connector", "SinkConnector"),
    "source": ("Connector", "SourceConnector"),
    "converter": ("Converter",),
    "header_converter": ("HeaderConverter", "Converter"),
    "transformation": ("Transformation",),
    "predicate": ("Predicate",),
}


class Registry:
    """Plugins of all kinds; may be used from any thread.

    Attributes:
        broken: plugin name -> why it cannot be imported.
    """

    def __init__(
        self,
        points: dict[str, dict[str, EntryPoint]] | None = None,
        *,
        plugin_path: Sequence[str] | None = None,
    ) -> None:
        self._points = discover(tuple(p for p in plugin_path or () if p)) if points is None else points
        self._classes: dict[tuple[str, str], type[Any]] = {}
        self._added: dict[str, dict[str, type[Any]]] = {kind: {} for kind in KINDS}
        self._lock = threading.RLock()
        self.broken: dict[str, str] = {}

    def add(self, kind: str, cls: type[Any], name: str | None = None) -> None:
        """Add a class directly (tests, embedding)."""
        self._added[kind][name or cls.__name__] = cls

    def names(self, kind: str) -> list[str]:
        """Names of the plugins of a kind."""
        return sorted({*self._points.get(kind, {}), *self._added[kind]})

    def find(self, kind: str, name: str) -> type[Any] | None:
        """The class a user means by `name`, or None when there is none.

        Raises:
            ConnectError: the plugin exists but cannot be imported.
        """
        with self._lock:
            cached = self._classes.get((kind, name))
            if cached is None:
                cached = self._search(kind, name)
                if cached is not None:
                    self._classes[kind, name] = cached
            return cached

    def get(self, kind: str, name: str) -> type[Any]:
        """The class a user means by `name`.

        Raises:
            ConfigError: there is no such plugin; near names are suggested.
            ConnectError: it cannot be imported.
        """
        found = self.find(kind, name)
        if found is None:
            family = self.family(kind, name)
            if family is not None:
                raise ConfigError(family)
            near = difflib.get_close_matches(name.rpartition(".")[2], self.names(kind), n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(self.names(kind))}."
            raise ConfigError(f"Failed to find any {kind.replace('_', ' ')} named {name}.", hint=hint)
        return found

    def family(self, kind: str, name: str) -> str | None:
        """What to tell of a name that stands for two transforms, of key and value, such as Cast."""
        parts = [f"{name}$Key", f"{name}$Value"]
        if kind != "transformation" or any(self.find(kind, part) is None for part in parts):
            return None
        return f"This class is abstract and cannot be created. Did you mean {', '.join(parts)}?"

    def connector(self, name: str) -> tuple[str, type[Any]]:
        """Kind ("source" or "sink") and class of a connector.

        Raises:
            ConfigError: there is no such connector.
        """
        # A sink's name must not cost the import of every source, whose own aliases could match as well.
        for kind in ("source", "sink"):
            if any(
                c in self._added[kind] or c in self._points.get(kind, {}) for c in _candidates(kind, name)
            ):
                return kind, self.get(kind, name)
        for kind in ("source", "sink"):
            found = self.find(kind, name)
            if found is not None:
                return kind, found
        known = self.names("source") + self.names("sink")
        near = difflib.get_close_matches(name.rpartition(".")[2], known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else None
        message = (
            f"Failed to find any class that implements Connector and which name matches {name}, available connectors"
            f" are: {', '.join(sorted(known))}"
        )
        raise ConfigError(message, option="connector.class", hint=hint)

    def all(self) -> Iterator[tuple[str, str, type[Any]]]:
        """Kind, name and class of every plugin that can be imported."""
        for kind in KINDS:
            for name in self.names(kind):
                try:
                    yield kind, name, self.get(kind, name)
                except ConnectError as error:
                    self.broken[name] = error.message

    def version(self, kind: str, name: str, cls: type[Any]) -> str | None:
        """What a plugin says its version is, else the version of the package it is from."""
        own = getattr(cls, "version", None)
        if own is not None and getattr(own, "__func__", own) is not Connector.version.__func__:  # type: ignore[attr-defined]
            return str(own())
        point = self._points.get(kind, {}).get(name)
        if point is not None and (found := version_of(point)) is not None:
            return found
        return str(own()) if own is not None else None

    def _search(self, kind: str, name: str) -> type[Any] | None:
        for candidate in _candidates(kind, name):
            if candidate in self._added[kind]:
                return self._added[kind][candidate]
            if candidate in self._points.get(kind, {}):
                return self._load(kind, candidate)
        return self._search_aliases(kind, name)

    def _search_aliases(self, kind: str, name: str) -> type[Any] | None:
        for known in self.names(kind):
            try:
                cls = self._added[kind].get(known) or self._load(kind, known)
            except ConnectError as error:
                self.broken[known] = error.message
                continue
            own = f"{cls.__module__}.{cls.__qualname__}"
            if name in cls.aliases or name in (own, own.replace("__", "$")):
                return cls
        return None

    def _load(self, kind: str, name: str) -> type[Any]:
        try:
            loaded: type[Any] = self._points[kind][name].load()
        except Exception as error:
            self.broken[name] = f"{type(error).__name__}: {error}"
            raise ConnectError(f"Plugin {name} cannot be imported: {self.broken[name]}") from error
        return loaded


def _candidates(kind: str, name: str) -> Iterator[str]:
    """Entry point names that `name` may stand for, most exact first."""
    yield name
    if name in BUILT_IN:
        yield BUILT_IN[name]
        return
    # A dotted name that is no built-in's belongs to somebody else: only its own aliases may match.
    if "." not in name:
        for suffix in _SUFFIXES[kind]:
            yield name + suffix
        base, separator, variant = name.partition("$")
        if separator:
            yield base + variant
            yield base
