"""Regular duties of the group's leader; run on its tick thread after each turn."""

from __future__ import annotations

import logging
from collections.abc import Callable

from replicator.config.worker import WorkerConfig
from replicator.herder.membership import Joined
from replicator.herder.sessions import new_key
from replicator.runtime.clock import Clock
from replicator.storage.base import StatusStore
from replicator.storage.config_store import TopicConfigStore
from replicator.storage.states import ConnectorStatus, State, TaskStatus

log = logging.getLogger(__name__)


class LeaderDuties:
    """Session keys, and states of what is deleted."""

    def __init__(
        self,
        configs: TopicConfigStore,
        statuses: StatusStore,
        worker_id: str,
        config: WorkerConfig,
        clock: Clock,
        deleted: Callable[[str], None],
    ) -> None:
        self._configs = configs
        self._statuses = statuses
        self._algorithm = str(config["inter.worker.key.generation.algorithm"])
        self._size: int | None = config["inter.worker.key.size"]
        self._ttl = int(config["inter.worker.key.ttl.ms"])
        self._worker_id = worker_id
        self._clock = clock
        self._deleted = deleted
        self._cleaned: tuple[int, int] = (-1, -1)
        # With exactly-once sources a leader that lost its group must not write configurations any more.
        fenced = str(config["exactly.once.source.support"]).lower() in ("preparing", "enabled")
        self._claim_anew = False
        self.transactional_id = f"connect-cluster-{config['group.id']}" if fenced else None

    def __call__(self, joined: Joined) -> None:
        """Do what is due."""
        if self.transactional_id is not None and not self.may_write:
            log.info("Claiming the config topic as %s", self.transactional_id)
            self._configs.claim(self.transactional_id)
            self._claim_anew = False
        if joined.sessioned:
            self._rotate()
        version = (joined.generation, self._configs.state().offset)
        if version != self._cleaned:
            self._clean()
            self._cleaned = version

    @property
    def may_write(self) -> bool:
        """Whether the leader's configurations can be written now. Any thread."""
        return self.transactional_id is None or (self._configs.claimed and not self._claim_anew)

    def follow(self) -> None:
        """Another worker leads: it has claimed what this one had."""
        self._claim_anew = True

    def _rotate(self) -> None:
        key, now = self._configs.state().session_key, self._clock.wall_ms()
        fits = key is not None and key.algorithm.lower() == self._algorithm.lower()
        if key is not None and fits and (not self._ttl or now - key.created < self._ttl):
            return
        log.info("Distributing a new session key")
        self._configs.put_session_key(new_key(self._algorithm, self._size, now))

    def _clean(self) -> None:
        """Forget states of connectors and tasks that are configured no more."""
        state = self._configs.state()
        for name in sorted(self._statuses.connectors()):
            if name not in state.connectors:
                for task in self._statuses.tasks(name):
                    self._forget_task(task)
                self._statuses.put(ConnectorStatus(name, State.DESTROYED, self._worker_id))
                self._deleted(name)
                continue
            count = state.task_counts.get(name, 0)
            for task in self._statuses.tasks(name):
                if task.task >= count:
                    self._forget_task(task)

    def _forget_task(self, task: TaskStatus) -> None:
        self._statuses.put(TaskStatus(task.connector, task.task, State.DESTROYED, self._worker_id))
