"""Options of every worker. Names and defaults are Kafka Connect's; those marked OWN are ours."""

from __future__ import annotations

from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, Importance, key
from replicator.api.option_types import Type
from replicator.api.validators import at_least, one_of
from replicator.config.overrides import ALLOWLIST, POLICY, check_policy

JSON_CONVERTER: Final = "org.apache.kafka.connect.json.JsonConverter"
HEADER_CONVERTER: Final = "org.apache.kafka.connect.storage.SimpleHeaderConverter"


def option(name: str, type_: Type, default: Any, doc: str, **more: Any) -> ConfigKey:
    """One option, of low importance if nothing else is said."""
    more.setdefault("importance", Importance.LOW)
    return key(name, type_, default, doc=doc, **more)


_CONVERTER = "Converter of {} where a connector names none; its own options follow with this prefix."

OPTIONS: Final = ConfigDef(
    option("bootstrap.servers", Type.LIST, None, "Kafka brokers. Not set: topics live in the embedded log."),
    option("data.dir", Type.STRING, None, "OWN. Folder of the embedded log; not set: topics live in memory."),
    option(
        "key.converter", Type.CLASS, JSON_CONVERTER, _CONVERTER.format("keys"), importance=Importance.HIGH
    ),
    option(
        "value.converter", Type.CLASS, JSON_CONVERTER, _CONVERTER.format("values"), importance=Importance.HIGH
    ),
    option("header.converter", Type.CLASS, HEADER_CONVERTER, _CONVERTER.format("headers")),
    option(
        "task.shutdown.graceful.timeout.ms",
        Type.LONG,
        5000,
        "Time for all tasks together to stop; after that they are abandoned.",
        validator=at_least(0),
    ),
    option(
        "offset.flush.interval.ms",
        Type.LONG,
        60000,
        "Period of storing source offsets (where they do not ride with the records) and of sink commits.",
        validator=at_least(0),
    ),
    option(
        "offset.flush.timeout.ms",
        Type.LONG,
        5000,
        "Longest wait for outstanding records when offsets are stored.",
        validator=at_least(0),
    ),
    option(
        "offset.storage.file.filename",
        Type.STRING,
        None,
        "File of source offsets (standalone). Not set: offsets ride in the log with their records.",
    ),
    option("offset.storage.topic", Type.STRING, "connect-offsets", "Topic of source offsets."),
    option("status.storage.topic", Type.STRING, "connect-status", "Topic of states."),
    option("config.storage.topic", Type.STRING, "connect-configs", "Topic of configurations."),
    option(
        "durability.interval.ms",
        Type.LONG,
        1000,
        "OWN. How often the log is flushed to disk; only then may a source discard what was read.",
        validator=at_least(1),
    ),
    option(
        "plugin.path",
        Type.LIST,
        None,
        "Folders of further plugins: installed packages, wheels, source trees. Java's archives in them are ignored.",
    ),
    option("config.providers", Type.LIST, [], "Names of config providers; not set: env, file and dir."),
    option(
        POLICY,
        Type.STRING,
        "All",
        "Which client options a connector may override: All, None, Principal or Allowlist.",
        validator=check_policy,
    ),
    option(ALLOWLIST, Type.LIST, [], "Client options that the policy Allowlist lets connectors override."),
    option("topic.creation.enable", Type.BOOLEAN, True, "Whether topics of sources are created."),
    option("topic.tracking.enable", Type.BOOLEAN, True, "Whether topics in use are tracked."),
    option("topic.tracking.allow.reset", Type.BOOLEAN, True, "Whether tracked topics can be reset."),
    option(
        "listeners",
        Type.LIST,
        ["http://127.0.0.1:8083"],
        "Addresses of the REST API; empty or `off`: none.",
        importance=Importance.MEDIUM,
    ),
    option("rest.advertised.host.name", Type.STRING, None, "Host shown in worker ids."),
    option("rest.advertised.port", Type.INT, None, "Port shown in worker ids."),
    option(
        "rest.advertised.listener",
        Type.STRING,
        None,
        "Scheme that other workers use.",
        validator=one_of("http", "https"),
    ),
    option(
        "admin.listeners", Type.LIST, None, "Addresses of the logging endpoints; not set: as `listeners`."
    ),
    option("access.control.allow.origin", Type.STRING, "", "CORS: allowed origins."),
    option("access.control.allow.methods", Type.STRING, "", "CORS: allowed methods."),
    option("response.http.headers.config", Type.STRING, "", "Further headers of every answer."),
    option(
        "rest.extension.classes",
        Type.LIST,
        [],
        "Only Connect's BasicAuthSecurityRestExtension is known: accounts of the file that JAAS names.",
    ),
    option(
        "rest.auth.file",
        Type.STRING,
        None,
        "OWN. Accounts of the REST API: users.NAME.password, users.NAME.role, tokens.NAME.token, tokens.NAME.role"
        " (read, operate or admin). Read again when it changes. The same options below rest.auth. work, too.",
        importance=Importance.MEDIUM,
    ),
    option(
        "rest.auth.jaas.file", Type.STRING, None, "OWN. JAAS file of the extension; else KAFKA_OPTS names it."
    ),
    option(
        "rest.auth.public.paths",
        Type.LIST,
        None,
        "OWN. Paths that may be read without an account; not set: /health, and none with the extension.",
    ),
)
