"""Connect's group protocol on kafka-python's coordinator; the only module of the herder that imports kafka-python (D3).

Its IO thread sends heartbeats and joins, and calls the overridden methods. The rest is for the tick thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from kafka import errors as kafka_errors
from kafka.coordinator.base import BaseCoordinator
from kafka.net.compat import KafkaNetClient
from kafka.protocol.consumer import LeaveGroupRequest
from kafka.structs import MemberState

from replicator.api.errors import BrokerError, RetriableError
from replicator.herder.group_protocol import (
    PROTOCOL_TYPE,
    VERSIONS,
    WorkerState,
    decode_assignment,
    decode_state,
    encode_state,
)
from replicator.herder.membership import GroupOptions, Joined, Leadership

log = logging.getLogger(__name__)
# kafka-python tells every failed connection at level ERROR, several times a second; what matters is raised.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

# Survivors learn of a lost member with their next heartbeat, so it is not put off for long.
_LONGEST_HEARTBEAT_MS: Final = 1000
_LEAVE_MS: Final = 5000


class Member(Protocol):
    """What the coordinator asks of the worker, on the IO thread."""

    options: GroupOptions
    leadership: Leadership | None

    def state(self) -> tuple[tuple[str, ...], WorkerState]:
        """Offered sub-protocols, and what this worker says of itself."""
        ...

    def assign(
        self, leader: str, protocol: str, members: Mapping[str, WorkerState], generation: int
    ) -> dict[str, bytes]:
        """The leader's part of a round."""
        ...

    def in_contact(self) -> None:
        """The group's coordinator took a request."""
        ...

    def changed(self) -> None:
        """There is something to do."""
        ...


class Coordinator(BaseCoordinator):  # type: ignore[misc]
    """kafka-python's group protocol with Connect's contents. Overridden methods run on the IO thread."""

    def __init__(self, member: Member, client: KafkaNetClient, settings: Mapping[str, Any]) -> None:
        self._member = member
        self._joined: Joined | None = None
        self._kafka = client
        self.joining = False
        super().__init__(client, **settings)

    @classmethod
    def connected(cls, member: Member, timeout: float) -> Coordinator:
        """A coordinator of a client of its own.

        Raises:
            RetriableError: no broker answers within `timeout` seconds.
        """
        client = KafkaNetClient(**member.options.client)
        manager = client._manager
        manager._net.start()
        try:
            manager.bootstrap(int(timeout * 1000))
            return cls(member, client, _settings(member.options, manager.broker_version))
        except kafka_errors.KafkaError as error:
            client.close()
            raise _translated(error) from error

    def take_part(self, timeout: float) -> None:
        """Keep the membership alive, and join when a round is due.

        Raises:
            RetriableError: the group cannot be reached, or another member must act first.
            BrokerError: the group does not want this worker.
        """
        try:
            self.poll_heartbeat()
            if self.need_rejoin():
                self.ensure_active_group(timeout_ms=max(1.0, timeout * 1000))
        except kafka_errors.KafkaError as error:
            raise _translated(error) from error

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

    def end(self, reason: str) -> None:
        """Leave the group for ever and disconnect."""
        self._close_heartbeat()
        self.leave(reason)
        self._kafka.close()

    def leave(self, reason: str) -> None:
        """Leave the group, also in the middle of a join."""
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


def _settings(options: GroupOptions, version: tuple[int, ...]) -> dict[str, Any]:
    heartbeat = min(options.heartbeat_ms, _LONGEST_HEARTBEAT_MS, options.session_ms // 3)
    return {
        "group_id": options.group,
        "session_timeout_ms": options.session_ms,
        "heartbeat_interval_ms": heartbeat,
        "max_poll_interval_ms": options.rebalance_ms,
        "api_version": version,
    }


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
