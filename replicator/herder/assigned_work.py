"""What the leader gave this worker, and what of it runs. Tick thread; `assigned` may be read by any."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from replicator.herder.group_member import GroupMember
from replicator.herder.local_work import LocalWork
from replicator.herder.membership import Joined
from replicator.herder.reconcile import accumulate, steps
from replicator.herder.reports import StatusReports
from replicator.herder.stages import Stages
from replicator.herder.work import NOTHING, Work
from replicator.storage.config_store import TopicConfigStore

_FLUSH_SECONDS: Final = 5.0


class AssignedWork:
    """See the module.

    Attributes:
        assigned: what the leader gave this worker.
    """

    def __init__(
        self,
        configs: TopicConfigStore,
        local: LocalWork,
        reports: StatusReports,
        member: GroupMember,
        stages: Stages,
    ) -> None:
        """Nothing is assigned yet.

        Args:
            configs: the config topic.
            local: what runs here.
            reports: states on their way to the status topic.
            member: told what this worker holds.
            stages: what the thread does.
        """
        self.assigned = NOTHING
        self._configs = configs
        self._local = local
        self._reports = reports
        self._member = member
        self._stages = stages

    def take(self, joined: Joined) -> None:
        """A round is complete: stop what was taken away, note what is held now."""
        given = joined.assignment
        if joined.incremental:
            self._stop(given.revoked)
        if given.failed:
            return
        held = self.assigned if joined.incremental else NOTHING
        self.assigned = accumulate(held, given.assigned, given.revoked, incremental=joined.incremental)
        self._member.held = replace(given, assigned=self.assigned) if joined.incremental else None

    def give_up_all(self) -> None:
        """Others have this worker's work, or will: stop everything, and hold nothing."""
        self._stop(self._local.running)
        self.assigned, self._member.held = NOTHING, None

    def reconcile(self) -> None:
        """Run exactly what is assigned and configured."""
        state = self._configs.state()
        counts = {name: len(state.tasks.get(name, ())) for name in state.connectors}
        found = steps(self._local.running, self.assigned, counts)
        self._stop(found.stop)
        if found.start:
            with self._stages.of("starting assigned connectors and tasks"):
                self._local.start(found.start)

    def _stop(self, unwanted: Work) -> None:
        if not unwanted:
            return
        with self._stages.of("stopping revoked connectors and tasks"):
            self._local.stop(unwanted)
        with self._stages.of("flushing updates to the status topic"):
            # Whoever has the work next writes RUNNING: our UNASSIGNED must be there before.
            self._reports.flush(_FLUSH_SECONDS)
