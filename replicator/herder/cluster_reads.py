"""What a distributed herder answers from the internal topics, on any worker of the group. Any thread."""

from __future__ import annotations

from typing import Any

from replicator.herder.cluster_part import ClusterPart
from replicator.herder.offset_changes import OffsetChanges
from replicator.herder.tracking import check_resettable, check_tracked
from replicator.herder.views import ConnectorInfo, ConnectorStatus, TaskInfo, TaskProgress, TaskState


class ClusterReads(ClusterPart):
    """Configurations, states, topics and offsets of connectors."""

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
        check_tracked(self._config)
        return [topic.topic for topic in self._statuses.topics(name)]

    def reset_active_topics(self, name: str) -> None:
        """Forget the topics used; those still in use come back."""
        check_resettable(self._config)
        self._forget_topics(name)
        self._reports.forget_topics(name)

    def _forget_topics(self, name: str) -> None:
        for topic in self._statuses.topics(name):
            self._statuses.delete_topic(topic.topic, name)

    def connector_offsets(self, name: str) -> list[dict[str, Any]]:
        """Stored offsets of a source, group positions of a sink."""
        return self._offsets(name).show()

    def _offsets(self, name: str) -> OffsetChanges:
        config = self._views.config(name)
        return OffsetChanges(
            self._parts, name, self._views.kind(name), self._views.connector_class(name), config
        )
