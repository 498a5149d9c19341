"""How a worker is a member of its group, and what it knows of a completed round. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replicator.herder.group_protocol import Assignment
from replicator.herder.views import TaskId
from replicator.herder.work import Work


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """How to be a member.

    Attributes:
        client: options of the Kafka client, in kafka-python's names.
        group: name of the group.
        url: REST address of this worker.
        protocol: sessioned, compatible or eager.
        session_ms, heartbeat_ms, rebalance_ms: timeouts.
        max_delay_ms: longest wait for a worker that vanished.
    """

    client: Mapping[str, Any]
    group: str
    url: str
    protocol: str
    session_ms: int
    heartbeat_ms: int
    rebalance_ms: int
    max_delay_ms: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A completed round, as seen by one member."""

    assignment: Assignment
    generation: int
    member: str
    protocol: str

    @property
    def leads(self) -> bool:
        """Whether this member is the leader."""
        return self.member == self.assignment.leader

    @property
    def incremental(self) -> bool:
        """Whether the protocol moves only what must move."""
        return self.assignment.version >= 1

    @property
    def sessioned(self) -> bool:
        """Whether requests between workers are signed."""
        return self.assignment.version >= 2


@dataclass(slots=True)
class Leadership:
    """What the leader of the present round knows of the members."""

    urls: Mapping[str, str] = field(default_factory=dict)
    work: Mapping[str, Work] = field(default_factory=dict)

    def owner(self, connector: str, task: int | None = None) -> str | None:
        """URL of the worker that runs a connector or task."""
        for member, has in self.work.items():
            runs = connector in has.connectors if task is None else TaskId(connector, task) in has.tasks
            if runs:
                return self.urls.get(member)
        return None
