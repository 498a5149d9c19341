"""Connectors and tasks as sets: what a worker of a group has, and the algebra over it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from replicator.herder.views import TaskId


@dataclass(frozen=True, slots=True)
class Work:
    """Connectors (their instances) and tasks."""

    connectors: frozenset[str] = frozenset()
    tasks: frozenset[TaskId] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.connectors or self.tasks)

    def __or__(self, other: Work) -> Work:
        return Work(self.connectors | other.connectors, self.tasks | other.tasks)

    def __sub__(self, other: Work) -> Work:
        return Work(self.connectors - other.connectors, self.tasks - other.tasks)

    def __and__(self, other: Work) -> Work:
        return Work(self.connectors & other.connectors, self.tasks & other.tasks)

    def __len__(self) -> int:
        return len(self.connectors) + len(self.tasks)


NOTHING = Work()


def work(connectors: Iterable[str] = (), tasks: Iterable[tuple[str, int]] = ()) -> Work:
    """Work of any iterables."""
    return Work(frozenset(connectors), frozenset(TaskId(*task) for task in tasks))


def configured(task_counts: Mapping[str, int]) -> Work:
    """Everything that is to run: each connector with so many tasks."""
    tasks = (TaskId(name, number) for name, count in task_counts.items() for number in range(count))
    return Work(frozenset(task_counts), frozenset(tasks))


def union(parts: Iterable[Work]) -> Work:
    """All of them together."""
    connectors: set[str] = set()
    tasks: set[TaskId] = set()
    for part in parts:
        connectors |= part.connectors
        tasks |= part.tasks
    return Work(frozenset(connectors), frozenset(tasks))


def duplicated(parts: Iterable[Work]) -> Work:
    """What several of them have."""
    seen, twice = NOTHING, NOTHING
    for part in parts:
        twice |= seen & part
        seen |= part
    return twice
