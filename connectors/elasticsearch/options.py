"""Options of the Elasticsearch sink, under the names of Confluent's connector. Pure declarations."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from replicator.api import ConfigDef, ConfigError, Importance, Type
from replicator.api.config import ConfigKey, key
from replicator.api.validators import all_of, at_least, between, matches, non_empty, one_of

HIGH, MEDIUM, LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
_S, _I, _L, _B, _P = Type.STRING, Type.INT, Type.LONG, Type.BOOLEAN, Type.PASSWORD


def node_url(url: str) -> str:
    """The address of a node; without a protocol it is http."""
    return url.rstrip("/") if "://" in url else f"http://{url.rstrip('/')}"


def _urls(name: str, value: Any) -> None:
    for url in value or ():
        parts = urlsplit(node_url(url))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                f"Invalid value {url} for configuration {name}: The provided url '{url}' is not a valid url.",
                option=name,
            )


def _option(
    name: str, type_: Type, default: Any, importance: Importance, doc: str, check: Any = None
) -> ConfigKey:
    return key(name, type_, default, importance=importance, doc=doc, validator=check)


CONNECTION: Final = ConfigDef(
    key(
        "connection.url",
        Type.LIST,
        importance=HIGH,
        doc="Addresses of the cluster's nodes, such as http://eshost1:9200,http://eshost2:9200.",
        validator=all_of(non_empty, _urls),
    ),
    _option("connection.username", _S, None, MEDIUM, "Account."),
    _option("connection.password", _P, None, MEDIUM, "Password."),
    _option("connection.compression", _B, False, LOW, "Compress requests with gzip."),
    _option("connection.timeout.ms", _I, 1000, LOW, "Time to connect.", between(0, 12 * 3_600_000)),
    _option("read.timeout.ms", _I, 3000, LOW, "Time to wait for an answer.", between(0, 7 * 24 * 3_600_000)),
    _option(
        "max.connection.idle.time.ms",
        _I,
        60_000,
        LOW,
        "How long an unused connection stays open.",
        between(-1, 24 * 3_600_000),
    ),
    _option("proxy.host", _S, "", LOW, "HTTP proxy."),
    _option("proxy.port", _I, 8080, LOW, "Port of the proxy.", between(1, 65535)),
    _option("proxy.username", _S, "", LOW, "Account at the proxy."),
    _option("proxy.password", _P, None, LOW, "Password at the proxy."),
    _option(
        "elastic.security.protocol",
        _S,
        "PLAINTEXT",
        MEDIUM,
        "PLAINTEXT or SSL; https:// in the address is SSL, too.",
        one_of("PLAINTEXT", "SSL", ignore_case=True),
    ),
    _option(
        "elastic.https.ssl.truststore.location",
        _S,
        None,
        HIGH,
        "Certificates that are trusted: PEM, PKCS12, JKS or JCEKS.",
    ),
    _option("elastic.https.ssl.truststore.password", _P, None, HIGH, "Password of that file."),
    _option(
        "elastic.https.ssl.truststore.type",
        _S,
        None,
        MEDIUM,
        "PEM, PKCS12, JKS or JCEKS; without it the content decides.",
    ),
    _option(
        "elastic.https.ssl.truststore.certificates", _P, None, HIGH, "Certificates that are trusted, in PEM."
    ),
    _option(
        "elastic.https.ssl.keystore.location",
        _S,
        None,
        HIGH,
        "Own certificate and key: PEM, PKCS12, JKS or JCEKS.",
    ),
    _option("elastic.https.ssl.keystore.password", _P, None, HIGH, "Password of that file."),
    _option(
        "elastic.https.ssl.keystore.type",
        _S,
        None,
        MEDIUM,
        "PEM, PKCS12, JKS or JCEKS; without it the content decides.",
    ),
    _option("elastic.https.ssl.key.password", _P, None, HIGH, "Password of the key."),
    _option(
        "elastic.https.ssl.endpoint.identification.algorithm",
        _S,
        "https",
        LOW,
        "Empty: the host name in the certificate is not checked.",
    ),
    _option("kerberos.user.principal", _S, None, LOW, "Kerberos is not supported.", matches("")),
    _option("kerberos.keytab.path", _S, None, LOW, "Kerberos is not supported.", matches("")),
)

_WRITING: Final = ConfigDef(
    _option("batch.size", _I, 2000, MEDIUM, "Records of one bulk request.", between(1, 1_000_000)),
    _option(
        "bulk.size.bytes",
        _L,
        5 << 20,
        LOW,
        "Bytes of one bulk request; -1 for any number.",
        between(-1, 2**31 - 1),
    ),
    _option("max.in.flight.requests", _I, 5, MEDIUM, "Bulk requests at the same time.", between(1, 1000)),
    _option(
        "max.buffered.records", _I, 20_000, LOW, "Records that wait for requests or answers.", at_least(1)
    ),
    _option(
        "linger.ms", _L, 1, LOW, "How long a request waits for more records.", between(0, 7 * 24 * 3_600_000)
    ),
    _option(
        "flush.timeout.ms",
        _L,
        180_000,
        LOW,
        "Time for everything buffered to be written.",
        between(1000, 7 * 24 * 3_600_000),
    ),
    _option("flush.synchronously", _B, False, LOW, "Return from each batch only when it is written."),
    _option("max.retries", _I, 5, LOW, "Retries of a request.", at_least(0)),
    _option(
        "retry.backoff.ms",
        _L,
        100,
        LOW,
        "Longest wait before the first retry; doubles with each.",
        between(0, 24 * 3_600_000),
    ),
)

_DOCUMENTS: Final = ConfigDef(
    _option("key.ignore", _B, False, HIGH, "Make ids of topic, partition and offset instead of the key."),
    _option("topic.key.ignore", Type.LIST, "", LOW, "Topics for which key.ignore holds."),
    _option("schema.ignore", _B, False, LOW, "Leave the mapping to the server."),
    _option("topic.schema.ignore", Type.LIST, "", LOW, "Topics for which schema.ignore holds."),
    _option(
        "compact.map.entries", _B, True, LOW, "Maps with text keys as objects, not as lists of key and value."
    ),
    _option("drop.invalid.message", _B, False, LOW, "Drop, and log, records that cannot be converted."),
    _option(
        "behavior.on.null.values",
        _S,
        "FAIL",
        LOW,
        "What a null value does: ignore, delete (the document), fail.",
        one_of("ignore", "delete", "fail", ignore_case=True),
    ),
    _option(
        "behavior.on.malformed.documents",
        _S,
        "FAIL",
        LOW,
        "What happens when the server refuses a document for its content: ignore, warn, fail.",
        one_of("ignore", "warn", "fail", ignore_case=True),
    ),
    _option(
        "write.method",
        _S,
        "INSERT",
        LOW,
        "insert replaces documents, upsert merges fields into them.",
        one_of("insert", "upsert", ignore_case=True),
    ),
    _option(
        "use.autogenerated.ids", _B, False, MEDIUM, "Let the server make ids; records may then appear twice."
    ),
    _option(
        "external.version.header", _S, "", LOW, "Header with the document's version; else it is the offset."
    ),
    _option("log.sensitive.data", _B, False, LOW, "Show documents in messages."),
)

_TARGETS: Final = ConfigDef(
    _option(
        "data.stream.type",
        _S,
        "NONE",
        LOW,
        "Write to data streams of this type: none, logs, metrics or another name.",
        matches(r"(?i)[a-z0-9][a-z0-9._-]*"),
    ),
    _option(
        "data.stream.dataset",
        _S,
        "",
        LOW,
        "Dataset of data streams; ${topic} is the topic.",
        matches(r"[^\\/*?\"<>| ,#:-]*"),
    ),
    _option(
        "data.stream.namespace", _S, "${topic}", LOW, "Namespace of data streams; ${topic} is the topic."
    ),
    _option(
        "data.stream.timestamp.field",
        Type.LIST,
        "",
        LOW,
        "Fields to take @timestamp from; else the record's time.",
    ),
    _option(
        "external.resource.usage",
        _S,
        "DISABLED",
        HIGH,
        "What kind of existing resource is written to: DISABLED, INDEX, DATASTREAM, ALIAS_INDEX, ALIAS_DATASTREAM.",
        one_of("DISABLED", "INDEX", "DATASTREAM", "ALIAS_INDEX", "ALIAS_DATASTREAM", ignore_case=True),
    ),
    _option(
        "topic.to.external.resource.mapping", Type.LIST, "", HIGH, "Existing resources, as topic:resource."
    ),
    _option("max.external.resource.mappings", _I, 15, MEDIUM, "How many of them there may be.", at_least(1)),
)

OPTIONS: Final = CONNECTION.merged(_WRITING).merged(_DOCUMENTS).merged(_TARGETS)
