"""Java's client options as librdkafka's."""

from __future__ import annotations

import datetime
import logging
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from replicator.api.errors import ConfigError
from replicator.broker.kafka import consumer, producer
from replicator.broker.kafka.options import layered, librdkafka, made, worker_client_options
from replicator.broker.kafka.python_client import settings
from replicator.broker.kafka.security import jaas, librdkafka_security
from tests.support.certificates import Authority
from tests.support.java_stores import jks

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required"
OAUTH = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"


@pytest.fixture(scope="module")
def identity() -> tuple[Any, x509.Certificate]:
    """A key and its self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    return key, builder.sign(key, hashes.SHA256())


def test_worker_options_of_all_clients() -> None:
    worker = {
        "bootstrap.servers": ["a:1", "b:2"],
        "security.protocol": "SSL",
        "ssl.key.password": None,
        "group.id": "g",
        "key.converter": "x",
        "producer.acks": "1",
    }
    assert worker_client_options(worker) == {"bootstrap.servers": "a:1,b:2", "security.protocol": "SSL"}


def test_later_layers_win() -> None:
    assert layered({"a": 1, "b": True}, {"a": 2, "c": None}) == {"a": "2", "b": "true"}


@pytest.mark.parametrize(
    ("java", "ours"),
    [
        ({"max.request.size": "5"}, {"message.max.bytes": "5"}),
        ({"buffer.memory": "33554432"}, {"queue.buffering.max.kbytes": "32768"}),
        ({"delivery.timeout.ms": "9223372036854775807"}, {"delivery.timeout.ms": "2147483647"}),
        ({"send.buffer.bytes": "-1", "receive.buffer.bytes": "9"}, {"socket.receive.buffer.bytes": "9"}),
        ({"fetch.max.wait.ms": "7"}, {"fetch.wait.max.ms": "7"}),
        ({"request.timeout.ms": "7"}, {"socket.timeout.ms": "7"}),
        ({"compression.zstd.level": "3"}, {"compression.level": "3"}),
        ({"key.serializer": "x", "max.poll.records": "5", "max.block.ms": "1"}, {}),
        ({"linger.ms": "5"}, {"linger.ms": "5"}),
        ({"partitioner.class": "org.apache.kafka.clients.producer.internals.DefaultPartitioner"}, {}),
        ({"auto.offset.reset": "none"}, {"auto.offset.reset": "error"}),
        (
            {"partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor"},
            {"partition.assignment.strategy": "range"},
        ),
        (
            {
                "partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor, "
                "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"
            },
            {"partition.assignment.strategy": "cooperative-sticky"},
        ),
    ],
)
def test_names_and_values(java: dict[str, str], ours: dict[str, str]) -> None:
    assert librdkafka(java) == ours


@pytest.mark.parametrize(
    "option",
    [
        ("partitioner.class", "com.acme.MyPartitioner"),
        ("partitioner.ignore.keys", "true"),
        ("interceptor.classes", "com.acme.Spy"),
        ("partition.assignment.strategy", "com.acme.MyAssignor"),
        ("sasl.login.callback.handler.class", "com.acme.Handler"),
        ("ssl.engine.factory.class", "com.acme.Engine"),
        ("sasl.jaas.config", "com.acme.MyModule required;"),
        ("sasl.jaas.config", f"{PLAIN};"),
        ("ssl.truststore.location", "/nowhere"),
        ("ssl.keystore.key", "only half of it"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(option: tuple[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        librdkafka(dict([option]))
    assert caught.value.option == option[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f'{PLAIN} username="alice" password="p\\"w;d";', ("alice", 'p"w;d')),
        (f"{SCRAM} username='bob' password='x y' ;", ("bob", "x y")),
        (f"{SCRAM}\n  username=carol\n  password=s3cret;", ("carol", "s3cret")),
    ],
)
def test_accounts_of_jaas_lines(line: str, expected: tuple[str, str]) -> None:
    assert tuple(jaas(line).values()) == expected


ENDPOINT = {"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": "https://idp/token"}
BY_CLIENT = {
    "sasl.mechanism": "OAUTHBEARER",
    "sasl.oauthbearer.method": "oidc",
    "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
    "sasl.oauthbearer.client.id": "me",
    "sasl.oauthbearer.client.secret": "psst",
    "sasl.oauthbearer.scope": "kafka",
}


@pytest.mark.parametrize(
    "java",
    [
        {"sasl.jaas.config": f'{OAUTH} clientId="me" clientSecret="psst" scope="kafka";'},
        {
            "sasl.jaas.config": f"{OAUTH};",
            "sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.secured."
            "OAuthBearerLoginCallbackHandler",
            "sasl.oauthbearer.client.credentials.client.id": "me",
            "sasl.oauthbearer.client.credentials.client.secret": "psst",
            "sasl.oauthbearer.scope": "kafka",
        },
    ],
)
def test_tokens_from_an_endpoint(java: dict[str, str]) -> None:
    """As they are written for Kafka up to 4.0, and since."""
    assert librdkafka_security(ENDPOINT | java) == BY_CLIENT


def test_more_about_tokens(tmp_path: Path) -> None:
    authority = Authority()
    store = tmp_path / "idp.jks"
    store.write_bytes(jks("changeit", None, [authority.own.certificate]))
    line = (
        f'{OAUTH} clientId="me" clientSecret="psst" extension_logicalCluster="lkc" extension_a="b"\n'
        f'  ssl.truststore.location="{store}" ssl.truststore.password="changeit";'
    )
    found = librdkafka_security(ENDPOINT | {"sasl.jaas.config": line})
    assert found["sasl.oauthbearer.extensions"] == "a=b,logicalCluster=lkc"
    assert found["https.ca.pem"] == authority.own.pem()
    Producer({"bootstrap.servers": "localhost:1", "security.protocol": "SASL_SSL", **found})
    unsecured = {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.jaas.config": f'{OAUTH} unsecuredLoginStringClaim_sub="a";',
    }
    assert librdkafka_security(unsecured) == {
        "sasl.mechanism": "OAUTHBEARER",
        "enable.sasl.oauthbearer.unsecure.jwt": "true",
        "sasl.oauthbearer.config": "principal=a",
    }


@pytest.mark.parametrize(
    ("java", "option"),
    [
        ({"sasl.mechanism": "OAUTHBEARER"}, "sasl.oauthbearer.token.endpoint.url"),
        (ENDPOINT, "sasl.jaas.config"),
        (ENDPOINT | {"sasl.jaas.config": f'{OAUTH} clientId="me";'}, "sasl.jaas.config"),
        (
            ENDPOINT | {"sasl.oauthbearer.jwt.retriever.class": "com.acme.Mine"},
            "sasl.oauthbearer.jwt.retriever.class",
        ),
    ],
)
def test_what_tokens_need(java: dict[str, str], option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        librdkafka_security(java)
    assert caught.value.option == option
    assert "psst" not in str(caught.value)


def test_kerberos() -> None:
    """Options are passed on; that the client at hand has no Kerberos is said with what to do."""
    line = (
        "com.sun.security.auth.module.Krb5LoginModule required\n  useKeyTab=true storeKey=true\n"
        '  keyTab="/etc/k.keytab" principal="me@EXAMPLE.ORG" serviceName="kafka";'
    )
    found = librdkafka_security({"sasl.mechanism": "GSSAPI", "sasl.jaas.config": line})
    assert found == {
        "sasl.mechanism": "GSSAPI",
        "sasl.kerberos.keytab": "/etc/k.keytab",
        "sasl.kerberos.principal": "me@EXAMPLE.ORG",
        "sasl.kerberos.service.name": "kafka",
    }
    with pytest.raises(ConfigError, match="from source") as caught:
        made(Producer, {"bootstrap.servers": "x:1", "security.protocol": "SASL_SSL", **found})
    assert caught.value.option == "sasl.mechanism"


def test_host_names_are_checked_unless_switched_off() -> None:
    option = "ssl.endpoint.identification.algorithm"
    assert librdkafka_security({option: ""})[option] == "none"
    assert librdkafka_security({option: "HTTPS"})[option] == "https"
    assert option not in librdkafka_security({})


def test_pem_stores(tmp_path: Path, identity: tuple[Any, x509.Certificate]) -> None:
    key, certificate = identity
    trust, own = tmp_path / "trust.pem", tmp_path / "own.pem"
    trust.write_bytes(certificate.public_bytes(Encoding.PEM))
    own.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + trust.read_bytes())
    found = librdkafka_security(
        {
            "ssl.truststore.location": str(trust),
            "ssl.truststore.type": "PEM",
            "ssl.keystore.location": str(own),
            "ssl.key.password": "x",
        }
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert found == {
        "ssl.ca.pem": trust.read_text(),
        "ssl.key.pem": text,
        "ssl.certificate.pem": trust.read_text(),
        "ssl.key.password": "x",
    }
    inline = librdkafka_security({"ssl.truststore.certificates": trust.read_text()})
    assert inline == {"ssl.ca.pem": trust.read_text()}


def test_pkcs12_stores(tmp_path: Path, identity: tuple[Any, x509.Certificate]) -> None:
    key, certificate = identity
    trust, own = tmp_path / "trust.p12", tmp_path / "own.p12"
    secret = BestAvailableEncryption(b"changeit")
    trust.write_bytes(pkcs12.serialize_key_and_certificates(None, None, None, [certificate], secret))
    own.write_bytes(pkcs12.serialize_key_and_certificates(b"me", key, certificate, None, secret))
    options = {
        "ssl.truststore.location": str(trust),
        "ssl.truststore.password": "changeit",
        "ssl.keystore.location": str(own),
        "ssl.keystore.password": "changeit",
    }
    found = librdkafka_security(options)
    assert found == {
        "ssl.ca.pem": certificate.public_bytes(Encoding.PEM).decode(),
        "ssl.key.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "ssl.certificate.pem": certificate.public_bytes(Encoding.PEM).decode(),
    }
    Producer({"bootstrap.servers": "localhost:1", "security.protocol": "SSL", **found})
    with pytest.raises(ConfigError):
        librdkafka_security({**options, "ssl.truststore.password": "wrong"})


def test_jks_stores(tmp_path: Path) -> None:
    authority = Authority()
    own = authority.issue("carla")
    store = tmp_path / "store.jks"
    store.write_bytes(jks("changeit", own, [authority.own.certificate], issuers=[authority.own.certificate]))
    found = librdkafka_security(
        {
            "ssl.truststore.type": "JKS",
            "ssl.truststore.location": str(store),
            "ssl.keystore.type": "JKS",
            "ssl.keystore.location": str(store),
            "ssl.keystore.password": "changeit",
        }
    )
    assert found == {
        "ssl.ca.pem": authority.own.pem() + own.pem(),
        "ssl.key.pem": own.key_pem(),
        "ssl.certificate.pem": own.pem() + authority.own.pem(),
    }
    Producer({"bootstrap.servers": "localhost:1", "security.protocol": "SSL", **found})


def test_options_nobody_knows_are_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        made(Producer, {"bootstrap.servers": "localhost:1", "no.such.option": "1", "nor.this": "2"})
    assert "'no.such.option' is not known" in caplog.text
    assert "'nor.this' is not known" in caplog.text


def test_values_librdkafka_refuses_name_their_option() -> None:
    with pytest.raises(ConfigError) as caught:
        made(Consumer, {"bootstrap.servers": "localhost:1", "group.id": "g", "session.timeout.ms": "soon"})
    assert caught.value.option == "session.timeout.ms"


def test_the_same_security_for_kafka_python() -> None:
    java = {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": f'{SCRAM} username="u" password="p";',
    }
    assert settings(java) == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }
    with pytest.raises(ConfigError):
        settings({"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"})


def test_what_tasks_clients_do_unless_told_otherwise() -> None:
    """Sinks read what is committed and hand over one by one; a source's records are compressed."""
    assert consumer.DEFAULTS["isolation.level"] == "read_committed"
    assert consumer.DEFAULTS["partition.assignment.strategy"] == "cooperative-sticky"
    assert (producer.DEFAULTS["compression.type"], producer.DEFAULTS["acks"]) == ("lz4", "all")
