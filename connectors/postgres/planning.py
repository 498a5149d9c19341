"""What a session has to do before it can stream: which tables to capture, which of them to copy. Pure.

A table without an entry in the stored copy state was never copied; one whose entry is not done was cut short.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.cdc.selection import Patterns
from connectors.postgres.catalog import Relation
from connectors.postgres.position import CopyState, Position, TableCopy
from connectors.postgres.snapshot import VOID

_COPYING_MODES: Final = ("initial", "initial_only", "always", "when_needed")

NOT_COPIED: Final = TableCopy(point=0, done=True)
"""Entry of a table whose rows are not wanted, or were copied by somebody else."""


class CopyPlan:
    """Decides which tables are copied."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._copies = options["snapshot.mode"] in _COPYING_MODES
        option = "snapshot.include.collection.list"
        self._wanted = Patterns(option, options[option])
        self._signals = options["signal.data.collection"]

    def complete(
        self,
        position: Position,
        captured: Sequence[Relation],
        members: Mapping[int, int],
        streamed: Container[str] = (),
    ) -> Position:
        """The position with an entry for every captured table that is not to be copied.

        A table that changed without our knowledge is copied anew: it had no replica identity and has one now
        (C4), it was dropped and created again, or it was not published for a while.

        Args:
            position: where the reader stands.
            captured: the tables as they are.
            members: their memberships in the publication.
            streamed: new tables whose rows are all in the stream.
        """
        tables = dict(position.copy.tables)
        again = []
        for relation in captured:
            name = relation.full_name
            if name not in tables and (name in streamed or not self._copied(name)):
                tables[name] = NOT_COPIED
            member = members.get(relation.oid, 0)
            known = tables.get(name)
            if known is None:
                continue
            if self._copied(name) and (_escaped(known, relation) or _unpublished(known, member)):
                again.append(name)
            tables[name] = replace(
                known, bare=not relation.has_identity, oid=relation.oid, member=member or known.member
            )
        position = position.moved(copy=CopyState(tables))
        return void(position, again) if again else position

    def renamed(self, position: Position, captured: Sequence[Relation]) -> tuple[Position, dict[str, str]]:
        """The position without names that captured tables had before, and all those names with the new ones.

        A table with another name is another one to the target: it is copied under the new name. The stream may have
        told some of its changes under that name already; they are void, because the copy is of later.
        """
        names = {r.oid: r.full_name for r in captured}
        tables = position.copy.tables
        renamed = {old: names[t.oid] for old, t in tables.items() if names.get(t.oid, old) != old}
        if not renamed:
            return position, renamed
        # A name that another table has by now keeps its entry, which tells that the table is another.
        now = set(names.values())
        left = {name: t for name, t in tables.items() if name not in renamed or name in now}
        again = [name for name in renamed.values() if self._copied(name)]
        return void(position.moved(copy=CopyState(left)), again), {
            old: new for old, new in renamed.items() if old not in now
        }

    def unpublished(self, position: Position, names: Iterable[str]) -> Position:
        """The position with tables that were not published for a while copied anew."""
        tables = position.copy.tables
        again = [n for n in names if self._copied(n) and n in tables and tables[n].point]
        return void(position, again) if again else position

    def todo(self, position: Position, captured: Sequence[Relation]) -> list[Relation]:
        """Tables whose copy is not finished."""
        tables = position.copy.tables
        return [r for r in captured if r.full_name not in tables or not tables[r.full_name].done]

    def _copied(self, name: str) -> bool:
        return self._copies and name != self._signals and (not self._wanted or self._wanted.match(name))


def _escaped(known: TableCopy, relation: Relation) -> bool:
    if known.bare and relation.has_identity:
        return True
    return bool(known.oid) and known.oid != relation.oid


def _unpublished(known: TableCopy, member: int) -> bool:
    # What was not copied is not missed, and a table without identity was out of it anyway.
    return bool(known.point and known.member and member) and known.member != member


def adopted(captured: Iterable[Relation], unpublished: Iterable[str]) -> CopyState:
    """State for a position that another program stored: it has copied what it wanted, of tables that it streamed."""
    unknown = set(unpublished)
    return CopyState({r.full_name: NOT_COPIED for r in captured if r.full_name not in unknown})


def void(position: Position, names: Iterable[str]) -> Position:
    """The position with the rows of some tables declared void: they are copied again behind a truncate."""
    tables = dict(position.copy.tables)
    for name in names:
        known = tables.get(name, TableCopy(point=0))
        tables[name] = replace(known, done=False, after=None, files=VOID)
    return position.moved(copy=CopyState(tables), copying=True)
