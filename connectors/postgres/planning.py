"""What a session has to do before it can stream: which tables to capture, which of them to copy. Pure.

A table without an entry in the stored copy state was never copied; one whose entry is not done was cut short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

    def complete(self, position: Position, captured: Sequence[Relation]) -> Position:
        """The position with an entry for every captured table that is not to be copied.

        A table that had no replica identity and has one now was updated without our knowledge: its rows so far
        are void, and it is copied anew (C4).
        """
        tables = dict(position.copy.tables)
        gained = []
        for relation in captured:
            name = relation.full_name
            if name not in tables and not self._copied(name):
                tables[name] = NOT_COPIED
            known = tables.get(name)
            if known is not None and known.bare and relation.has_identity and self._copied(name):
                gained.append(name)
            elif known is not None and known.bare == relation.has_identity:
                tables[name] = replace(known, bare=not relation.has_identity)
        position = position.moved(copy=CopyState(tables))
        return void(position, gained) if gained else position

    def todo(self, position: Position, captured: Sequence[Relation]) -> list[Relation]:
        """Tables whose copy is not finished."""
        tables = position.copy.tables
        return [r for r in captured if r.full_name not in tables or not tables[r.full_name].done]

    def _copied(self, name: str) -> bool:
        return self._copies and (not self._wanted or self._wanted.match(name))


def adopted(captured: Iterable[Relation]) -> CopyState:
    """State for a position that another program stored: it has copied what it wanted."""
    return CopyState({r.full_name: NOT_COPIED for r in captured})


def void(position: Position, names: Iterable[str]) -> Position:
    """The position with the rows of some tables declared void: they are copied again behind a truncate."""
    tables = dict(position.copy.tables)
    for name in names:
        known = tables.get(name)
        if known is not None:
            tables[name] = replace(known, done=False, after=None, files=VOID, bare=False)
    return position.moved(copy=CopyState(tables), copying=True)
