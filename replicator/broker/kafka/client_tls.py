"""Python's TLS for librdkafka's options: for the clients that are not librdkafka. Any thread."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from replicator.api.key_store import Identity


def client_context(security: Mapping[str, str]) -> ssl.SSLContext:
    """A context that trusts, and shows, what librdkafka would.

    Raises:
        ConfigError: a key or certificate cannot be used.
    """
    context = ssl.create_default_context(cadata=security.get("ssl.ca.pem"))
    context.check_hostname = checks_names(security)
    if "ssl.key.pem" in security:
        option = "ssl.keystore.location"
        key, chain = security["ssl.key.pem"], security["ssl.certificate.pem"]
        Identity(key, chain, security.get("ssl.key.password", ""), option, option).show(context)
    return context


def checks_names(security: Mapping[str, str]) -> bool:
    """Whether the brokers' certificates must carry the names that were asked for."""
    return security.get("ssl.endpoint.identification.algorithm", "https") == "https"
