"""Tables that were captured and are no longer there under their names: what remains of them in the target, in words.

Told by whoever notices first: the reader each time it lists the tables anew, the watch in between. Both compare the
tables that were captured so far with the catalog, so that none slips away between a look of one and of the other.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping

from connectors.postgres.catalog import Relation


class Departures:
    """A sentence for each name that is out of use; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sentences: dict[str, str] = {}

    def compare(self, known: Iterable[Relation], there: Iterable[Relation], chosen: Collection[str]) -> None:
        """Notice what became of captured tables.

        Args:
            known: the tables as they were captured.
            there: every table of the catalog that could be captured.
            chosen: full names of those that match the filters.
        """
        names = {r.oid: r.full_name for r in there}
        with self._lock:
            for relation in known:
                name, now = relation.full_name, names.get(relation.oid)
                if now is None:
                    self._sentences[name] = f"Table {name} was dropped: its rows remain in the target."
                elif now != name:
                    self._sentences[name] = _renamed(name, now, captured=now in chosen)
            self._forget(chosen)

    def renamed(self, names: Mapping[str, str]) -> None:
        """Notice captured tables that have other names than in the stored position, by their old ones."""
        with self._lock:
            for old, new in names.items():
                self._sentences[old] = _renamed(old, new, captured=True)

    def sentences(self) -> list[str]:
        """What there is to say."""
        with self._lock:
            return list(self._sentences.values())

    def _forget(self, chosen: Collection[str]) -> None:
        """A name that is in use again says enough by itself; its rows are copied anew."""
        for name in [n for n in self._sentences if n in chosen]:
            del self._sentences[name]


def _renamed(old: str, new: str, *, captured: bool) -> str:
    what = (
        ", and it is copied under the new one."
        if captured
        else "; what happens under the new one is captured once it matches the filters."
    )
    return (
        f"Table {old} was renamed {new}, which is another table to the target: its rows remain there under the old "
        f"name{what}"
    )
