"""Options of a worker. Names and defaults are Kafka Connect's; those marked OWN are ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, Importance, Type, at_least, invalid, key, one_of
from replicator.config.listeners import Listener, advertised, parse_listeners
from replicator.config.overrides import ALLOWLIST, POLICY, check_policy

JSON_CONVERTER: Final = "org.apache.kafka.connect.json.JsonConverter"
HEADER_CONVERTER: Final = "org.apache.kafka.connect.storage.SimpleHeaderConverter"


def _key(name: str, type_: Type, default: Any, doc: str, **more: Any) -> ConfigKey:
    more.setdefault("importance", Importance.LOW)
    return key(name, type_, default, doc=doc, **more)


def _replication(name: str, value: Any) -> None:
    if value is not None and value != -1 and value < 1:
        raise invalid(name, value, "Value must be -1 (the brokers' default) or at least 1")


_CONVERTER = "Converter of {} where a connector names none; its own options follow with this prefix."

WORKER_DEF: Final = ConfigDef(
    _key("bootstrap.servers", Type.LIST, None, "Kafka brokers. Not set: topics live in the embedded log."),
    _key("data.dir", Type.STRING, None, "OWN. Folder of the embedded log; not set: topics live in memory."),
    _key("key.converter", Type.CLASS, JSON_CONVERTER, _CONVERTER.format("keys"), importance=Importance.HIGH),
    _key(
        "value.converter", Type.CLASS, JSON_CONVERTER, _CONVERTER.format("values"), importance=Importance.HIGH
    ),
    _key("header.converter", Type.CLASS, HEADER_CONVERTER, _CONVERTER.format("headers")),
    _key(
        "task.shutdown.graceful.timeout.ms",
        Type.LONG,
        5000,
        "Time for all tasks together to stop; after that they are abandoned.",
        validator=at_least(0),
    ),
    _key(
        "offset.flush.interval.ms",
        Type.LONG,
        60000,
        "Period of storing source offsets (where they do not ride with the records) and of sink commits.",
        validator=at_least(0),
    ),
    _key(
        "offset.flush.timeout.ms",
        Type.LONG,
        5000,
        "Longest wait for outstanding records when offsets are stored.",
        validator=at_least(0),
    ),
    _key(
        "offset.storage.file.filename",
        Type.STRING,
        None,
        "File of source offsets (standalone). Not set: offsets ride in the log with their records.",
    ),
    _key("offset.storage.topic", Type.STRING, "connect-offsets", "Topic of source offsets."),
    _key("status.storage.topic", Type.STRING, "connect-status", "Topic of states."),
    _key("config.storage.topic", Type.STRING, "connect-configs", "Topic of configurations."),
    _key(
        "durability.interval.ms",
        Type.LONG,
        1000,
        "OWN. How often the log is flushed to disk; only then may a source discard what was read.",
        validator=at_least(1),
    ),
    _key(
        "plugin.path",
        Type.LIST,
        None,
        "Folders of further plugins: installed packages, wheels, source trees. Java's archives in them are ignored.",
    ),
    _key("config.providers", Type.LIST, [], "Names of config providers; not set: env, file and dir."),
    _key(
        POLICY,
        Type.STRING,
        "All",
        "Which client options a connector may override: All, None, Principal or Allowlist.",
        validator=check_policy,
    ),
    _key(ALLOWLIST, Type.LIST, [], "Client options that the policy Allowlist lets connectors override."),
    _key("topic.creation.enable", Type.BOOLEAN, True, "Whether topics of sources are created."),
    _key("topic.tracking.enable", Type.BOOLEAN, True, "Whether topics in use are tracked."),
    _key("topic.tracking.allow.reset", Type.BOOLEAN, True, "Whether tracked topics can be reset."),
    _key(
        "listeners",
        Type.LIST,
        ["http://127.0.0.1:8083"],
        "Addresses of the REST API; empty or `off`: none.",
        importance=Importance.MEDIUM,
    ),
    _key("rest.advertised.host.name", Type.STRING, None, "Host shown in worker ids."),
    _key("rest.advertised.port", Type.INT, None, "Port shown in worker ids."),
    _key(
        "rest.advertised.listener",
        Type.STRING,
        None,
        "Scheme that other workers use.",
        validator=one_of("http", "https"),
    ),
    _key("admin.listeners", Type.LIST, None, "Addresses of the logging endpoints; not set: as `listeners`."),
    _key("access.control.allow.origin", Type.STRING, "", "CORS: allowed origins."),
    _key("access.control.allow.methods", Type.STRING, "", "CORS: allowed methods."),
    _key("response.http.headers.config", Type.STRING, "", "Further headers of every answer."),
    _key(
        "rest.extension.classes",
        Type.LIST,
        [],
        "Only Connect's BasicAuthSecurityRestExtension is known: accounts of the file that JAAS names.",
    ),
    _key(
        "rest.auth.file",
        Type.STRING,
        None,
        "OWN. Accounts of the REST API: users.NAME.password, users.NAME.role, tokens.NAME.token, tokens.NAME.role"
        " (read, operate or admin). Read again when it changes. The same options below rest.auth. work, too.",
        importance=Importance.MEDIUM,
    ),
    _key(
        "rest.auth.jaas.file", Type.STRING, None, "OWN. JAAS file of the extension; else KAFKA_OPTS names it."
    ),
    _key(
        "rest.auth.public.paths",
        Type.LIST,
        None,
        "OWN. Paths that may be read without an account; not set: /health, and none with the extension.",
    ),
    _key("group.id", Type.STRING, None, "Group of a distributed worker."),
    _key("client.id", Type.STRING, "", "Prefix of client ids."),
    _key(
        "config.storage.replication.factor",
        Type.SHORT,
        3,
        "Replication factor of the topic of configurations, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    _key(
        "offset.storage.partitions",
        Type.INT,
        25,
        "Partitions of the topic of source offsets, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    _key(
        "offset.storage.replication.factor",
        Type.SHORT,
        3,
        "Replication factor of the topic of source offsets, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    _key(
        "status.storage.partitions",
        Type.INT,
        5,
        "Partitions of the topic of states, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    _key(
        "status.storage.replication.factor",
        Type.SHORT,
        3,
        "Replication factor of the topic of states, when it is made; -1: the brokers' default.",
        validator=_replication,
    ),
    _key(
        "session.timeout.ms",
        Type.INT,
        10000,
        "A worker that was not heard of for so long is lost, and others take over its work.",
        importance=Importance.HIGH,
        validator=at_least(1),
    ),
    _key(
        "heartbeat.interval.ms",
        Type.INT,
        3000,
        "Longest time between two heartbeats; one is sent at least once a second.",
        importance=Importance.HIGH,
        validator=at_least(1),
    ),
    _key(
        "rebalance.timeout.ms",
        Type.INT,
        60000,
        "Longest time for all workers to join again once a round began.",
        importance=Importance.HIGH,
        validator=at_least(1),
    ),
    _key(
        "worker.sync.timeout.ms",
        Type.INT,
        3000,
        "Longest wait for a worker that is behind to read all configurations.",
        importance=Importance.MEDIUM,
        validator=at_least(0),
    ),
    _key(
        "worker.unsync.backoff.ms",
        Type.INT,
        300000,
        "Wait outside the group of a worker that could not catch up (connect.protocol=eager).",
        importance=Importance.MEDIUM,
        validator=at_least(0),
    ),
    _key(
        "connect.protocol",
        Type.STRING,
        "sessioned",
        "How workers share work: eager, compatible (incremental) or sessioned (also signs their requests).",
        validator=one_of("eager", "compatible", "sessioned"),
    ),
    _key(
        "scheduled.rebalance.max.delay.ms",
        Type.INT,
        300000,
        "Longest wait for a lost worker to come back before its work moves; work of one that stops moves at once.",
        validator=at_least(0),
    ),
    _key(
        "inter.worker.key.generation.algorithm",
        Type.STRING,
        "HmacSHA256",
        "Algorithm of the keys with which workers sign requests to each other.",
    ),
    _key(
        "inter.worker.key.size", Type.INT, None, "Size of these keys in bits; not set: the algorithm's own."
    ),
    _key(
        "inter.worker.key.ttl.ms",
        Type.INT,
        3600000,
        "Age at which the leader replaces the key; 0: never.",
        validator=at_least(0),
    ),
    _key("inter.worker.signature.algorithm", Type.STRING, "HmacSHA256", "Algorithm of the signatures."),
    _key(
        "inter.worker.verification.algorithms",
        Type.LIST,
        ["HmacSHA256"],
        "Algorithms of signatures that are accepted.",
    ),
    _key(
        "exactly.once.source.support",
        Type.STRING,
        "disabled",
        "Exactly-once sources: disabled, preparing or enabled; a running group goes through preparing.",
        importance=Importance.HIGH,
        validator=one_of("disabled", "preparing", "enabled"),
    ),
)

DISTRIBUTED: Final = ("group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic")
"""Options that a distributed worker must set."""


class WorkerConfig:
    """Parsed worker options.

    Attributes:
        raw: the options as given (resolved), including converter and client sub-options.
        values: parsed values of the declared options.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw: dict[str, Any] = dict(raw)
        self.values = WORKER_DEF.parse(self.raw)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def data_dir(self) -> Path | None:
        """Folder of the embedded log."""
        folder = self.values["data.dir"]
        return Path(folder) if folder else None

    @property
    def kafka(self) -> bool:
        """Whether topics live in Kafka."""
        return bool(self.values["bootstrap.servers"])

    def seconds(self, name: str) -> float:
        """An option in milliseconds, as seconds."""
        return float(self.values[name]) / 1000.0

    def topic_settings(self, storage: str) -> dict[str, str]:
        """Configuration of an internal topic (`config`, `offset` or `status`) when it is made."""
        prefix = f"{storage}.storage."
        own = ("topic", "replication.factor", "partitions", "cleanup.policy", "file.filename")
        given = {n.removeprefix(prefix): str(v) for n, v in self.raw.items() if n.startswith(prefix)}
        return {n: v for n, v in given.items() if n not in own}

    @property
    def listener(self) -> tuple[str, int] | None:
        """Host and port of the first listener, or None when REST is off."""
        listeners = parse_listeners(self.values["listeners"] or ())
        return (listeners[0].host, listeners[0].port) if listeners else None

    @property
    def worker_id(self) -> str:
        """`host:port` shown in states."""
        listeners = parse_listeners(self.values["listeners"] or ()) or [Listener("http", "127.0.0.1", 8083)]
        _, host, port = advertised(listeners, self.values["rest.advertised.listener"])
        host = self.values["rest.advertised.host.name"] or host or "127.0.0.1"
        return f"{host}:{self.values['rest.advertised.port'] or port}"
