"""Options of a worker in a group, and of exactly-once sources. Names and defaults are Kafka Connect's."""

from __future__ import annotations

from typing import Any, Final

from replicator.api.config import ConfigDef, Importance
from replicator.api.option_types import Type, invalid
from replicator.api.validators import at_least, one_of
from replicator.config.worker_options import option


def _replication(name: str, value: Any) -> None:
    if value is not None and value != -1 and value < 1:
        raise invalid(name, value, "Value must be -1 (the brokers' default) or at least 1")


GROUP_OPTIONS: Final = ConfigDef(
    option("group.id", Type.STRING, None, "Group of a distributed worker."),
    option("client.id", Type.STRING, "", "Prefix of client ids."),
    option(
        "config.storage.replication.factor",
        Type.SHORT,
        3,
        "Replication factor of the topic of configurations, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    option(
        "offset.storage.partitions",
        Type.INT,
        25,
        "Partitions of the topic of source offsets, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    option(
        "offset.storage.replication.factor",
        Type.SHORT,
        3,
        "Replication factor of the topic of source offsets, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    option(
        "status.storage.partitions",
        Type.INT,
        5,
        "Partitions of the topic of states, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    option(
        "status.storage.replication.factor",
        Type.SHORT,
        3,
        "Replication factor of the topic of states, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    option(
        "session.timeout.ms",
        Type.INT,
        10000,
        "A worker that was not heard of for so long is lost, and others take over its work.",
        importance=Importance.HIGH,
        validator=at_least(1),
    ),
    option(
        "heartbeat.interval.ms",
        Type.INT,
        3000,
        "Longest time between two heartbeats; one is sent at least once a second.",
        importance=Importance.HIGH,
        validator=at_least(1),
    ),
    option(
        "rebalance.timeout.ms",
        Type.INT,
        60000,
        "Longest time for all workers to join again once a round began.",
        importance=Importance.HIGH,
        validator=at_least(1),
    ),
    option(
        "worker.sync.timeout.ms",
        Type.INT,
        3000,
        "Longest wait for a worker that is behind to read all configurations.",
        importance=Importance.MEDIUM,
        validator=at_least(0),
    ),
    option(
        "worker.unsync.backoff.ms",
        Type.INT,
        300000,
        "Wait outside the group of a worker that could not catch up (connect.protocol=eager).",
        importance=Importance.MEDIUM,
        validator=at_least(0),
    ),
    option(
        "connect.protocol",
        Type.STRING,
        "sessioned",
        "How workers share work: eager, compatible (incremental) or sessioned (also signs their requests).",
        validator=one_of("eager", "compatible", "sessioned"),
    ),
    option(
        "scheduled.rebalance.max.delay.ms",
        Type.INT,
        300000,
        "Longest wait for a lost worker to come back before its work moves; work of one that stops moves at once.",
        validator=at_least(0),
    ),
    option(
        "inter.worker.key.generation.algorithm",
        Type.STRING,
        "HmacSHA256",
        "Algorithm of the keys with which workers sign requests to each other.",
    ),
    option(
        "inter.worker.key.size", Type.INT, None, "Size of these keys in bits; not set: the algorithm's own."
    ),
    option(
        "inter.worker.key.ttl.ms",
        Type.INT,
        3600000,
        "Age at which the leader replaces the key; 0: never.",
        validator=at_least(0),
    ),
    option("inter.worker.signature.algorithm", Type.STRING, "HmacSHA256", "Algorithm of the signatures."),
    option(
        "inter.worker.verification.algorithms",
        Type.LIST,
        ["HmacSHA256"],
        "Algorithms of signatures that are accepted.",
    ),
    option(
        "exactly.once.source.support",
        Type.STRING,
        "disabled",
        "Exactly-once sources: disabled, preparing or enabled; a running group goes through preparing.",
        importance=Importance.HIGH,
        validator=one_of("disabled", "preparing", "enabled"),
    ),
)
