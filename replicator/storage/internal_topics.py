"""Connect's internal topics: how they are made, and what must hold of those that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from replicator.api.errors import ConfigError
from replicator.broker.admin import Admin, NewTopic

_POLICY: Final = "cleanup.policy"


def compacted(
    name: str, partitions: int, replication_factor: int, settings: Mapping[str, str] | None = None
) -> NewTopic:
    """An internal topic to create; -1 leaves a number to the brokers."""
    return NewTopic(name, partitions, replication_factor, {**(settings or {}), _POLICY: "compact"})


def check_compacted(admin: Admin, topic: str, option: str, purpose: str) -> None:
    """Refuse a topic that would lose records.

    Raises:
        ConfigError: it is not compacted.
    """
    found = admin.topics().get(topic)
    policy = None if found is None else found.config.get(_POLICY)
    if policy is None or policy == "compact":
        return
    raise ConfigError(
        f"Topic '{topic}' supplied via the '{option}' property is required to have '{_POLICY}=compact' to guarantee"
        f" consistency and durability of {purpose}, but found the topic currently has '{_POLICY}={policy}'."
        f" Continuing would likely result in eventually losing {purpose} and problems restarting this Connect"
        f" cluster in the future. Change the '{option}' property in the Connect worker configurations to use a topic"
        f" with '{_POLICY}=compact'.",
        option=option,
    )


def check_single(admin: Admin, topic: str, option: str) -> None:
    """Refuse a topic of configurations with several partitions.

    Raises:
        ConfigError: it has several.
    """
    found = admin.topics().get(topic)
    if found is not None and found.partitions > 1:
        raise ConfigError(
            f"Topic '{topic}' supplied via the '{option}' property is required to have a single partition in order"
            f" to guarantee consistency of connector configurations, but found {found.partitions} partitions.",
            option=option,
        )
