"""TLS and SASL to a real Kafka: what lets a client in, and what it is told when it is not let in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from replicator.api.errors import ConfigError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.kafka import KafkaBroker
from replicator.broker.kafka.refusals import refusal
from replicator.broker.kafka.security import librdkafka_security
from replicator.broker.message import NewMessage
from scripts.devservers import Kafka, ServerUnavailable, private_instance
from scripts.devservers.process import free_port
from tests.support.certificates import Authority, Issued, write

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
PASSWORD = 'p"w\\1'
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass
class Secured:
    """A node whose listeners differ in certificate and in what they ask of clients."""

    instance: Kafka
    folder: Path
    ports: dict[str, int]

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def options(self, listener: str, **more: str) -> dict[str, str]:
        found = {
            "bootstrap.servers": f"127.0.0.1:{self.ports[listener]}",
            "security.protocol": "SASL_SSL" if listener == "sasl" else "SSL",
            "ssl.truststore.location": self.file("ca.crt"),
        }
        return found | {name.replace("_", "."): value for name, value in more.items()}


def account(mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    module = PLAIN if mechanism == "PLAIN" else SCRAM
    line = f'{module} required username="anna" password="{quoted}";'
    return {"sasl_mechanism": mechanism, "sasl_jaas_config": line}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("kafka")
    authority, other = Authority(), Authority("Somebody else")
    (folder / "ca.crt").write_text(authority.own.pem())
    (folder / "other-ca.crt").write_text(other.own.pem())
    for name, issued in (("client", authority.issue("carla")), ("stranger", other.issue("carla"))):
        write(folder, name, issued)
        (folder / f"{name}.pem").write_text(issued.key_pem() + issued.pem())
        (folder / f"{name}.p12").write_bytes(issued.p12("store-1"))
    (folder / "expired.pem").write_text(_both(authority.issue("carla", expired=True)))
    (folder / "ca.jks").write_bytes(b"\xfe\xed\xfe\xed\x00\x00\x00\x02")
    (folder / "ca.p12").write_bytes(authority.own.p12("store-1"))
    right = authority.issue("127.0.0.1")
    served = {
        "tls": right,
        "mutual": right,
        "sasl": right,
        "misnamed": authority.issue("kafka.example.org"),
        "expired": authority.issue("127.0.0.1", expired=True),
    }
    ports: dict[str, int] = {}

    def secure(instance: Kafka) -> None:
        for name, issued in served.items():
            ports[name] = instance.add_listener(name.upper(), "SASL_SSL" if name == "sasl" else "SSL")
            store = folder / f"served-{name}.pem"
            store.write_text(_both(issued))
            of = f"listener.name.{name}."
            instance.settings |= {
                f"{of}ssl.keystore.type": "PEM",
                f"{of}ssl.keystore.location": str(store),
                f"{of}ssl.truststore.type": "PEM",
                f"{of}ssl.truststore.location": str(folder / "ca.crt"),
                f"{of}ssl.client.auth": "required" if name == "mutual" else "none",
            }
        quoted = PASSWORD.replace("\\", "\\\\\\\\").replace('"', '\\\\"')
        instance.settings["listener.name.sasl.sasl.enabled.mechanisms"] = ",".join(MECHANISMS)
        instance.settings["listener.name.sasl.plain.sasl.jaas.config"] = (
            f'{PLAIN} required user_anna="{quoted}";'
        )
        for mechanism in MECHANISMS[1:]:
            name = mechanism.lower()
            instance.settings[f"listener.name.sasl.{name}.sasl.jaas.config"] = f"{SCRAM} required;"
            instance.format_options += ["--add-scram", f"{mechanism}=[name=anna,password={PASSWORD}]"]

    try:
        with private_instance("kafka", secure) as instance:
            assert isinstance(instance, Kafka)
            yield Secured(instance, folder, ports | {"plaintext": instance.port})
    except ServerUnavailable as reason:
        if request.config.getoption("--require-services"):
            raise
        pytest.skip(str(reason))


def _both(issued: Issued) -> str:
    return issued.key_pem() + issued.pem()


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
    "a store of type JKS": (
        "tls",
        {"ssl_truststore_location": "{ca.jks}"},
        "ssl.truststore.location",
        "keytool -importkeystore",
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
