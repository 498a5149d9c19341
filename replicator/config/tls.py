"""TLS as Kafka's options describe it: `ssl.*`, or `listeners.https.ssl.*` for the REST API alone.

Keys and certificates are PEM (files, or the text itself in the option), PKCS12, JKS or JCEKS files.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError
from replicator.api.key_store import own_identity, trust, trusted_certificates
from replicator.api.option_types import Secret

HTTPS_PREFIX: Final = "listeners.https."
_VERSIONS: Final = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_CLIENT_AUTH: Final = {"none": ssl.CERT_NONE, "requested": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def https_options(worker: Mapping[str, Any]) -> dict[str, str]:
    """The worker's options for HTTPS: those with the prefix when there is any, else the `ssl.*` without one."""
    own = {n: v for n, v in split_prefix(worker, HTTPS_PREFIX).items() if n.startswith("ssl.")}
    chosen = own or {n: v for n, v in worker.items() if n.startswith("ssl.")}
    return {n: v.reveal() if isinstance(v, Secret) else str(v) for n, v in chosen.items() if v is not None}


def server_context(options: Mapping[str, str]) -> ssl.SSLContext:
    """For a server with the key and certificates of `ssl.keystore.*`.

    Raises:
        ConfigError: a file cannot be read or holds something else, or an option is missing.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _settle(context, options)
    if not _load_key(context, options):
        raise ConfigError(
            "HTTPS needs a key and a certificate.",
            option="ssl.keystore.location",
            hint="Set ssl.keystore.location, or ssl.keystore.certificate.chain and ssl.keystore.key.",
        )
    wanted = options.get("ssl.client.auth", "none").strip().lower() or "none"
    if wanted not in _CLIENT_AUTH:
        raise ConfigError(
            f"Invalid value {wanted} for configuration ssl.client.auth: must be one of {', '.join(_CLIENT_AUTH)}",
            option="ssl.client.auth",
        )
    context.verify_mode = _CLIENT_AUTH[wanted]
    trusted = _load_trust(context, options)
    if wanted != "none" and not trusted:
        raise ConfigError(
            "Client certificates cannot be checked without ssl.truststore.location or ssl.truststore.certificates.",
            option="ssl.truststore.location",
        )
    return context


def client_context(options: Mapping[str, str]) -> ssl.SSLContext:
    """For requests to other servers: trusts `ssl.truststore.*`, else what the system trusts.

    Raises:
        ConfigError: a file cannot be read or holds something else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _settle(context, options)
    context.check_hostname = options.get("ssl.endpoint.identification.algorithm", "https").strip() != ""
    if not _load_trust(context, options):
        context.load_default_certs()
    _load_key(context, options)
    return context


def _settle(context: ssl.SSLContext, options: Mapping[str, str]) -> None:
    listed = [v.strip() for v in options.get("ssl.enabled.protocols", "").split(",") if v.strip()]
    versions = sorted(_VERSIONS[v] for v in listed if v in _VERSIONS)
    if listed and not versions:
        raise ConfigError(
            f"None of the protocols {', '.join(listed)} can be used: {', '.join(_VERSIONS)} can.",
            option="ssl.enabled.protocols",
        )
    context.minimum_version = versions[0] if versions else ssl.TLSVersion.TLSv1_2
    if versions:
        context.maximum_version = versions[-1]
    ciphers = options.get("ssl.cipher.suites", "").strip()
    # Java's names of TLS 1.2 suites differ from OpenSSL's; those of TLS 1.3 are not chosen one by one.
    openssl = [c.strip() for c in ciphers.split(",") if c.strip() and not c.strip().startswith("TLS_")]
    if openssl:
        try:
            context.set_ciphers(":".join(openssl))
        except ssl.SSLError:
            raise ConfigError(
                f"No cipher of {', '.join(openssl)} is known.", option="ssl.cipher.suites"
            ) from None


def _load_key(context: ssl.SSLContext, options: Mapping[str, str]) -> bool:
    identity = own_identity(options)
    if identity is None:
        return False
    identity.show(context)
    return True


def _load_trust(context: ssl.SSLContext, options: Mapping[str, str]) -> bool:
    pem = trusted_certificates(options)
    if pem is None:
        return False
    inline = options.get("ssl.truststore.certificates")
    trust(context, pem, "ssl.truststore.certificates" if inline else "ssl.truststore.location")
    return True
