"""What the parts of a distributed herder work with. `DistributedHerder` puts the parts together."""

from __future__ import annotations

from replicator.config.worker import WorkerConfig
from replicator.herder.cluster_views import ClusterViews
from replicator.herder.group_loop import GroupLoop
from replicator.herder.group_member import GroupMember
from replicator.herder.local_work import LocalWork
from replicator.herder.peers import Peers
from replicator.herder.reports import StatusReports
from replicator.herder.standing import Standing
from replicator.runtime.assembly import WorkerParts
from replicator.storage.base import StatusStore
from replicator.storage.config_store import TopicConfigStore


class ClusterPart:
    """Set by the whole herder before anything runs.

    Attributes:
        loop: the tick thread.
    """

    loop: GroupLoop
    _parts: WorkerParts
    _config: WorkerConfig
    _configs: TopicConfigStore
    _statuses: StatusStore
    _views: ClusterViews
    _reports: StatusReports
    _local: LocalWork
    _member: GroupMember
    _peers: Peers
    _standing: Standing

    def _known(self, name: str) -> None:
        self._views.config(name, f"Unknown connector {name}")
