"""Tables without replica identity that were updated or deleted from: what the target lacks until they are copied (C4).

Owned by the watch thread; the reader counts before each copy and tells of those that are finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from connectors.postgres.catalog import Relation
from connectors.postgres.connection import PlainConnection
from connectors.postgres.errors import translated

_CHANGED: Final = """
SELECT relid::int8, coalesce(n_tup_upd, 0) + coalesce(n_tup_del, 0)
  FROM pg_stat_user_tables WHERE relid = ANY(%s::oid[])
"""


class Copied(NamedTuple):
    """A finished copy: what was missing in these tables is there again.

    Attributes:
        names: the tables.
        changes: updates and deletes of those without replica identity before the copy began, by object id.
    """

    names: list[str]
    changes: dict[int, int]


def changes(connection: PlainConnection, relations: Sequence[Relation]) -> dict[int, int]:
    """Updates and deletes so far of the tables without replica identity, by object id of each leaf."""
    leaves = [leaf for r in relations if not r.has_identity for leaf in r.leaves]
    if not leaves:
        return {}
    with translated("reading statistics"):
        return {int(oid): int(count) for oid, count in connection.execute(_CHANGED, [leaves]).fetchall()}


class Divergence:
    """Compares the counts with those of the newest copies."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._tables: set[str] = set()

    def copied(self, copied: Copied) -> None:
        """These are whole again."""
        self._counts.update(copied.changes)
        self._tables.difference_update(copied.names)

    def inspect(self, connection: PlainConnection, relations: Sequence[Relation]) -> list[str]:
        """A sentence for each table that diverged."""
        leaves = {leaf: r.full_name for r in relations if not r.has_identity for leaf in r.leaves}
        counts = changes(connection, relations).items()
        changed = {leaves[oid] for oid, count in counts if count > self._counts.setdefault(oid, count)}
        self._tables |= changed
        return [
            f"Table {name} diverged: it has no replica identity and was updated or deleted from, which is not "
            f"replicated. Give it a primary key or REPLICA IDENTITY FULL, and it is copied anew by itself."
            for name in sorted(self._tables & set(leaves.values()))
        ]
