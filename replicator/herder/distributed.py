"""The herder of one worker of a group: connectors and their tasks spread over workers that find each other in Kafka.

Any thread may call. Reads answer from the internal topics. Writes go to the config topic: most by the leader only, a
follower answers NotLeaderError with the leader's address, and REST forwards. What runs here is changed by the tick
thread (`group_loop`) alone, but for restarts of single parts.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from replicator.api.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConnectError,
    IllegalStateError,
    NotFoundError,
    RetriableError,
)
from replicator.herder.base import (
    ConnectorInfo,
    ConnectorStatus,
    Health,
    NotLeaderError,
    RefusedError,
    Signature,
    TaskId,
    TaskInfo,
    TaskProgress,
    TaskState,
)
from replicator.herder.cluster_views import ClusterViews
from replicator.herder.coordinator import GroupMember, GroupOptions, Joined
from replicator.herder.group_loop import GroupLoop
from replicator.herder.leading import LeaderDuties
from replicator.herder.local_work import LocalWork
from replicator.herder.naming import initial_target, with_name
from replicator.herder.offset_changes import OffsetChanges
from replicator.herder.peers import Peers
from replicator.herder.plugin_views import PluginViews
from replicator.herder.reports import StatusReports
from replicator.herder.restarts import plan
from replicator.herder.sessions import verify
from replicator.herder.sink_groups import SinkGroups
from replicator.herder.work import Work
from replicator.herder.zombies import SourceGuard, fence
from replicator.runtime.worker import Worker
from replicator.storage.base import RestartRequest, StatusStore, TargetState
from replicator.storage.config_store import TopicConfigStore

log = logging.getLogger(__name__)

_SETTLE_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 10.0
_CLAIM_SECONDS: Final = 10.0
_STUCK_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 15.0
_NO_LEADER: Final = (
    "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
)


class DistributedHerder(PluginViews):
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
        self._writing = threading.RLock()
        self._views = ClusterViews(configs, statuses, parts.registry)
        self._reports = StatusReports(statuses, _host(group.url), lambda: self.loop.generation, parts.clock)
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
        configs.listen(self.loop)
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
        return self.loop.on_logger_level

    @on_logger_level.setter
    def on_logger_level(self, listener: Callable[[str, str], None]) -> None:
        self.loop.on_logger_level = listener

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
        self._open_stores()
        self._reports.start()
        self._member.start(_CONNECT_SECONDS)

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

    def connectors(self) -> list[str]:
        """Names, sorted."""
        return sorted(self._views.state.connectors)

    def connector_info(self, name: str) -> ConnectorInfo:
        """Configuration and tasks."""
        return self._views.info(name)

    def connector_config(self, name: str) -> dict[str, str]:
        """The unresolved configuration."""
        return self._views.config(name)

    def connector_status(self, name: str) -> ConnectorStatus:
        """States."""
        return self._views.status(name)

    def task_status(self, name: str, task: int) -> TaskState:
        """State of one task."""
        return self._views.task_status(name, task)

    def progress(self, name: str) -> list[TaskProgress]:
        """Live facts of the tasks that run here."""
        self._views.config(name)
        return self._local.progress(name)

    def task_infos(self, name: str) -> list[TaskInfo]:
        """Task configurations."""
        return self._views.task_infos(name)

    def active_topics(self, name: str) -> list[str]:
        """Topics used; empty for an unknown connector, as in Connect."""
        return [topic.topic for topic in self._statuses.topics(name)]

    def reset_active_topics(self, name: str) -> None:
        """Forget the topics used; those still in use come back."""
        self._forget_topics(name)
        self._reports.forget_topics(name)

    def _forget_topics(self, name: str) -> None:
        for topic in self._statuses.topics(name):
            self._statuses.delete_topic(topic.topic, name)

    # Configurations

    def put_connector_config(
        self,
        name: str,
        config: Mapping[str, str | None],
        *,
        initial_state: str | None = None,
        allow_replace: bool = True,
    ) -> tuple[bool, ConnectorInfo]:
        """Create or replace a connector; the leader does."""
        name = name.strip()
        named = with_name(name, config)
        target = initial_target(initial_state)
        self._lead()
        self.validator.check(named)
        self._check_group(name, named)
        stored = {option: str(value) for option, value in named.items()}
        with self._writing:
            self._lead()
            created = name not in self._views.state.connectors
            if not created and not allow_replace:
                raise AlreadyExistsError(f"Connector {name} already exists")
            self._configs.put_connector(name, stored, None if target is None else TargetState(target))
            return created, self._views.info(name)

    def _check_group(self, name: str, config: Mapping[str, str | None]) -> None:
        """A sink's consumers must not share the workers' own group."""
        group = config.get("consumer.override.group.id") or f"connect-{name}"
        if group == self._member.options.group:
            raise BadRequestError(
                "Connector configuration is invalid and contains the following 1 error(s):\n"
                f"Consumer group {group} conflicts with Connect worker group {group}\n"
                "You can also find the above list of errors at the endpoint"
                " `/connector-plugins/{connectorType}/config/validate`"
            )

    def patch_connector_config(self, name: str, patch: Mapping[str, str | None]) -> ConnectorInfo:
        """Change some options."""
        self._lead()
        with self._writing:
            config: dict[str, str | None] = dict(self._views.config(name))
            for option, value in patch.items():
                if value is None:
                    config.pop(option, None)
                else:
                    config[option] = value
            return self.put_connector_config(name, config)[1]

    def delete_connector(self, name: str) -> None:
        """Forget a connector; its owner stops it."""
        self._lead()
        with self._writing:
            self._views.config(name)
            self._configs.remove_connector(name)

    # Target states

    def pause_connector(self, name: str) -> None:
        """PAUSED; any worker may answer."""
        self._put_target(name, TargetState.PAUSED)

    def resume_connector(self, name: str) -> None:
        """STARTED; any worker may answer."""
        self._put_target(name, TargetState.STARTED)

    def _put_target(self, name: str, target: TargetState) -> None:
        self._started()
        self._known(name)
        self._configs.put_target(name, target)

    def stop_connector(self, name: str) -> None:
        """STOPPED: no tasks."""
        self._lead()
        with self._writing:
            self._known(name)
            # Tasks first: a running connector without tasks does less harm than a stopped one with some.
            self._configs.put_tasks(name, [])
            self._configs.put_target(name, TargetState.STOPPED)

    # Restarts

    def restart_connector(
        self, name: str, *, include_tasks: bool = False, only_failed: bool = False
    ) -> ConnectorStatus:
        """The instance in place, by its owner; or a plan that every worker carries out for its parts."""
        joined = self._settled()
        if include_tasks or only_failed:
            self._lead()
            self._views.config(name, f"Unknown connector: {name}")
            restart = plan(self._views.status(name), include_tasks=include_tasks, only_failed=only_failed)
            self._configs.put_restart(RestartRequest(name, only_failed, include_tasks))
            return restart.status
        self._views.config(name, f"Unknown connector: {name}")
        if name not in self.loop.assigned.connectors:
            raise self._owned_by(joined, name)
        self._local.restart(name, connector=True)
        return self._views.status(name)

    def restart_task(self, name: str, task: int) -> None:
        """Restart one task in place, by its owner."""
        joined = self._settled()
        self._views.config(name, f"Unknown connector: {name}")
        if not 0 <= task < len(self._views.state.tasks.get(name, ())):
            raise NotFoundError(f"Unknown task: {name}-{task}")
        if TaskId(name, task) not in self.loop.assigned.tasks:
            raise self._owned_by(joined, name, task)
        self._local.restart(name, connector=False, tasks=(task,))

    def _owned_by(self, joined: Joined, name: str, task: int | None = None) -> NotLeaderError:
        """Where to ask: a follower asks the leader, the leader knows the owner."""
        leadership = self._member.leadership
        if not joined.leads or leadership is None:
            return NotLeaderError("Another worker must restart this.", joined.assignment.leader_url)
        return NotLeaderError("Another worker runs this.", leadership.owner(name, task))

    def _restart_local(self, request: RestartRequest) -> None:
        """Carry out a restart request for what runs here (tick thread)."""
        try:
            status = self._views.status(request.connector)
        except NotFoundError:
            log.info("Skipping the restart of %s: it has no status", request.connector)
            return
        restart = plan(status, include_tasks=request.include_tasks, only_failed=request.only_failed)
        self._local.restart(request.connector, connector=restart.connector, tasks=restart.tasks)

    # Requests to running tasks

    def signal(self, name: str, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on to the tasks; all of them must run on one worker."""
        joined = self._settled()
        self._known(name)
        tasks = self._views.state.tasks.get(name, ())
        if not tasks:
            raise IllegalStateError(f"Connector {name} has no running task.")
        if TaskId(name, 0) not in self.loop.assigned.tasks:
            raise self._owned_by(joined, name, 0)
        for handle in self._local.handles(name).values():
            handle.signal(kind, data)

    # Offsets

    def connector_offsets(self, name: str) -> list[dict[str, Any]]:
        """Stored offsets of a source, group positions of a sink."""
        return self._offsets(name).show()

    def alter_offsets(self, name: str, offsets: Sequence[Mapping[str, Any]]) -> str:
        """Change offsets of a stopped connector."""
        with self._writing:
            return self._stopped(name).alter(offsets)

    def reset_offsets(self, name: str) -> str:
        """Remove the offsets of a stopped connector."""
        with self._writing:
            return self._stopped(name).reset()

    def _stopped(self, name: str) -> OffsetChanges:
        self._lead()
        self._configs.refresh()
        self._views.config(name)
        state = self._views.state
        if state.targets.get(name) is not TargetState.STOPPED or state.tasks.get(name):
            raise BadRequestError(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for"
                " the specified connector by issuing a 'PUT' request to the"
                f" '/connectors/{name}/stop' endpoint"
            )
        return self._offsets(name)

    def _offsets(self, name: str) -> OffsetChanges:
        config = self._views.config(name)
        return OffsetChanges(
            self._parts, name, self._views.kind(name), self._views.connector_class(name), config
        )

    # Between workers

    def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]], signature: Signature) -> None:
        """Store what the owner of a connector generated."""
        self._verify(signature)
        self._store_tasks(name, configs)

    def fence_zombies(self, name: str, signature: Signature) -> None:
        """Fence the producers of former tasks, once per set of task configurations."""
        self._verify(signature)
        self.fence(name)

    def worker_leaves(self, member: str, signature: Signature) -> None:
        """A drained worker leaves: its work is assigned in the next round."""
        self._verify(signature)
        self._lead()
        self._member.announce_leave(member)

    def set_cluster_logger_level(self, namespace: str, level: str) -> None:
        """Every worker sets it."""
        self._started()
        self._configs.put_logger_level(namespace, level)

    def fence(self, name: str) -> None:
        """Fence the producers of former tasks, here or by way of the leader; used by exactly-once source tasks."""
        joined = self._settled()
        if not joined.leads:
            self._peers.fence(joined.assignment.leader_url, name)
            return
        with self._writing:
            self._lead()
            self._views.config(name)
            fence(self._parts.broker.admin(), self._configs, self._config, name)

    def _guard(self, task: TaskId, task_config: Mapping[str, str]) -> SourceGuard:
        owned = lambda asked: asked in self.loop.assigned.tasks  # noqa: E731
        return SourceGuard(task, task_config, self._configs, self.fence, owned)

    def _verify(self, signature: Signature) -> None:
        joined = self._settled()
        if joined.sessioned:
            allowed = [str(a) for a in self._config["inter.worker.verification.algorithms"]]
            verify(signature, self._views.state.session_key, allowed)

    def _publish(self, name: str, configs: list[dict[str, str]]) -> None:
        """Task configurations of a local connector, from its own thread; the leader stores them."""
        if not self._changed(name, configs):
            return
        joined = self._settled()
        if joined.leads:
            self._store_tasks(name, configs)
        else:
            self._peers.put_task_configs(joined.assignment.leader_url, name, configs)

    def _store_tasks(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        self._lead()
        with self._writing:
            self._lead()
            self._views.config(name)
            if self._changed(name, configs):
                self._configs.put_tasks(name, configs)

    def _changed(self, name: str, configs: Sequence[Mapping[str, str]]) -> bool:
        """Whether tasks must start anew: also when only an option of the runtime (a converter) changed."""
        state = self._views.state
        if name not in state.connectors or state.targets.get(name) is TargetState.STOPPED:
            return False
        if name in state.inconsistent or name not in state.applied:
            return True
        return list(configs) != state.tasks.get(name) or state.applied[name] != state.connectors[name]

    # Finding

    def _known(self, name: str) -> None:
        self._views.config(name, f"Unknown connector {name}")

    def _started(self) -> None:
        if self.loop.failure is not None:
            raise self.loop.failure
        if not self.loop.started.is_set():
            raise RefusedError(503, f"Worker is still starting up. {self.loop.stages.describe()}")

    def _settled(self) -> Joined:
        """The present round; waits while another one is under way.

        Raises:
            RetriableError: it takes too long.
        """
        self._started()
        joined = self.loop.wait_settled(_SETTLE_SECONDS)
        if joined is None:
            raise RetriableError(f"Request timed out. {self.loop.stages.describe()}")
        return joined

    def _lead(self) -> None:
        """Only the leader goes on.

        Raises:
            NotLeaderError: this worker is not the leader.
        """
        joined = self._settled()
        if not joined.leads:
            url = joined.assignment.leader_url
            raise NotLeaderError("Only the leader can do this." if url else _NO_LEADER, url)
        deadline = time.monotonic() + _CLAIM_SECONDS
        while not self._duties.may_write:
            # The tick thread claims the config topic in its next turn.
            self.loop.wake()
            if time.monotonic() > deadline:
                raise RetriableError("The worker is reclaiming write privileges for the config topic.")
            time.sleep(0.02)

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
