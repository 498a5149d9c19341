"""TLS and SASL to a real Kafka: what lets a client in, and what it is told when it is not let in."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from replicator.api.errors import ConfigError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.kafka import KafkaBroker
from replicator.broker.kafka.refusals import refusal
from replicator.broker.kafka.security import librdkafka_security
from replicator.broker.message import NewMessage
from scripts.devservers.process import free_port
from tests.support.secured_kafka import MECHANISMS, Secured, account


def use(options: dict[str, str]) -> None:
    """Write, read, and make the requests that another client makes."""
    topic = f"t{time.monotonic_ns()}"
    with KafkaBroker(options) as broker:
        producer = broker.producer("p")
        producer.append([NewMessage(topic, None, b"v")])
        assert producer.sync(20)
        producer.close()
        tp = TopicPartition(topic, 0)
        consumer = broker.consumer("c")
        consumer.assign([tp])
        deadline = time.monotonic() + 20
        while not (found := consumer.poll(1, 0.2)):
            assert time.monotonic() < deadline
        assert found[0].value == b"v"
        consumer.close()
        broker.admin().alter_group_offsets(topic, {tp: OffsetAndMetadata(1)})
        broker.admin().alter_group_offsets(topic, {tp: None})
        assert broker.admin().group_offsets(topic) == {}


LET_IN = {
    "TLS": ("tls", {}),
    "trust store of type PKCS12": (
        "tls",
        {
            "ssl_truststore_location": "{ca.p12}",
            "ssl_truststore_type": "PKCS12",
            "ssl_truststore_password": "store-1",
        },
    ),
    "client certificate": ("mutual", {"ssl_keystore_location": "{client.pem}", "ssl_keystore_type": "PEM"}),
    "client certificate in PKCS12": (
        "mutual",
        {"ssl_keystore_location": "{client.p12}", "ssl_keystore_password": "store-1"},
    ),
    "client certificate as text": (
        "mutual",
        {
            "ssl_keystore_key": "text of {client.key}",
            "ssl_keystore_certificate_chain": "text of {client.crt}",
        },
    ),
    "stores of type JKS": (
        "mutual",
        {
            "ssl_truststore_location": "{ca.jks}",
            "ssl_truststore_type": "JKS",
            "ssl_truststore_password": "store-1",
            "ssl_keystore_location": "{client.jks}",
            "ssl_keystore_type": "JKS",
            "ssl_keystore_password": "store-1",
            "ssl_key_password": "key-1",
        },
    ),
    "account and client certificate": (
        "both",
        account("SCRAM-SHA-512") | {"ssl_keystore_location": "{client.pem}"},
    ),
    "host name not checked": ("misnamed", {"ssl_endpoint_identification_algorithm": ""}),
    **{mechanism: ("sasl", account(mechanism)) for mechanism in MECHANISMS},
}


@pytest.mark.parametrize("case", LET_IN)
def test_who_is_let_in(node: Secured, case: str) -> None:
    listener, more = LET_IN[case]
    use(node.options(listener, **filled(node, more)))


REFUSED = {
    # Listener, options, the option that is named, and what the message says.
    "wrong host name": (
        "misnamed",
        {},
        "bootstrap.servers",
        r"is for kafka\.example\.org, not for 127\.0\.0\.1",
    ),
    "expired": ("expired", {}, "bootstrap.servers", r"expired on \d{4}-\d\d-\d\d"),
    "unknown issuer": (
        "tls",
        {"ssl_truststore_location": "{other-ca.crt}"},
        "ssl.truststore.location",
        r"issued by 'CN=Test authority', which is not in .*other-ca\.crt",
    ),
    "issuer unknown to the system": (
        "tls",
        {"ssl_truststore_location": ""},
        "ssl.truststore.location",
        "which is not in what the system trusts",
    ),
    "no client certificate": ("mutual", {}, "ssl.keystore.location", "asks for a client certificate"),
    "a stranger's certificate": (
        "mutual",
        {"ssl_keystore_location": "{stranger.pem}"},
        "ssl.keystore.location",
        r"does not accept the client certificate of .*stranger\.pem",
    ),
    "expired client certificate": (
        "mutual",
        {"ssl_keystore_location": "{expired.pem}"},
        "ssl.keystore.location",
        r"does not accept the client certificate of .*expired\.pem",
    ),
    "password of the store": (
        "mutual",
        {"ssl_keystore_location": "{client.p12}", "ssl_keystore_password": "wrong"},
        "ssl.keystore.location",
        r"Invalid password .* Check ssl\.keystore\.password",
    ),
    "password of a store of type JKS": (
        "tls",
        {"ssl_truststore_location": "{ca.jks}", "ssl_truststore_password": "wrong"},
        "ssl.truststore.location",
        r"ca\.jks of ssl\.truststore\.location: its password is another one.* Check ssl\.truststore\.password",
    ),
    "password of a key of type JKS": (
        "mutual",
        {"ssl_keystore_location": "{client.jks}", "ssl_keystore_password": "store-1"},
        "ssl.key.password",
        r"Cannot open the key in .*client\.jks",
    ),
    "plain text to TLS": ("tls", {"security_protocol": "PLAINTEXT"}, "security.protocol", "speaks TLS"),
    "TLS to plain text": ("plaintext", {}, "security.protocol", "does not speak TLS"),
    "no account": ("sasl", {"security_protocol": "SSL"}, "security.protocol", "SASL_SSL"),
    "unknown mechanism": (
        "sasl",
        account("PLAIN") | {"sasl_mechanism": "SCRAM-SHA-1"},
        "sasl.mechanism",
        "supported mechanisms: .*SCRAM-SHA-512",
    ),
    **{
        f"wrong password, {mechanism}": (
            "sasl",
            account(mechanism, "no"),
            "sasl.jaas.config",
            "Authentication failed",
        )
        for mechanism in MECHANISMS
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_who_is_refused_and_why(node: Secured, case: str) -> None:
    """At once, with the option to look at and the cause; no secret is told."""
    listener, more, option, said = REFUSED[case]
    began = time.monotonic()
    with pytest.raises(ConfigError, match=said) as caught:
        KafkaBroker(node.options(listener, **filled(node, more))).cluster_id()
    assert caught.value.option == option
    assert "store-1" not in str(caught.value)
    assert time.monotonic() - began < 20


def test_a_broker_that_is_away_is_no_refusal(node: Secured) -> None:
    options = node.options("tls") | {"bootstrap.servers": f"127.0.0.1:{free_port()}"}
    assert refusal(options, librdkafka_security(options)) is None


def filled(node: Secured, more: dict[str, str]) -> dict[str, str]:
    """Options with the names of files, or their texts, put in."""
    found = {}
    for name, value in more.items():
        where = re.fullmatch(r"(text of )?\{(.*)\}", value)
        path = node.file(where[2]) if where else ""
        found[name] = value if where is None else Path(path).read_text() if where[1] else path
    return found
