"""The tick thread of a distributed worker: membership, rebalances, and following the config topic.

Everything that changes what runs here because of the group or the configuration happens on this thread, one thing
after the other: join when a round is due, stop what was revoked, start what was assigned, apply configuration changes.
A worker that was not heard of for the session timeout stops its work before others may have it (INV-10).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from replicator.api.errors import ConnectError, RetriableError
from replicator.herder.assigned_work import AssignedWork
from replicator.herder.config_changes import ConfigChanges
from replicator.herder.config_following import ConfigFollower
from replicator.herder.group_member import GroupMember
from replicator.herder.local_work import LocalWork
from replicator.herder.membership import Joined
from replicator.herder.rebalances import Rebalances
from replicator.herder.reports import StatusReports
from replicator.herder.stages import Stages
from replicator.herder.work import Work
from replicator.storage.base import RestartRequest
from replicator.storage.config_store import TopicConfigStore

log = logging.getLogger(__name__)

_TURN_SECONDS: Final = 0.5
_FIRST_BACKOFF: Final = 0.2
_LAST_BACKOFF: Final = 5.0


class GroupLoop:
    """See the module.

    Attributes:
        changes: what the config topic said since the last turn; listens to it.
        joined: the last completed round, None while outside the group.
        stages: what the thread does.
        rebalances: how long rounds take.
        failure: why the thread ended, if it failed.
    """

    def __init__(
        self,
        member: GroupMember,
        configs: TopicConfigStore,
        local: LocalWork,
        reports: StatusReports,
        startup: Callable[[], None],
        lead: Callable[[Joined], None],
        follow: Callable[[], None],
        restart: Callable[[RestartRequest], None],
        *,
        sync_timeout: float,
        unsync_backoff: float,
    ) -> None:
        """Prepare.

        Args:
            member: membership in the group.
            configs: the config topic.
            local: what runs here.
            reports: states on their way to the status topic.
            startup: opens the stores and connects; run on the thread, tried again after RetriableError.
            lead: the leader's regular duties.
            follow: told that another worker leads.
            restart: carries out a restart request for the local parts.
            sync_timeout: longest wait for reading the config topic to its end.
            unsync_backoff: wait outside of the group when that fails.
        """
        self.joined: Joined | None = None
        self.stages = Stages()
        self.rebalances = Rebalances()
        self.failure: ConnectError | None = None
        self._member = member
        self._configs = configs
        self._local = local
        self._startup = startup
        self._lead = lead
        self._follow = follow
        self._sync_timeout = sync_timeout
        self._unsync_backoff = unsync_backoff
        self._work = AssignedWork(configs, local, reports, member, self.stages)
        self._resolved = True
        self._scheduled = 0.0
        self._wake = threading.Event()
        self.changes = ConfigChanges(self._wake.set)
        self._following = ConfigFollower(
            self.changes, configs, member, local, self._work, self.stages, restart
        )
        self._settled = threading.Condition()
        self._stopping = threading.Event()
        self._turned = time.monotonic()
        self.started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="DistributedHerder", daemon=True)

    # Any thread

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End the thread; the work goes on until `drain`. False when it does not end in time."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    @property
    def generation(self) -> int:
        """Number of the present round."""
        return 0 if self.joined is None else self.joined.generation

    @property
    def assigned(self) -> Work:
        """What the leader gave this worker."""
        return self._work.assigned

    def idle_for(self) -> float:
        """Seconds since the last turn ended."""
        return time.monotonic() - self._turned

    def wait_settled(self, timeout: float) -> Joined | None:
        """The present round, once no other is under way; None when that takes too long."""
        with self._settled:
            self._settled.wait_for(self._is_settled, timeout)
        return self.joined if self._is_settled() else None

    def _is_settled(self) -> bool:
        return self.joined is not None and self._resolved and not self._member.needs_join()

    # The thread

    def _run(self) -> None:
        backoff = _FIRST_BACKOFF
        while not self._stopping.is_set():
            try:
                if not self.started.is_set():
                    with self.stages.of("initializing and reading to the end of internal topics"):
                        self._startup()
                    self.changes.known = frozenset(self._configs.state().connectors)
                    self.started.set()
                self._turn()
                backoff = _FIRST_BACKOFF
            except RetriableError as error:
                log.warning("%s Trying again in %g s.", error, backoff)
                self._leave_work_when_silent()
                self._stopping.wait(backoff)
                backoff = min(2 * backoff, _LAST_BACKOFF)
            except Exception as error:
                log.exception("Uncaught exception in herder work thread, exiting")
                self.failure = error if isinstance(error, ConnectError) else ConnectError(repr(error))
                return
            finally:
                self._turned = time.monotonic()

    def _turn(self) -> None:
        """One turn of the loop."""
        self._wake.clear()
        self._leave_work_when_silent()
        self._before_join()
        if self._member.needs_join():
            self.rebalances.begin()
        with self.stages.of("ensuring membership in the cluster"):
            joined = self._member.poll(_TURN_SECONDS)
        if joined is not None:
            self._on_joined(joined)
        if self._member.needs_join() or (not self._resolved and not self._take_up()):
            return
        self._following.apply()
        if self.joined is not None and self.joined.leads:
            self._lead(self.joined)
        if self._scheduled and time.monotonic() >= self._scheduled:
            self._scheduled = 0.0
            self._member.request_rejoin()
        with self._settled:
            self._settled.notify_all()
        self._wake.wait(self._pause())

    def _pause(self) -> float:
        if self._member.needs_join() or self.changes.pending:
            return 0.0
        left = self._scheduled - time.monotonic() if self._scheduled else _TURN_SECONDS
        return max(0.0, min(_TURN_SECONDS, left))

    def _before_join(self) -> None:
        """With the eager protocol everything stops before each round."""
        if self._member.needs_join() and self.joined is not None and not self.joined.incremental:
            self._work.give_up_all()

    def _leave_work_when_silent(self) -> None:
        """Others may have our work as soon as the group has given us up."""
        if not self._member.given_up() or not (self._local.running or self._member.held):
            return
        log.warning(
            "No answer from the group for %.1f s: this worker stops its work.", self._member.silent_for()
        )
        self._work.give_up_all()
        self._member.request_rejoin()

    def _on_joined(self, joined: Joined) -> None:
        given = joined.assignment
        log.info(
            "Joined round %d (%s) led from %s: %d pieces of work more, %d less, next round in %d ms",
            joined.generation, joined.protocol, given.leader_url, len(given.assigned), len(given.revoked), given.delay,
        )  # fmt: skip
        self._work.take(joined)
        self.joined = joined
        if not joined.leads:
            self._follow()
        self._resolved = False
        self._scheduled = time.monotonic() + given.delay / 1000 if given.delay else 0.0
        if given.revoked:
            # What was taken from us is assigned in the next round.
            self._member.request_rejoin()

    def _take_up(self) -> bool:
        """Run what was assigned; False when another round is needed first."""
        joined = self.joined
        assert joined is not None
        behind = self._configs.state().offset < joined.assignment.offset
        if (joined.assignment.failed or behind) and not self._catch_up(joined):
            return False
        if joined.assignment.failed:
            self._member.request_rejoin()
            return False
        self._following.reconcile()
        self._resolved = True
        self.rebalances.end()
        return True

    def _catch_up(self, joined: Joined) -> bool:
        try:
            with self.stages.of("reading to the end of the config topic"):
                self._configs.refresh(self._sync_timeout)
        except RetriableError as error:
            # Outside of the group nobody waits for this worker.
            log.warning("Could not read the configurations to their end, leaving the group: %s", error)
            self._work.give_up_all()
            self._member.leave("taking too long to read the log")
            wait = min(self._unsync_backoff, _LAST_BACKOFF) if joined.incremental else self._unsync_backoff
            self._stopping.wait(wait)
            return False
        return True
