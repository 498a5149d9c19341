"""Membership in the workers' Kafka group; the only module that imports kafka-python for it (D3).

kafka-python's own IO thread sends heartbeats and runs the join; everything that takes time (stopping and starting
work) stays with the tick thread, which drives `poll`. While a join is under way no heartbeats are due, so the leader
may read the config topic inside of it. `changed` is called, from any thread, when `poll` has something to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kafka import errors as kafka_errors
from kafka.coordinator.base import BaseCoordinator
from kafka.net.compat import KafkaNetClient
from kafka.protocol.consumer import LeaveGroupRequest
from kafka.structs import MemberState

from replicator.api.errors import BrokerError, RetriableError
from replicator.herder.group_protocol import (
    OFFERED,
    PROTOCOL_TYPE,
    VERSIONS,
    Assignment,
    WorkerState,
    decode_assignment,
    decode_state,
    encode_assignment,
    encode_state,
)
from replicator.herder.leader_rounds import LeaderRounds
from replicator.herder.membership import GroupOptions, Joined, Leadership
from replicator.storage.base import ConfigState

log = logging.getLogger(__name__)
# kafka-python tells every failed connection at level ERROR, several times a second; what matters is raised.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

# Survivors learn of a lost member with their next heartbeat, so it is not put off for long.
_LONGEST_HEARTBEAT_MS: Final = 1000
_LEAVE_MS: Final = 5000


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
        self._client: KafkaNetClient | None = None
        self._coordinator: _Coordinator | None = None
        self._rounds = LeaderRounds(configs, refresh, options.max_delay_ms)
        self._contact = time.monotonic()

    def start(self, timeout: float) -> None:
        """Connect.

        Raises:
            RetriableError: no broker answers.
        """
        client = KafkaNetClient(**self.options.client)
        manager = client._manager
        manager._net.start()
        try:
            manager.bootstrap(int(timeout * 1000))
            self._client = client
            self._coordinator = _Coordinator(self, client, self._settings(manager.broker_version))
        except kafka_errors.KafkaError as error:
            client.close()
            raise _translated(error) from error

    def _settings(self, version: tuple[int, ...]) -> dict[str, Any]:
        heartbeat = min(self.options.heartbeat_ms, _LONGEST_HEARTBEAT_MS, self.options.session_ms // 3)
        return {
            "group_id": self.options.group,
            "session_timeout_ms": self.options.session_ms,
            "heartbeat_interval_ms": heartbeat,
            "max_poll_interval_ms": self.options.rebalance_ms,
            "api_version": version,
        }

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
        try:
            coordinator.poll_heartbeat()
            if coordinator.need_rejoin():
                coordinator.ensure_active_group(timeout_ms=max(1.0, timeout * 1000))
        except kafka_errors.KafkaError as error:
            raise _translated(error) from error
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
            coordinator.leave(reason, for_ever=True)
        if self._client is not None:
            self._client.close()
            self._client = None

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

    def _require(self) -> _Coordinator:
        if self._coordinator is None:
            raise RetriableError("The worker is not connected to its group.")
        return self._coordinator


class _Coordinator(BaseCoordinator):  # type: ignore[misc]
    """kafka-python's group protocol with Connect's contents. Overridden methods run on the IO thread."""

    def __init__(self, member: GroupMember, client: KafkaNetClient, settings: Mapping[str, Any]) -> None:
        self._member = member
        self._joined: Joined | None = None
        self.joining = False
        super().__init__(client, **settings)

    def take_joined(self) -> Joined | None:
        """The round completed last, once (tick thread)."""
        joined, self._joined = self._joined, None
        return joined

    def protocol_type(self) -> str:
        return PROTOCOL_TYPE

    def group_protocols(self) -> list[tuple[str, bytes]]:
        names, state = self._member.state()
        return [(name, encode_state(VERSIONS[name], state)) for name in names]

    def _perform_assignment(self, leader_id: str, protocol: str, members: Sequence[Any]) -> dict[str, bytes]:
        states = {m.member_id: decode_state(bytes(m.metadata)) for m in members}
        return self._member.assign(leader_id, protocol, states, self._generation.generation_id)

    async def _on_join_prepare_async(
        self, generation: int, member_id: str, timeout_ms: float | None = None
    ) -> None:
        self._member.leadership = None

    async def _do_join_and_sync_async(self) -> bytes:
        """A join that ends between two polls counts as well; kafka-python would throw its outcome away."""
        if not self.coordinator_unknown():
            self._member.in_contact()
            self.joining = True
        try:
            data: bytes = await super()._do_join_and_sync_async()
        finally:
            self.joining = False
        self._member.in_contact()
        with self._lock:
            self.rejoining = False
            self.rejoin_needed = False
            self.state = MemberState.STABLE
            self._enable_heartbeat()
        generation = self._generation
        assignment = decode_assignment(bytes(data))
        self._joined = Joined(assignment, generation.generation_id, generation.member_id, generation.protocol)
        self._member.changed()
        return data

    def leave(self, reason: str, *, for_ever: bool = False) -> None:
        """Leave the group, also in the middle of a join (tick thread)."""
        if for_ever:
            self._close_heartbeat()
        try:
            self._net.run(self._leave, reason)
        except kafka_errors.KafkaError as error:
            log.warning("Leaving the group %s failed: %s", self.group_id, error)

    async def _leave(self, reason: str) -> None:
        generation, node = self._generation, str(self.coordinator_id or "").rpartition("-")[2]
        if generation.has_member_id() and node.isdigit():
            request = LeaveGroupRequest(
                group_id=self.group_id,
                member_id=generation.member_id,
                members=[
                    LeaveGroupRequest.MemberIdentity(
                        member_id=generation.member_id, group_instance_id=None, reason=reason[:255]
                    )
                ],
            )
            # Not over the coordinator's own connection: a join that waits there would hold the request up.
            sent = self._manager.send(request, node_id=int(node))
            await self._manager.wait_for(sent, _LEAVE_MS)
        self.reset_generation()

    def request_rejoin(self) -> None:
        super().request_rejoin()
        self._member.changed()

    def reset_generation(self, *args: Any, **named: Any) -> None:
        super().reset_generation(*args, **named)
        self._member.changed()


def _translated(error: kafka_errors.KafkaError) -> RetriableError | BrokerError:
    text = f"The group of workers: {type(error).__name__}: {error}"
    fatal = (
        kafka_errors.GroupAuthorizationFailedError,
        kafka_errors.InconsistentGroupProtocolError,
        kafka_errors.InvalidSessionTimeoutError,
        kafka_errors.InvalidGroupIdError,
    )
    if isinstance(error, fatal):
        return BrokerError(text, hint=_HINTS.get(type(error).__name__))
    return RetriableError(text)


_HINTS: Final = {
    "GroupAuthorizationFailedError": "Grant READ on the group named by group.id.",
    "InconsistentGroupProtocolError": (
        "group.id belongs to consumers of another kind, or to workers with another connect.protocol."
    ),
    "InvalidSessionTimeoutError": "session.timeout.ms is outside of what the brokers allow.",
}
