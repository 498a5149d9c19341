"""kafka-python: for what confluent-kafka cannot do (C28), or not safely; its options, and one request. Any thread."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from replicator.api.errors import ConfigError
from replicator.broker.kafka.client_tls import checks_names, client_context
from replicator.broker.kafka.errors import translate_python
from replicator.broker.kafka.security import librdkafka_security

_NAMES: Final = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "sasl.kerberos.service.name": "sasl_kerberos_service_name",
}

# Whoever asks is made to ask again; the defaults are half a minute each.
_TIMEOUTS: Final = {"bootstrap_timeout_ms": 5000, "request_timeout_ms": 10_000}


@contextmanager
def requesting(java: Mapping[str, str], doing: str) -> Iterator[Any]:
    """An admin client for one request; its errors leave as ours.

    Args:
        java: options under Java's names.
        doing: completes "Kafka: failed ...".
    """
    # Imported here: it costs a tenth of a second that nobody else should pay.
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        client = KafkaAdminClient(**settings(java), **_TIMEOUTS)
        try:
            yield client
        finally:
            client.close()
    except KafkaError as error:
        raise translate_python(error, doing) from error


def settings(java: Mapping[str, str]) -> dict[str, Any]:
    """kafka-python's options for Java's addresses and security.

    Raises:
        ConfigError: something cannot be had with this client.
    """
    security = librdkafka_security(java)
    found: dict[str, Any] = {"bootstrap_servers": java.get("bootstrap.servers", "").split(",")}
    found |= {theirs: security[name] for name, theirs in _NAMES.items() if name in security}
    protocol = found["security_protocol"] = security.get("security.protocol", "PLAINTEXT").strip().upper()
    mechanism = security.get("sasl.mechanism", "GSSAPI").strip()
    if protocol.startswith("SASL"):
        found["sasl_mechanism"] = mechanism
        if mechanism == "OAUTHBEARER":
            from replicator.broker.kafka.tokens import token_provider

            found["sasl_oauth_token_provider"] = token_provider(security)
        elif mechanism == "GSSAPI" and importlib.util.find_spec("gssapi") is None:
            raise ConfigError(
                "sasl.mechanism GSSAPI needs the Python package gssapi, which is not installed.",
                option="sasl.mechanism",
                hint="Install it, or use SCRAM-SHA-512, OAUTHBEARER or PLAIN.",
            )
    if protocol.endswith("SSL"):
        found["ssl_context"] = client_context(security)
        found["ssl_check_hostname"] = checks_names(security)
    return found
