"""Whether the topics that connectors use may be seen, and forgotten. Pure."""

from __future__ import annotations

from replicator.config.worker import WorkerConfig
from replicator.herder.base import RefusedError


def check_tracked(config: WorkerConfig) -> None:
    """Refuse when the worker does not track topics.

    Raises:
        RefusedError: `topic.tracking.enable` is false (403).
    """
    if not config["topic.tracking.enable"]:
        raise RefusedError(403, "Topic tracking is disabled.")


def check_resettable(config: WorkerConfig) -> None:
    """Refuse when the topics used may not be forgotten.

    Raises:
        RefusedError: `topic.tracking.enable` or `topic.tracking.allow.reset` is false (403).
    """
    check_tracked(config)
    if not config["topic.tracking.allow.reset"]:
        raise RefusedError(403, "Topic tracking reset is disabled.")
