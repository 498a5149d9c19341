"""The leader's part of a round: who gets what. Runs on the IO thread of the group's client, inside of the join."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from replicator.api.errors import RetriableError
from replicator.herder.assignor import Memory, Round, cooperative, eager
from replicator.herder.group_protocol import CONFIG_MISMATCH, NO_ERROR, VERSIONS, Assignment, WorkerState
from replicator.herder.membership import Joined, Leadership
from replicator.herder.work import NOTHING, configured
from replicator.storage.base import ConfigState

log = logging.getLogger(__name__)


class LeaderRounds:
    """See the module; what it remembers of former rounds is forgotten when another member leads."""

    def __init__(
        self, configs: Callable[[], ConfigState], refresh: Callable[[], None], max_delay_ms: int
    ) -> None:
        """Nothing happened yet.

        Args:
            configs: what is configured, as far as it was read.
            refresh: reads the config topic to its end; raises RetriableError when that takes too long.
            max_delay_ms: longest wait for a worker that vanished.
        """
        self._configs = configs
        self._refresh = refresh
        self._max_delay = max_delay_ms
        self._memory = Memory()
        self._departed: set[str] = set()
        self._lock = threading.Lock()
        self._last_generation = -1

    def depart(self, member: str) -> None:
        """A member leaves on purpose: nobody waits for it. Any thread."""
        with self._lock:
            self._departed.add(member)

    def joined(self, joined: Joined) -> None:
        """A round is complete (tick thread)."""
        self._last_generation = joined.generation
        if not joined.leads:
            self._memory = Memory()

    def assign(
        self, leader: str, protocol: str, members: Mapping[str, WorkerState], generation: int
    ) -> tuple[dict[str, Assignment], Leadership | None]:
        """What each member gets, and what the leader knows of them then; None when the round has failed."""
        version = VERSIONS[protocol]
        highest = max(state.offset for state in members.values())
        url = members[leader].url
        offset = self._offset(highest)
        if offset is None:
            failed = Assignment(version, CONFIG_MISMATCH, leader, url, highest)
            return dict.fromkeys(members, failed), None
        outcome = self._round(version, members, generation)
        given = {
            member: Assignment(
                version,
                NO_ERROR,
                leader,
                url,
                offset,
                outcome.assigned[member],
                outcome.revoked[member],
                outcome.delay,
            )
            for member in members
        }
        work = {
            member: ((state.work if version else NOTHING) - given[member].revoked) | given[member].assigned
            for member, state in members.items()
        }
        return given, Leadership({member: state.url for member, state in members.items()}, work)

    def _round(self, version: int, members: Mapping[str, WorkerState], generation: int) -> Round:
        state = self._configs()
        everything = configured({name: len(state.tasks.get(name, ())) for name in state.connectors})
        if version == 0:
            return eager(members, everything)
        with self._lock:
            departed = frozenset(self._departed)
            self._departed &= members.keys()
        self._memory, outcome = cooperative(
            self._memory,
            {member: found.work for member, found in members.items()},
            everything,
            generation=generation,
            last_generation=self._last_generation,
            now=int(time.monotonic() * 1000),
            max_delay=self._max_delay,
            departed=departed,
            urls={member: found.url for member, found in members.items()},
        )
        return outcome

    def _offset(self, highest: int) -> int | None:
        """Offset to assign from; None when this leader cannot catch up with the other members."""
        if self._configs().offset >= highest:
            return highest
        try:
            self._refresh()
        except RetriableError as error:
            log.warning("The leader is behind the configurations of other workers: %s", error)
        found = self._configs().offset
        return found if found >= highest else None
