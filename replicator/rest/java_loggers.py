"""Loggers by the names users of the Java worker know: their levels are set on ours, too. Pure; any thread."""

from __future__ import annotations

from typing import Final

_CONNECT: Final = "org.apache.kafka.connect"
_RUNTIME: Final = f"{_CONNECT}.runtime"
_DEBEZIUM: Final = "io.debezium"

_OURS: Final[dict[str, tuple[str, ...]]] = {
    _CONNECT: ("replicator", "connectors"),
    f"{_CONNECT}.file": ("connectors.files",),
    f"{_CONNECT}.tools": ("connectors.verifiable",),
    f"{_CONNECT}.json": ("replicator.converters",),
    f"{_CONNECT}.converters": ("replicator.converters",),
    f"{_CONNECT}.transforms": ("replicator.transforms",),
    f"{_CONNECT}.storage": ("replicator.storage",),
    f"{_CONNECT}.util": ("replicator.storage",),
    _RUNTIME: ("replicator.runtime", "replicator.herder", "replicator.plugins", "replicator.config"),
    f"{_RUNTIME}.WorkerSourceTask": ("replicator.runtime.source_task",),
    f"{_RUNTIME}.AbstractWorkerSourceTask": ("replicator.runtime.source_task",),
    f"{_RUNTIME}.ExactlyOnceWorkerSourceTask": ("replicator.runtime.source_task",),
    f"{_RUNTIME}.WorkerSinkTask": (
        "replicator.runtime.sink_task",
        "replicator.runtime.sink_delivery",
        "replicator.runtime.sink_partitions",
        "replicator.runtime.sink_positions",
    ),
    f"{_RUNTIME}.WorkerTask": ("replicator.runtime.task",),
    f"{_RUNTIME}.WorkerConnector": ("replicator.runtime.connector",),
    f"{_RUNTIME}.distributed": ("replicator.herder",),
    f"{_RUNTIME}.standalone": ("replicator.herder",),
    f"{_RUNTIME}.isolation": ("replicator.plugins",),
    f"{_RUNTIME}.rest": ("replicator.rest",),
    f"{_RUNTIME}.errors": ("replicator.runtime.tolerance", "replicator.runtime.dead_letters"),
    "org.apache.kafka.clients": ("replicator.broker",),
    _DEBEZIUM: ("connectors.cdc", "connectors.postgres", "connectors.mysql"),
    f"{_DEBEZIUM}.connector.postgresql": ("connectors.postgres",),
    f"{_DEBEZIUM}.connector.mysql": ("connectors.mysql",),
    f"{_DEBEZIUM}.connector.mariadb": ("connectors.mysql",),
    f"{_DEBEZIUM}.connector.jdbc": ("connectors.jdbc",),
    "io.confluent.connect.jdbc": ("connectors.jdbc",),
    "io.confluent.connect.s3": ("connectors.s3",),
    "io.confluent.connect.elasticsearch": ("connectors.elasticsearch",),
    "io.confluent.connect.avro": ("replicator.converters",),
}


def counterparts(name: str) -> tuple[str, ...]:
    """Our loggers for a Java one: those of the longest known name it begins with."""
    while name:
        if name in _OURS:
            return _OURS[name]
        name = name.rpartition(".")[0]
    return ()
