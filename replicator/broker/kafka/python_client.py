"""kafka-python: for what confluent-kafka cannot do (C28), or not safely; its options, and one request. Any thread."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from replicator.api.errors import ConfigError
from replicator.broker.kafka.client_tls import checks_names, client_context
from replicator.broker.kafka.errors import translate_python
from replicator.broker.kafka.python_log import hide_logins
from replicator.broker.kafka.security import librdkafka_security


class _Unshown(str):
    """A text that is not in the log: at DEBUG kafka-python writes all its options there."""

    def __repr__(self) -> str:
        return "[hidden]"


_NAMES: Final = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "sasl.kerberos.service.name": "sasl_kerberos_service_name",
}

# Whoever asks is made to ask again; the defaults are half a minute each.
_TIMEOUTS: Final[dict[str, Any]] = {"bootstrap_timeout_ms": 5000, "request_timeout_ms": 10_000}


@contextmanager
def requesting(java: Mapping[str, str], doing: str, right: str = "") -> Iterator[Any]:
    """An admin client for one request; its errors leave as ours.

    Args:
        java: options under Java's names.
        doing: completes "Kafka: failed ...".
        right: what the account must be granted for it.
    """
    # Imported here: it costs a tenth of a second that nobody else should pay.
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    made: list[Any] = []
    try:
        try:
            client = KafkaAdminClient(
                **settings(java), **_TIMEOUTS, kafka_client=functools.partial(_client, made)
            )
        except BaseException:
            # The client that could not connect leaves its thread behind.
            for part in made:
                part.close()
            raise
        try:
            yield client
        finally:
            client.close()
    except KafkaError as error:
        raise translate_python(error, doing, right) from error


def _client(made: list[Any], **options: Any) -> Any:
    """kafka-python's connections, which end, not begin again, once an account was refused."""
    from kafka.errors import SaslAuthenticationFailedError, UnsupportedSaslMechanismError
    from kafka.net.compat import KafkaNetClient

    client = KafkaNetClient(**options)
    made.append(client)
    manager = client._manager
    connect = manager.get_connection
    refused: list[Exception] = []

    def failed(error: Exception) -> None:
        if isinstance(error, (SaslAuthenticationFailedError, UnsupportedSaslMechanismError)):
            refused.append(error)

    def get_connection(*arguments: Any, **named: Any) -> Any:
        if refused:
            raise refused[0]
        connection = connect(*arguments, **named)
        connection.init_future.add_errback(failed)
        return connection

    manager.get_connection = get_connection
    return client


def settings(java: Mapping[str, str]) -> dict[str, Any]:
    """kafka-python's options for Java's addresses and security.

    Raises:
        ConfigError: something cannot be had with this client.
    """
    hide_logins()
    security = librdkafka_security(java)
    found: dict[str, Any] = {"bootstrap_servers": java.get("bootstrap.servers", "").split(",")}
    found |= {theirs: _Unshown(security[name]) for name, theirs in _NAMES.items() if name in security}
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
