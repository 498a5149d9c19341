"""The herder of one worker of a group: connectors and their tasks spread over workers that find each other in Kafka.

Any thread may call. Reads answer from the internal topics. Writes go to the config topic: most by the leader only, a
follower answers NotLeaderError with the leader's address, and REST forwards. What runs here is changed by the tick
thread (`group_loop`) alone, but for restarts of single parts.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from typing import Any, Final

from replicator.api.errors import ConnectError
from replicator.herder.cluster_requests import ClusterRequests
from replicator.herder.cluster_restarts import ClusterRestarts
from replicator.herder.cluster_views import ClusterViews
from replicator.herder.cluster_writes import ClusterWrites
from replicator.herder.group_loop import GroupLoop
from replicator.herder.group_member import GroupMember
from replicator.herder.leading import LeaderDuties
from replicator.herder.local_work import LocalWork
from replicator.herder.membership import GroupOptions, Joined
from replicator.herder.peers import Peers
from replicator.herder.plugin_views import PluginViews
from replicator.herder.reports import StatusReports
from replicator.herder.sink_groups import SinkGroups
from replicator.herder.standing import Standing
from replicator.herder.views import Health
from replicator.herder.work import Work
from replicator.runtime.worker import Worker
from replicator.storage.base import StatusStore
from replicator.storage.config_store import TopicConfigStore
from replicator.storage.states import TargetState

log = logging.getLogger(__name__)

_CONNECT_SECONDS: Final = 10.0
_STUCK_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 15.0


class DistributedHerder(ClusterWrites, ClusterRestarts, ClusterRequests, PluginViews):
    """Implements `herder.base.ClusterHerder`."""

    def __init__(
        self,
        worker: Worker,
        configs: TopicConfigStore,
        statuses: StatusStore,
        group: GroupOptions,
        *,
        startup: Callable[[], None],
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            worker: runs tasks.
            configs: config topic.
            statuses: status topic.
            group: how to be a member.
            startup: opens the stores; run on the tick thread, so that REST can answer meanwhile.
        """
        super().__init__(worker.parts)
        parts = worker.parts
        self._parts = parts
        self._config = parts.config
        self._configs = configs
        self._statuses = statuses
        self._open_stores = startup
        self._views = ClusterViews(configs, statuses, parts.registry)
        self._reports = StatusReports(
            statuses, _host(group.url), lambda: self.loop.generation, parts.clock, self._views.version
        )
        self._local = LocalWork(worker, self._reports, self._publish, configs.state, self._guard)
        self._member = GroupMember(
            group, configs.state, lambda: configs.refresh(self._config.seconds("worker.sync.timeout.ms")),
            lambda: self.loop.wake(),
        )  # fmt: skip
        self._peers = Peers(
            lambda: configs.state().session_key, str(self._config["inter.worker.signature.algorithm"])
        )
        self._duties = LeaderDuties(
            configs, statuses, _host(group.url), self._config, parts.clock, self._forget_topics
        )
        self.loop = GroupLoop(
            self._member,
            configs,
            self._local,
            self._reports,
            self._startup,
            self._duties,
            self._duties.follow,
            self._restart_local,
            sync_timeout=self._config.seconds("worker.sync.timeout.ms"),
            unsync_backoff=self._config.seconds("worker.unsync.backoff.ms"),
        )
        self._standing = Standing(self.loop, self._member, self._duties)
        configs.listen(self.loop.changes)
        self._sink_groups = SinkGroups(parts.broker.admin, self._own_sinks, parts.resolver.resolve)

    @property
    def peer_tls(self) -> ssl.SSLContext | None:
        """How to speak to workers with https addresses."""
        return self._peers.tls

    @peer_tls.setter
    def peer_tls(self, context: ssl.SSLContext | None) -> None:
        self._peers.tls = context

    @property
    def on_logger_level(self) -> Callable[[str, str], None]:
        """Called with (logger, level) when a level is set for the whole group."""
        return self.loop.changes.on_logger_level

    @on_logger_level.setter
    def on_logger_level(self, listener: Callable[[str, str], None]) -> None:
        self.loop.changes.on_logger_level = listener

    # Life

    def start(self) -> None:
        """Join the group in the background."""
        self.loop.start()
        self._sink_groups.start()

    def stop(self) -> None:
        """Drain, tell the leader, and leave: the work moves at once."""
        self._sink_groups.stop()
        self.loop.stop(_STOP_SECONDS)
        joined = self.loop.joined
        self._local.stop(self._local.running)
        self._reports.stop(5.0)
        if joined is not None and not joined.leads:
            self._announce_leave(joined)
        self._member.stop()

    def _startup(self) -> None:
        """On the tick thread; called again after a RetriableError, so what can be started once only comes last."""
        self._open_stores()
        self._member.start(_CONNECT_SECONDS)
        self._reports.start()

    def _own_sinks(self) -> dict[str, dict[str, str]]:
        """Started sinks whose instance runs here."""
        state, own = self._views.state, self.loop.assigned.connectors
        return {
            name: state.connectors[name]
            for name in sorted(own & state.connectors.keys())
            if state.targets.get(name) is TargetState.STARTED and self._views.kind(name) == "sink"
        }

    def _announce_leave(self, joined: Joined) -> None:
        try:
            self._peers.announce_leave(joined.assignment.leader_url, self._member.member_id)
        except ConnectError as error:
            # A Java leader, or one that is gone: then others wait as they do for a lost worker.
            log.info("The leader could not be told that this worker leaves: %s", error)

    # Views

    def cluster_id(self) -> str:
        """Identity of the Kafka cluster."""
        return self._parts.broker.cluster_id()

    def doing(self) -> str:
        """What the herder is at, for requests that take too long."""
        return self.loop.stages.describe()

    def health(self) -> Health:
        """Starting, healthy, or unhealthy when the group or the tick thread does not answer."""
        stage = self.loop.stages.describe()
        if self.loop.failure is not None:
            return Health("unhealthy", f"The worker has failed: {self.loop.failure}")
        if not self.loop.started.is_set():
            return Health("starting", f"Worker is still starting up. {stage}")
        if self._member.given_up() or self.loop.idle_for() > _STUCK_SECONDS:
            unable = "Worker was unable to handle this request and may be unable to handle other requests."
            return Health("unhealthy", f"{unable} {stage}")
        return Health("healthy", "Worker has completed startup and is ready to handle requests.")

    @property
    def running(self) -> Work:
        """What runs on this worker."""
        return self._local.running

    def worker_facts(self) -> dict[str, Any]:
        """What /metrics tells of this worker's part in the group."""
        joined, running = self.loop.joined, self.running
        rebalance = self.loop.rebalances.measures() | {
            "epoch": self.loop.generation,
            "assigned_connectors": len(running.connectors),
            "assigned_tasks": len(running.tasks),
            "last_heartbeat_seconds_ago": self._member.silent_for(),
        }
        if joined is not None:
            rebalance |= {"connect_protocol": joined.protocol, "leader_name": joined.assignment.leader_url}
        return {"worker_id": _host(self._member.options.url), "rebalance": rebalance}


def _host(url: str) -> str:
    """`host:port` of an address; the worker's id in states."""
    return url.partition("://")[2].rstrip("/")
