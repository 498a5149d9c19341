"""What each member of a group is going to have, while the leader shares out connectors and tasks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle
from typing import TypeVar

from replicator.herder.views import TaskId
from replicator.herder.work import Work

T = TypeVar("T", str, TaskId)


class Loads:
    """What each member is going to have."""

    def __init__(self, held: Mapping[str, Work]) -> None:
        self._connectors = {member: set(has.connectors) for member, has in held.items()}
        self._tasks = {member: set(has.tasks) for member, has in held.items()}

    def members(self) -> list[str]:
        return sorted(self._connectors)

    def idle(self) -> list[str]:
        return [m for m in self.members() if not self._connectors[m] and not self._tasks[m]]

    def work(self) -> dict[str, Work]:
        return {m: Work(frozenset(self._connectors[m]), frozenset(self._tasks[m])) for m in self._connectors}

    def add(self, member: str, part: Work) -> None:
        self._connectors[member] |= part.connectors
        self._tasks[member] |= part.tasks

    def remove(self, member: str, part: Work) -> None:
        self._connectors[member] -= part.connectors
        self._tasks[member] -= part.tasks

    def hand_out(self, candidates: Sequence[str], lost: Work) -> None:
        """Lost work goes round-robin to workers that came back, or came new, while it was missing."""
        ring = cycle(candidates)
        for connector in sorted(lost.connectors):
            self._connectors[next(ring)].add(connector)
        ring = cycle(candidates)
        for task in sorted(lost.tasks):
            self._tasks[next(ring)].add(task)

    def spread(self, fresh: Work) -> None:
        """Each piece goes to whoever has least."""
        _spread(self._connectors, sorted(fresh.connectors))
        _spread(self._tasks, sorted(fresh.tasks))

    def surplus(self, configured: Work) -> dict[str, Work]:
        """What members have above an even share."""
        if not any(self._connectors.values()) and not any(self._tasks.values()):
            return {}
        connectors = _surplus(self._connectors, len(configured.connectors))
        tasks = _surplus(self._tasks, len(configured.tasks))
        found = connectors.keys() | tasks.keys()
        return {m: Work(frozenset(connectors.get(m, ())), frozenset(tasks.get(m, ()))) for m in found}


def _spread(held: Mapping[str, set[T]], fresh: Iterable[T]) -> None:
    least: Callable[[str], tuple[int, str]] = lambda member: (len(held[member]), member)  # noqa: E731
    for piece in fresh:
        held[min(held, key=least)].add(piece)


def _surplus(held: Mapping[str, set[T]], total: int) -> dict[str, list[T]]:
    share, extra = divmod(total, len(held))
    taken: dict[str, list[T]] = {}
    # Who has most keeps the extra piece: that moves least.
    for member in sorted(held, key=lambda m: (-len(held[m]), m)):
        allowed = share
        if len(held[member]) > share and extra:
            allowed, extra = share + 1, extra - 1
        if len(held[member]) > allowed:
            taken[member] = sorted(held[member])[allowed:]
    return taken
