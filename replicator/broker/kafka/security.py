"""Java's security options as librdkafka's: JAAS lines, key stores and trust stores. Pure but for reading files.

What has no counterpart is refused with what to do instead; nothing is silently left out (D11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from replicator.api.errors import ConfigError
from replicator.api.key_store import own_identity, trusted_certificates

_JAAS_WORD: Final = re.compile(r"""([\w.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;]+))""")
_REFUSED: Final = {
    "sasl.client.callback.handler.class": "Java classes cannot run here.",
    "sasl.login.class": "Java classes cannot run here.",
    "security.providers": "Java classes cannot run here.",
    "ssl.engine.factory.class": "Java classes cannot run here.",
}
_KNOWN_CLASSES: Final = {
    # Java's own classes for tokens from an endpoint: what they do is done here as well.
    "sasl.login.callback.handler.class": "OAuthBearerLoginCallbackHandler",
    "sasl.oauthbearer.jwt.retriever.class": "DefaultJwtRetriever ClientCredentialsJwtRetriever",
    "sasl.oauthbearer.jwt.validator.class": "DefaultJwtValidator ClientJwtValidator",
}
_MEANINGLESS: Final = {
    # Java's own choices of provider and algorithm; OpenSSL negotiates the best that both sides have.
    "ssl.protocol", "ssl.provider", "ssl.enabled.protocols", "ssl.keymanager.algorithm",
    "ssl.trustmanager.algorithm", "ssl.secure.random.implementation",
    "sasl.kerberos.ticket.renew.jitter", "sasl.kerberos.ticket.renew.window.factor", "sasl.kerberos.kinit.cmd",
    # When a token is asked for anew, and for how long that is tried: the clients' own choice here.
    "sasl.login.refresh.window.factor", "sasl.login.refresh.window.jitter", "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds", "sasl.login.connect.timeout.ms", "sasl.login.read.timeout.ms",
    "sasl.login.retry.backoff.ms", "sasl.login.retry.backoff.max.ms", "sasl.oauthbearer.clock.skew.seconds",
    "sasl.oauthbearer.header.urlencode", "sasl.oauthbearer.scope.claim.name", "sasl.oauthbearer.sub.claim.name",
}  # fmt: skip
_PASSED: Final = {
    "security.protocol": "security.protocol",
    "sasl.mechanism": "sasl.mechanism",
    "sasl.kerberos.service.name": "sasl.kerberos.service.name",
    "sasl.kerberos.min.time.before.relogin": "sasl.kerberos.min.time.before.relogin",
    "sasl.oauthbearer.token.endpoint.url": "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.client.credentials.client.id": "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.scope": "sasl.oauthbearer.scope",
    "ssl.cipher.suites": "ssl.cipher.suites",
}
_OURS: Final = {
    "sasl.jaas.config", "ssl.truststore.location", "ssl.truststore.certificates", "ssl.truststore.password",
    "ssl.keystore.location", "ssl.keystore.password", "ssl.keystore.key", "ssl.keystore.certificate.chain",
    "ssl.truststore.type", "ssl.keystore.type", "ssl.key.password", "ssl.endpoint.identification.algorithm",
}  # fmt: skip

_OAUTH_WORDS: Final = {
    "clientId": "sasl.oauthbearer.client.id",
    "clientSecret": "sasl.oauthbearer.client.secret",
    "scope": "sasl.oauthbearer.scope",
}
_KERBEROS_WORDS: Final = {
    "keyTab": "sasl.kerberos.keytab",
    "principal": "sasl.kerberos.principal",
    "serviceName": "sasl.kerberos.service.name",
}
UNSECURED: Final = "enable.sasl.oauthbearer.unsecure.jwt"
"""librdkafka's option for tokens that nobody has signed: for trying things out."""

JAVA_NAMES: Final = (
    frozenset(_REFUSED) | frozenset(_KNOWN_CLASSES) | _MEANINGLESS | frozenset(_PASSED) | _OURS
)
"""Security options of Java's clients that are understood here."""

EMPTY_MEANS_SOMETHING: Final = frozenset({"ssl.endpoint.identification.algorithm"})
"""Options whose empty value differs from none: this one switches the check of host names off."""


def librdkafka_security(options: Mapping[str, str]) -> dict[str, str]:
    """Security options of librdkafka for Java's.

    Raises:
        ConfigError: one of them cannot be honoured.
    """
    for name, reason in _REFUSED.items():
        if options.get(name):
            raise ConfigError(f"{name} is not supported: {reason}", option=name)
    _known_classes(options)
    found = {ours: options[java].strip() for java, ours in _PASSED.items() if options.get(java)}
    if options.get("sasl.jaas.config"):
        found = jaas(options["sasl.jaas.config"]) | found
    if found.get("sasl.mechanism") == "OAUTHBEARER":
        found |= _tokens(found)
    found |= _trust(options)
    found |= _identity(options)
    algorithm = options.get("ssl.endpoint.identification.algorithm")
    if algorithm is not None:
        found["ssl.endpoint.identification.algorithm"] = algorithm.strip().lower() or "none"
    return found


def _known_classes(options: Mapping[str, str]) -> None:
    for name, known in _KNOWN_CLASSES.items():
        given = (options.get(name) or "").strip().rpartition(".")[2]
        if given and given not in known.split():
            raise ConfigError(
                f"{name} is not supported: Java classes cannot run here; set sasl.oauthbearer.token.endpoint.url.",
                option=name,
            )


def _tokens(found: Mapping[str, str]) -> dict[str, str]:
    """Where the tokens of OAUTHBEARER come from."""
    if UNSECURED in found:
        return {}
    for option, ours, where in (
        ("sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.token.endpoint.url", ""),
        ("sasl.jaas.config", "sasl.oauthbearer.client.id", " (clientId)"),
        ("sasl.jaas.config", "sasl.oauthbearer.client.secret", " (clientSecret)"),
    ):
        if not found.get(ours):
            raise ConfigError(
                f"sasl.mechanism OAUTHBEARER needs {option}{where}.",
                option=option,
                hint="Tokens are had with a client's id and secret from the endpoint.",
            )
    return {"sasl.oauthbearer.method": "oidc"}


def jaas(line: str) -> dict[str, str]:
    """What the JAAS line says (`sasl.jaas.config`).

    Raises:
        ConfigError: the login module is unknown or the line cannot be read.
    """
    option = "sasl.jaas.config"
    module, _, rest = " ".join(line.split(None, 1)).partition(" ")
    kind = module.rpartition(".")[2].rstrip(";")
    words = {m[1]: _unescaped(m[2] or m[3] or m[4] or "") for m in _JAAS_WORD.finditer(rest)}
    if kind in ("PlainLoginModule", "ScramLoginModule"):
        if "username" not in words or "password" not in words:
            raise ConfigError(f"{option} names no username and password.", option=option)
        return {"sasl.username": words["username"], "sasl.password": words["password"]}
    if kind == "OAuthBearerLoginModule":
        return _oauth(words)
    if kind == "Krb5LoginModule":
        return _named(words, _KERBEROS_WORDS)
    raise ConfigError(
        f"{option}: the login module {module or '(none)'} is not supported.",
        option=option,
        hint="PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and Krb5LoginModule are.",
    )


def _oauth(words: Mapping[str, str]) -> dict[str, str]:
    found = _named(words, _OAUTH_WORDS)
    extensions = [f"{n[10:]}={v}" for n, v in sorted(words.items()) if n.startswith("extension_")]
    if extensions:
        found["sasl.oauthbearer.extensions"] = ",".join(extensions)
    subject = words.get("unsecuredLoginStringClaim_sub")
    if subject:
        found |= {UNSECURED: "true", "sasl.oauthbearer.config": f"principal={subject}"}
    # The endpoint's issuer is not the brokers': as in Java, its trust store is named in the line.
    pem = trusted_certificates(words)
    return found | ({"https.ca.pem": pem} if pem is not None else {})


def _named(words: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {ours: words[theirs] for theirs, ours in names.items() if words.get(theirs)}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _trust(options: Mapping[str, str]) -> dict[str, str]:
    pem = trusted_certificates(options)
    return {} if pem is None else {"ssl.ca.pem": pem}


def _identity(options: Mapping[str, str]) -> dict[str, str]:
    """Key and certificates as text: what a store's password opened is in no file that others read."""
    own = own_identity(options)
    if own is None:
        return {}
    found = {"ssl.key.pem": own.key, "ssl.certificate.pem": own.chain}
    return found | ({"ssl.key.password": own.password} if own.password else {})
