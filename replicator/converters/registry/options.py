"""Options that all registry converters take, under the names of Confluent's converters.

Options of the client may be written with `schema.registry.` in front, as the Java converters allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, Importance, key
from replicator.api.option_types import NO_DEFAULT, Type
from replicator.api.validators import at_least, one_of

PREFIX: Final = "schema.registry."
URL: Final = "schema.registry.url"
_STRATEGY: Final = "io.confluent.kafka.serializers.subject.TopicNameStrategy"
_LOW, _MEDIUM, _HIGH = Importance.LOW, Importance.MEDIUM, Importance.HIGH


def _text(name: str, default: Any, doc: str, importance: Importance = _LOW, **more: Any) -> ConfigKey:
    return key(name, Type.STRING, default, importance=importance, doc=doc, **more)


def flag(name: str, default: bool, doc: str, importance: Importance = _LOW) -> ConfigKey:
    """An option that is true or false."""
    return key(name, Type.BOOLEAN, default, importance=importance, doc=doc)


def _number(name: str, default: int, doc: str, low: int = 0) -> ConfigKey:
    return key(name, Type.INT, default, importance=_LOW, doc=doc, validator=at_least(low))


def _secret(name: str, doc: str) -> ConfigKey:
    return key(name, Type.PASSWORD, None, importance=_MEDIUM, doc=doc)


CLIENT: Final = ConfigDef(
    _text("basic.auth.credentials.source", "URL", "URL, USER_INFO or SASL_INHERIT.", _MEDIUM,
          validator=one_of("URL", "USER_INFO", "SASL_INHERIT", ignore_case=True)),
    _secret("basic.auth.user.info", "Name and password as name:password, for USER_INFO."),
    _text("sasl.username", None, "Name for SASL_INHERIT."),
    _secret("sasl.password", "Password for SASL_INHERIT."),
    _secret("sasl.jaas.config", "Login module with username and password, for SASL_INHERIT."),
    _text("bearer.auth.credentials.source", None, "STATIC_TOKEN or OAUTHBEARER; none: no token.", _MEDIUM,
          validator=one_of("STATIC_TOKEN", "OAUTHBEARER", ignore_case=True)),
    _secret("bearer.auth.token", "The token, for STATIC_TOKEN."),
    _text("bearer.auth.issuer.endpoint.url", None, "Where tokens are asked for, for OAUTHBEARER."),
    _text("bearer.auth.client.id", None, "Client id for OAUTHBEARER."),
    _secret("bearer.auth.client.secret", "Client secret for OAUTHBEARER."),
    _text("bearer.auth.scope", None, "Scope of the token."),
    _text("bearer.auth.logical.cluster", None, "Sent as header target-sr-cluster."),
    _text("bearer.auth.identity.pool.id", None, "Sent as header Confluent-Identity-Pool-Id."),
    _number("bearer.auth.cache.expiry.buffer.seconds", 300, "How long before its end a token is renewed."),
    _text("ssl.truststore.location", None, "Certificates that are trusted: a PEM, PKCS12, JKS or JCEKS file."),
    _text("ssl.truststore.certificates", None, "The same as PEM text."),
    _text("ssl.truststore.type", None, "JKS, PKCS12, JCEKS or PEM; without it the content decides."),
    _secret("ssl.truststore.password", "Password of that file."),
    _text("ssl.keystore.location", None, "Our own certificate and key: a PEM, PKCS12, JKS or JCEKS file."),
    _text("ssl.keystore.certificate.chain", None, "The certificate as PEM text."),
    _secret("ssl.keystore.key", "The key as PEM text."),
    _text("ssl.keystore.type", None, "JKS, PKCS12, JCEKS or PEM; without it the content decides."),
    _secret("ssl.keystore.password", "Password of that file."),
    _secret("ssl.key.password", "Password of the key."),
    _text("ssl.endpoint.identification.algorithm", "https", "Empty: the host name is not checked."),
    _text("proxy.host", "", "Host of an HTTP proxy."),
    _number("proxy.port", 0, "Port of the proxy."),
    _number("http.connect.timeout.ms", 60_000, "Time to connect."),
    _number("http.read.timeout.ms", 60_000, "Time to wait for an answer."),
    _number("max.retries", 3, "How often a request is repeated when no registry answers."),
    _number("retries.wait.ms", 1000, "Wait before the first repetition; doubled each time."),
    _number("retries.max.wait.ms", 20_000, "Longest wait before a repetition."),
)  # fmt: skip
"""Options of the connection."""

CONVERTER: Final = ConfigDef(
    key(
        URL,
        Type.LIST,
        NO_DEFAULT,
        importance=_HIGH,
        doc="URLs of schema registries, tried in turn. embedded:// is the registry within this worker, "
        "mock://scope one in memory for tests.",
    ),
    flag("auto.register.schemas", True, "Register schemas that are not registered yet.", _MEDIUM),
    flag("use.latest.version", False, "Write with the newest version of the subject; needs "
          "auto.register.schemas=false.", _MEDIUM),
    flag("latest.compatibility.strict", True, "Whether the newest version must be able to hold our data."),
    flag("normalize.schemas", False, "Whether schemas are normalised when registered or looked up."),
    key("use.schema.id", Type.INT, -1, importance=_LOW, doc="Write with the schema of this id; -1: no."),
    flag("id.compatibility.strict", True, "Whether the schema of use.schema.id must be able to hold our data."),
    _text("key.subject.name.strategy", _STRATEGY, "How subjects of keys are named.", _MEDIUM),
    _text("value.subject.name.strategy", _STRATEGY, "How subjects of values are named.", _MEDIUM),
    _number("max.schemas.per.subject", 1000, "How many answers of the registry are kept.", 1),
    _number("schemas.cache.config", 1000, "How many converted schemas are kept.", 1),
    key("latest.cache.ttl.sec", Type.LONG, -1, importance=_LOW,
        doc="Seconds after which the newest version is asked for again; -1: never."),
    flag("generalized.sum.type.support", False, "The same form of unions in all registry formats."),
    flag("ignore.default.for.nullables", False, "Whether a null stays null although the field has a default."),
).merged(CLIENT)  # fmt: skip
"""Options of every registry converter."""


def unprefixed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The options with those of the client under their short names; the long name wins."""
    options = dict(raw)
    for name, value in raw.items():
        short = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and (short in CLIENT.keys or short.startswith("request.header.")):
            options[short] = value
    return options
