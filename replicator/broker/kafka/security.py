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
    "sasl.login.callback.handler.class": "Java classes cannot run here; set sasl.oauthbearer.token.endpoint.url.",
    "sasl.login.class": "Java classes cannot run here.",
    "security.providers": "Java classes cannot run here.",
    "ssl.engine.factory.class": "Java classes cannot run here.",
}
_MEANINGLESS: Final = {
    # Java's own choices of provider and algorithm; OpenSSL negotiates the best that both sides have.
    "ssl.protocol", "ssl.provider", "ssl.enabled.protocols", "ssl.keymanager.algorithm",
    "ssl.trustmanager.algorithm", "ssl.secure.random.implementation",
    "sasl.kerberos.ticket.renew.jitter", "sasl.kerberos.ticket.renew.window.factor", "sasl.kerberos.kinit.cmd",
}  # fmt: skip
_PASSED: Final = {
    "security.protocol": "security.protocol",
    "sasl.mechanism": "sasl.mechanism",
    "sasl.kerberos.service.name": "sasl.kerberos.service.name",
    "sasl.kerberos.min.time.before.relogin": "sasl.kerberos.min.time.before.relogin",
    "sasl.oauthbearer.token.endpoint.url": "sasl.oauthbearer.token.endpoint.url",
    "ssl.cipher.suites": "ssl.cipher.suites",
}
_OURS: Final = {
    "sasl.jaas.config", "ssl.truststore.location", "ssl.truststore.certificates", "ssl.truststore.password",
    "ssl.keystore.location", "ssl.keystore.password", "ssl.keystore.key", "ssl.keystore.certificate.chain",
    "ssl.truststore.type", "ssl.keystore.type", "ssl.key.password", "ssl.endpoint.identification.algorithm",
}  # fmt: skip

JAVA_NAMES: Final = frozenset(_REFUSED) | _MEANINGLESS | frozenset(_PASSED) | _OURS
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
    found = {ours: options[java] for java, ours in _PASSED.items() if options.get(java)}
    if options.get("sasl.jaas.config"):
        found |= jaas(options["sasl.jaas.config"])
    found |= _trust(options)
    found |= _identity(options)
    algorithm = options.get("ssl.endpoint.identification.algorithm")
    if algorithm is not None:
        found["ssl.endpoint.identification.algorithm"] = algorithm.strip().lower() or "none"
    return found


def jaas(line: str) -> dict[str, str]:
    """Account of a JAAS line (`sasl.jaas.config`).

    Raises:
        ConfigError: the login module is unknown or the line cannot be read.
    """
    option = "sasl.jaas.config"
    module, _, rest = line.strip().partition(" ")
    kind = module.rpartition(".")[2]
    words = {m[1]: _unescaped(m[2] or m[3] or m[4] or "") for m in _JAAS_WORD.finditer(rest)}
    if kind in ("PlainLoginModule", "ScramLoginModule"):
        if "username" not in words or "password" not in words:
            raise ConfigError(f"{option} names no username and password.", option=option)
        return {"sasl.username": words["username"], "sasl.password": words["password"]}
    if kind == "OAuthBearerLoginModule":
        if "clientId" not in words or "clientSecret" not in words:
            raise ConfigError(
                f"{option}: OAuthBearerLoginModule needs clientId and clientSecret here.", option=option
            )
        found = {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": words["clientId"],
            "sasl.oauthbearer.client.secret": words["clientSecret"],
        }
        return found | ({"sasl.oauthbearer.scope": words["scope"]} if "scope" in words else {})
    if kind == "Krb5LoginModule":
        found = {
            "sasl.kerberos.keytab": words.get("keyTab", ""),
            "sasl.kerberos.principal": words.get("principal", ""),
        }
        return {name: value for name, value in found.items() if value}
    raise ConfigError(
        f"{option}: the login module {module or '(none)'} is not supported.",
        option=option,
        hint="PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and Krb5LoginModule are.",
    )


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
