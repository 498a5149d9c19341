"""A worker's membership in the workers' Kafka group.

The `Coordinator`'s own IO thread sends heartbeats and runs the join; everything that takes time (stopping and starting
work) stays with the tick thread, which drives `poll`. While a join is under way no heartbeats are due, so the leader
may read the config topic inside of it. `changed` is called, from any thread, when `poll` has something to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from replicator.api.errors import RetriableError
from replicator.herder.coordinator import Coordinator
from replicator.herder.group_protocol import OFFERED, Assignment, WorkerState, encode_assignment
from replicator.herder.leader_rounds import LeaderRounds
from replicator.herder.membership import GroupOptions, Joined, Leadership
from replicator.storage.base import ConfigState


class GroupMember:
    """A worker's membership. Methods are for the tick thread unless they say otherwise.

    Attributes:
        held: what this worker told the group it has: set by the tick thread after each round.
        leadership: set while this member leads.
    """

    def __init__(
        self,
        options: GroupOptions,
        configs: Callable[[], ConfigState],
        refresh: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            options: how to be a member.
            configs: what is configured, as far as it was read.
            refresh: reads the config topic to its end; raises RetriableError when that takes too long.
            changed: told when `poll` has something to do.
        """
        self.options = options
        self.held: Assignment | None = None
        self.leadership: Leadership | None = None
        self.changed = changed
        self._configs = configs
        self._coordinator: Coordinator | None = None
        self._rounds = LeaderRounds(configs, refresh, options.max_delay_ms)
        self._contact = time.monotonic()

    def start(self, timeout: float) -> None:
        """Connect.

        Raises:
            RetriableError: no broker answers.
        """
        self._coordinator = Coordinator.connected(self, timeout)

    @property
    def member_id(self) -> str:
        """Id that the group gave this worker, or an empty text. Any thread."""
        coordinator = self._coordinator
        return "" if coordinator is None else str(coordinator.group_metadata().member_id)

    def needs_join(self) -> bool:
        """Whether a round is due. Any thread."""
        return self._coordinator is not None and bool(self._coordinator.need_rejoin())

    def request_rejoin(self) -> None:
        """Ask for a round. Any thread."""
        if self._coordinator is not None:
            self._coordinator.request_rejoin()

    def silent_for(self) -> float:
        """Seconds since the group's coordinator last answered. Any thread."""
        if self._coordinator is not None:
            self._contact = max(self._contact, self._coordinator.heartbeat.last_receive)
        return time.monotonic() - self._contact

    def given_up(self) -> bool:
        """Whether the group may have given this worker up: others may have its work. Any thread."""
        waits = self._coordinator is not None and self._coordinator.joining
        # A member whose join is under way is not asked for heartbeats; the round ends without it at last.
        limit = max(self.options.rebalance_ms, self.options.session_ms) if waits else self.options.session_ms
        return self.silent_for() * 1000 > limit

    def in_contact(self) -> None:
        """The coordinator took a request. IO thread."""
        self._contact = time.monotonic()

    def announce_leave(self, member: str) -> None:
        """A member leaves on purpose: nobody waits for it. Any thread."""
        self._rounds.depart(member)
        self.request_rejoin()

    def poll(self, timeout: float) -> Joined | None:
        """Keep the membership alive, and take part in a round that is due.

        Returns:
            The round, when one was completed just now.

        Raises:
            RetriableError: the group cannot be reached, or another member must act first.
            BrokerError: the group does not want this worker.
        """
        coordinator = self._require()
        coordinator.take_part(timeout)
        joined = coordinator.take_joined()
        if joined is not None:
            self._rounds.joined(joined)
            if not joined.leads:
                self.leadership = None
        return joined

    def leave(self, reason: str) -> None:
        """Leave the group; others take over at their next round."""
        if self._coordinator is not None:
            self._coordinator.leave(reason)

    def stop(self, reason: str = "the worker stops") -> None:
        """Leave and disconnect."""
        coordinator, self._coordinator = self._coordinator, None
        if coordinator is not None:
            coordinator.end(reason)

    # For the coordinator, on the IO thread

    def state(self) -> tuple[tuple[str, ...], WorkerState]:
        """Offered sub-protocols, and what this worker says of itself."""
        state = WorkerState(self.options.url, self._configs().offset, self.held)
        return OFFERED[self.options.protocol], state

    def assign(
        self, leader: str, protocol: str, members: Mapping[str, WorkerState], generation: int
    ) -> dict[str, bytes]:
        """The leader's part of a round."""
        assignments, self.leadership = self._rounds.assign(leader, protocol, members, generation)
        return {member: encode_assignment(a.version, a) for member, a in assignments.items()}

    def _require(self) -> Coordinator:
        if self._coordinator is None:
            raise RetriableError("The worker is not connected to its group.")
        return self._coordinator
