"""Combinations of schemas: which may become which, and whether their parts can be paired. Pure, any thread."""

from __future__ import annotations

from collections.abc import Sequence

from replicator.converters.registry.json_shapes import Shape


def criteria(new: Shape, old: Shape) -> str | None:
    """What is wrong with another criterion; None if nothing is."""
    if new.criterion in (old.criterion, "anyOf"):
        return None
    single = len(old.parts) == 1 and (new.criterion == "oneOf" or len(new.parts) == 1)
    return None if single else "COMBINED_TYPE_CHANGED"


def matching(fits: Sequence[Sequence[bool]]) -> int:
    """The largest number of rows that can each have a column of its own that fits."""
    taken: dict[int, int] = {}

    def place(row: int, tried: set[int]) -> bool:
        for column, fit in enumerate(fits[row]):
            if fit and column not in tried:
                tried.add(column)
                if column not in taken or place(taken[column], tried):
                    taken[column] = row
                    return True
        return False

    return sum(place(row, set()) for row in range(len(fits)))
