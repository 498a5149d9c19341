"""Reads and changes the offsets of one connector, wherever they are kept; for every herder. Any thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from replicator.herder import offsets as views
from replicator.runtime.assembly import WorkerParts, sink_group
from replicator.runtime.exactly_once import offset_store
from replicator.storage.base import OffsetStore


class OffsetChanges:
    """Offsets of a connector; to change them it must be stopped, which the herder checks."""

    def __init__(
        self, parts: WorkerParts, name: str, kind: str, cls: type[Any], config: Mapping[str, str]
    ) -> None:
        """Of a connector by name.

        Args:
            parts: of the worker.
            name: of the connector.
            kind: source or sink.
            cls: class of the connector.
            config: its unresolved configuration.
        """
        self._parts = parts
        self._name = name
        self._sink = kind == "sink"
        self._cls = cls
        self._config = config

    def show(self) -> list[dict[str, Any]]:
        """Stored offsets of a source, group positions of a sink."""
        if self._sink:
            return views.show_sink(self._parts.broker.admin(), self._group())
        with self._store() as store:
            return views.show_source(store, self._name)

    def alter(self, offsets: Sequence[Mapping[str, Any]]) -> str:
        """Change some; the connector itself is asked first (C11)."""
        if self._sink:
            return views.message("altered", by_connector=self._change_sink(views.parse_sink(offsets)))
        changed = views.parse_source(offsets)
        by_connector = self._ask({"offsets": changed})
        with self._store() as store:
            store.write(self._name, changed)
        return views.message("altered", by_connector=by_connector)

    def reset(self) -> str:
        """Remove all."""
        if self._sink:
            admin, group = self._parts.broker.admin(), self._group()
            by_connector = self._change_sink(dict.fromkeys(admin.group_offsets(group)))
            views.reset_sink(admin, group)
        else:
            with self._store() as store:
                removed = [(partition, None) for partition, _ in store.offsets(self._name)]
                by_connector = self._ask({"offsets": removed})
                store.write(self._name, removed)
        return views.message("reset", by_connector=by_connector)

    def _change_sink(self, wanted: Mapping[Any, int | None]) -> bool:
        admin, group = self._parts.broker.admin(), self._group()
        views.check_no_members(admin, group)
        by_connector = self._ask(wanted)
        views.alter_sink(admin, group, wanted)
        return by_connector

    def _ask(self, offsets: Mapping[Any, Any]) -> bool:
        return bool(self._cls().alter_offsets(self._resolved(), offsets))

    @contextmanager
    def _store(self) -> Iterator[OffsetStore]:
        """The store of a source's offsets: the worker's, and over it the connector's own topic if it has one."""
        store, release = offset_store(self._parts, self._resolved())
        try:
            yield store
        finally:
            release()

    def _resolved(self) -> dict[str, str]:
        return self._parts.resolver.resolve(self._config)

    def _group(self) -> str:
        return sink_group(self._name, self._resolved())
