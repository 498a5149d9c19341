"""Where this worker stands in its group: started, settled in a round, leading it or not. Any thread.

Only the leader writes most of the configurations. Whoever writes one holds `leading`, so that what was looked at
before the write is what the write meets; nobody waits for a round with that lock in hand.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from replicator.api.errors import RetriableError
from replicator.herder.base import NotLeaderError, RefusedError
from replicator.herder.group_loop import GroupLoop
from replicator.herder.group_member import GroupMember
from replicator.herder.leading import LeaderDuties
from replicator.herder.membership import Joined

_SETTLE_SECONDS: Final = 30.0
_CLAIM_SECONDS: Final = 10.0
_NO_LEADER: Final = (
    "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
)


class Standing:
    """See the module."""

    def __init__(self, loop: GroupLoop, member: GroupMember, duties: LeaderDuties) -> None:
        self._loop = loop
        self._member = member
        self._duties = duties
        self._writing = threading.RLock()

    def started(self) -> None:
        """Go on only after the start.

        Raises:
            RefusedError: the worker is still starting up (503).
            ConnectError: the tick thread has ended with it.
        """
        if self._loop.failure is not None:
            raise self._loop.failure
        if not self._loop.started.is_set():
            raise RefusedError(503, f"Worker is still starting up. {self._loop.stages.describe()}")

    def settled(self, timeout: float = _SETTLE_SECONDS) -> Joined:
        """The present round; waits while another one is under way.

        Raises:
            RetriableError: it takes too long.
        """
        self.started()
        joined = self._loop.wait_settled(timeout)
        if joined is None:
            raise self._too_long()
        return joined

    def lead(self, timeout: float = _SETTLE_SECONDS) -> None:
        """Only the leader goes on.

        Raises:
            NotLeaderError: this worker is not the leader.
            RetriableError: it takes too long to know.
        """
        joined = self.settled(timeout)
        if not joined.leads:
            url = joined.assignment.leader_url
            raise NotLeaderError("Only the leader can do this." if url else _NO_LEADER, url)
        deadline = time.monotonic() + _CLAIM_SECONDS
        while not self._duties.may_write:
            # The tick thread claims the config topic in its next turn.
            self._loop.wake()
            if time.monotonic() > deadline:
                raise RetriableError("The worker is reclaiming write privileges for the config topic.")
            time.sleep(0.02)

    @contextmanager
    def leading(self) -> Iterator[None]:
        """The block runs as the leader, and alone of those that write configurations.

        Raises:
            NotLeaderError: this worker is not the leader.
            RetriableError: it takes too long to know, or others write for long.
        """
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            self.lead(max(0.0, deadline - time.monotonic()))
            if not self._writing.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise self._too_long()
            try:
                if self._leads_now():
                    yield
                    return
            finally:
                self._writing.release()

    def _leads_now(self) -> bool:
        joined = self._loop.wait_settled(0.0)
        return joined is not None and joined.leads and self._duties.may_write

    def _too_long(self) -> RetriableError:
        return RetriableError(f"Request timed out. {self._loop.stages.describe()}")

    def elsewhere(self, joined: Joined, name: str, task: int | None = None) -> NotLeaderError:
        """Whom to ask for what runs on another worker: a follower asks the leader, the leader knows the owner."""
        leadership = self._member.leadership
        if not joined.leads or leadership is None:
            return NotLeaderError("Another worker must restart this.", joined.assignment.leader_url)
        return NotLeaderError("Another worker runs this.", leadership.owner(name, task))
