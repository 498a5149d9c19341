"""Options of Kafka clients: Java's names as librdkafka's, in layers. Pure but for key stores (see security).

A client's configuration is, from low to high: what the framework wants, the worker's own options of a client
(`bootstrap.servers`, security, connection), what the connector's options say.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from replicator.api.errors import ConfigError
from replicator.broker.kafka.errors import kafka_error
from replicator.broker.kafka.security import EMPTY_MEANS_SOMETHING, JAVA_NAMES, librdkafka_security

log = logging.getLogger(__name__)

_CONNECTION: Final = {
    "bootstrap.servers": "bootstrap.servers",
    "client.dns.lookup": "client.dns.lookup",
    "client.rack": "client.rack",
    "connections.max.idle.ms": "connections.max.idle.ms",
    "metadata.max.age.ms": "metadata.max.age.ms",
    "reconnect.backoff.ms": "reconnect.backoff.ms",
    "reconnect.backoff.max.ms": "reconnect.backoff.max.ms",
    "retry.backoff.ms": "retry.backoff.ms",
    "retry.backoff.max.ms": "retry.backoff.max.ms",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "socket.connection.setup.timeout.ms": "socket.connection.setup.timeout.ms",
    "request.timeout.ms": "socket.timeout.ms",
}
_RENAMED: Final = {
    **_CONNECTION,
    "max.request.size": "message.max.bytes",
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "compression.gzip.level": "compression.level",
    "compression.lz4.level": "compression.level",
    "compression.zstd.level": "compression.level",
}
_IGNORED: Final = {
    # What the framework decides itself, or what only Java's clients have; Connect ignores or overrides most of them.
    "key.serializer", "value.serializer", "key.deserializer", "value.deserializer", "enable.auto.commit",
    "auto.commit.interval.ms", "max.poll.records", "max.block.ms", "default.api.timeout.ms",
    "exclude.internal.topics", "metric.reporters", "metrics.num.samples", "metrics.sample.window.ms",
    "metrics.recording.level", "auto.include.jmx.reporter", "partitioner.availability.timeout.ms",
    "partitioner.adaptive.partitioning.enable", "socket.connection.setup.timeout.max.ms",
    "bootstrap.controllers", "config.providers", "metadata.max.idle.ms", "transactional.id",
    "metadata.recovery.strategy", "metadata.recovery.rebootstrap.trigger.ms", "client.id",
    "enable.transactional.id.metrics", "transaction.two.phase.commit.enable",
}  # fmt: skip
_ASSIGNORS: Final = {
    "RangeAssignor": "range",
    "RoundRobinAssignor": "roundrobin",
    "CooperativeStickyAssignor": "cooperative-sticky",
}
_SIZES_OF_SYSTEM: Final = {"socket.send.buffer.bytes", "socket.receive.buffer.bytes"}


def worker_client_options(worker: Mapping[str, Any]) -> dict[str, str]:
    """The options of a worker that all its clients share: addresses, connections, security."""
    shared = {*_CONNECTION, *JAVA_NAMES}
    return {
        name: _text(value)
        for name, value in worker.items()
        if name in shared and (value not in (None, "") or (value == "" and name in EMPTY_MEANS_SOMETHING))
    }


def layered(*layers: Mapping[str, Any]) -> dict[str, str]:
    """Java's options, later layers winning."""
    merged: dict[str, str] = {}
    for layer in layers:
        merged |= {name: _text(value) for name, value in layer.items() if value is not None}
    return merged


def librdkafka(java: Mapping[str, str]) -> dict[str, str]:
    """Options of librdkafka for Java's; names that both have, or that only librdkafka has, stay.

    Raises:
        ConfigError: an option cannot be honoured.
    """
    security = librdkafka_security({name: value for name, value in java.items() if name in JAVA_NAMES})
    found: dict[str, str] = {}
    for name, value in java.items():
        if name in JAVA_NAMES or name in _IGNORED:
            continue
        special = _SPECIAL.get(name)
        if special is not None:
            found |= special(value)
        else:
            target = _RENAMED.get(name, name)
            if not (target in _SIZES_OF_SYSTEM and value.strip().startswith("-")):
                found[target] = value
    return found | security


def made(make: Callable[[dict[str, Any]], Any], options: Mapping[str, Any]) -> Any:
    """A client of these librdkafka options; as in Java, an option that nobody knows is named and left out.

    Raises:
        ConfigError: librdkafka refuses the value of an option.
    """
    left = dict(options)
    while True:
        try:
            return make(dict(left))
        except KafkaException as error:
            reason = kafka_error(error)
            unknown = _unknown(reason)
            if unknown is None or unknown not in left:
                raise _refused(reason, left) from error
            log.warning("The option '%s' is not known to Kafka's client and is ignored.", unknown)
            del left[unknown]


def _refused(reason: KafkaError, options: Mapping[str, Any]) -> ConfigError:
    if "SASL mechanism GSSAPI" in reason.str():
        return ConfigError(
            "sasl.mechanism GSSAPI is not in the Kafka client that is installed (confluent-kafka's wheels lack it).",
            option="sasl.mechanism",
            hint="Install confluent-kafka from source, against a librdkafka with Cyrus SASL, or use SCRAM-SHA-512.",
        )
    text = f"Kafka's client refuses its options: {reason.str()}."
    return ConfigError(text, option=_named(reason, options))


def _unknown(reason: KafkaError) -> str | None:
    head, _, name = reason.str().partition('No such configuration property: "')
    return name.rstrip('"') if name and not head else None


def _named(reason: KafkaError, options: Mapping[str, Any]) -> str | None:
    words = set(re.findall(r"[\w.]*\w", reason.str()))
    return next((name for name in options if "." in name and name in words), None)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value)


def _assignors(value: str) -> dict[str, str]:
    names = [word.strip().rpartition(".")[2] for word in value.split(",") if word.strip()]
    found = [_ASSIGNORS.get(name, name) for name in names]
    for name in found:
        if name not in _ASSIGNORS.values():
            raise ConfigError(
                f"partition.assignment.strategy {name} is not supported.",
                option="partition.assignment.strategy",
                hint="RangeAssignor, RoundRobinAssignor and CooperativeStickyAssignor are.",
            )
    # librdkafka cannot mix cooperative and eager assignors; Java's members understand either.
    chosen = ["cooperative-sticky"] if "cooperative-sticky" in found else found
    return {"partition.assignment.strategy": ",".join(chosen)}


def _buffer(value: str) -> dict[str, str]:
    return {"queue.buffering.max.kbytes": str(max(1, int(value) // 1024))}


def _timeout(value: str) -> dict[str, str]:
    return {"delivery.timeout.ms": str(min(int(value), 2**31 - 1))}


def _partitioner(value: str) -> dict[str, str]:
    if value and value.rpartition(".")[2] not in ("DefaultPartitioner", "UniformStickyPartitioner"):
        raise ConfigError(
            f"partitioner.class {value} is not supported: Java classes cannot run here.",
            option="partitioner.class",
        )
    return {}


def _interceptors(value: str) -> dict[str, str]:
    if value.strip():
        raise ConfigError(
            "interceptor.classes is not supported: Java classes cannot run here.",
            option="interceptor.classes",
        )
    return {}


def _ignore_keys(value: str) -> dict[str, str]:
    if value.strip().lower() == "true":
        raise ConfigError(
            "partitioner.ignore.keys would give up the order per key.", option="partitioner.ignore.keys"
        )
    return {}


def _reset(value: str) -> dict[str, str]:
    return {"auto.offset.reset": "error" if value.strip().lower() == "none" else value.strip().lower()}


_SPECIAL: Final[dict[str, Callable[[str], dict[str, str]]]] = {
    "partition.assignment.strategy": _assignors,
    "buffer.memory": _buffer,
    "delivery.timeout.ms": _timeout,
    "partitioner.class": _partitioner,
    "partitioner.ignore.keys": _ignore_keys,
    "interceptor.classes": _interceptors,
    "auto.offset.reset": _reset,
}
