"""Topics that connectors of a group use: seen and forgotten as the worker's options allow."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.herder.base import RefusedError
from replicator.herder.cluster_reads import ClusterReads
from replicator.storage.states import TopicStatus


class Topics:
    """The status store and the reports, as far as topics go."""

    def __init__(self) -> None:
        self.held = {"t": TopicStatus("t", "c", 0, 1)}
        self.forgotten: list[str] = []

    def topics(self, connector: str) -> list[TopicStatus]:
        return list(self.held.values())

    def delete_topic(self, topic: str, connector: str) -> None:
        del self.held[topic]

    def forget_topics(self, connector: str) -> None:
        self.forgotten.append(connector)


def reads(topics: Topics, *, enable: bool = True, allow_reset: bool = True) -> ClusterReads:
    made: Any = object.__new__(ClusterReads)
    made._config = {"topic.tracking.enable": enable, "topic.tracking.allow.reset": allow_reset}
    made._statuses = made._reports = topics
    return made  # type: ignore[no-any-return]


def test_topics_are_seen_and_forgotten() -> None:
    topics = Topics()
    shown = reads(topics)
    assert shown.active_topics("c") == ["t"]
    shown.reset_active_topics("c")
    assert shown.active_topics("c") == []
    assert topics.forgotten == ["c"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"enable": False}, "Topic tracking is disabled."),
        ({"allow_reset": False}, "Topic tracking reset is disabled."),
    ],
)
def test_topics_are_not_forgotten_where_that_is_off(options: dict[str, bool], message: str) -> None:
    topics = Topics()
    shown = reads(topics, **options)
    with pytest.raises(RefusedError) as refused:
        shown.reset_active_topics("c")
    assert (refused.value.status, refused.value.message) == (403, message)
    assert list(topics.held) == ["t"]


def test_topics_are_not_seen_where_they_are_not_tracked() -> None:
    with pytest.raises(RefusedError) as refused:
        reads(Topics(), enable=False).active_topics("c")
    assert (refused.value.status, refused.value.message) == (403, "Topic tracking is disabled.")
