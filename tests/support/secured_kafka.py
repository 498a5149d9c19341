"""A Kafka node whose listeners differ in certificate and in what they ask of clients, with rights on top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from scripts.devservers import Kafka, ServerUnavailable, private_instance
from tests.support.certificates import Authority, Issued, write
from tests.support.java_stores import jks

_SECURITY = "org.apache.kafka.common.security"
PLAIN = f"{_SECURITY}.plain.PlainLoginModule"
SCRAM = f"{_SECURITY}.scram.ScramLoginModule"
OAUTH = f"{_SECURITY}.oauthbearer.OAuthBearerLoginModule"
PASSWORD = 'p"w\\1'
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
STORE_PASSWORD = "store-1"
_ACCOUNTS = ("sasl", "both", "oauth")
_USERS = ("anna", "lena")


@dataclass
class Secured:
    """The node. anna and carla may do everything, lena only what she is granted.

    Listeners: `tls`; `mutual` asks for a certificate, `sasl` for an account, `both` for both, `oauth` for a token;
    `misnamed` and `expired` show such certificates.
    """

    instance: Kafka
    folder: Path
    ports: dict[str, int]

    def file(self, name: str) -> str:
        """Path of a file with a certificate, a key or a store."""
        return str(self.folder / name)

    def options(self, listener: str, **more: str) -> dict[str, str]:
        """Options of a client; `_` in their names is `.`."""
        found = {
            "bootstrap.servers": f"127.0.0.1:{self.ports[listener]}",
            "security.protocol": "SASL_SSL" if listener in _ACCOUNTS else "SSL",
            "ssl.truststore.location": self.file("ca.crt"),
        }
        return found | {name.replace("_", "."): value for name, value in more.items()}

    def java_stores(self) -> dict[str, str]:
        """Options of the trust store and the key store as a Java worker has them."""
        return {
            "ssl.truststore.location": self.file("ca.jks"),
            "ssl.truststore.type": "JKS",
            "ssl.truststore.password": STORE_PASSWORD,
            "ssl.keystore.location": self.file("client.jks"),
            "ssl.keystore.type": "JKS",
            "ssl.keystore.password": STORE_PASSWORD,
            "ssl.key.password": "key-1",
        }


Right = tuple[ResourceType, str, AclOperation]


def grant(node: Secured, *rights: Right) -> None:
    """Let lena do something; a name that ends with `*` stands for all that begin with it."""
    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{node.ports['plaintext']}"})
    bindings = []
    for kind, name, operation in rights:
        pattern = ResourcePatternType.PREFIXED if name.endswith("*") else ResourcePatternType.LITERAL
        allowed = AclPermissionType.ALLOW
        bindings.append(AclBinding(kind, name.rstrip("*"), pattern, "User:lena", "*", operation, allowed))
    for future in admin.create_acls(bindings).values():
        future.result(20)


def account(mechanism: str, password: str = PASSWORD, user: str = "anna") -> dict[str, str]:
    """Options of an account, for `Secured.options`."""
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    module = PLAIN if mechanism == "PLAIN" else SCRAM
    line = f'{module} required username="{user}" password="{quoted}";'
    return {"sasl_mechanism": mechanism, "sasl_jaas_config": line}


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Secured]:
    """The node; its files are in a folder of its own."""
    folder = tmp_path_factory.mktemp("kafka")
    served = _write_files(folder)
    ports: dict[str, int] = {}

    def secure(instance: Kafka) -> None:
        for name, issued in served.items():
            ports[name] = instance.add_listener(name.upper(), "SASL_SSL" if name in _ACCOUNTS else "SSL")
            _serve(instance, folder, name, issued)
        _accounts(instance)
        instance.settings |= {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:anna;User:CN=carla",
        }

    try:
        with private_instance("kafka", secure) as instance:
            assert isinstance(instance, Kafka)
            yield Secured(instance, folder, ports | {"plaintext": instance.port})
    except ServerUnavailable as reason:
        if request.config.getoption("--require-services"):
            raise
        pytest.skip(str(reason))


def _write_files(folder: Path) -> dict[str, Issued]:
    """Certificates and stores of clients; returns what the listeners show."""
    authority, other = Authority(), Authority("Somebody else")
    (folder / "ca.crt").write_text(authority.own.pem())
    (folder / "ca.p12").write_bytes(authority.own.p12(STORE_PASSWORD))
    (folder / "ca.jks").write_bytes(jks(STORE_PASSWORD, None, [authority.own.certificate]))
    (folder / "other-ca.crt").write_text(other.own.pem())
    carla = authority.issue("carla")
    for name, issued in (("client", carla), ("stranger", other.issue("carla"))):
        write(folder, name, issued)
        (folder / f"{name}.pem").write_text(_both(issued))
        (folder / f"{name}.p12").write_bytes(issued.p12(STORE_PASSWORD))
    (folder / "client.jks").write_bytes(jks(STORE_PASSWORD, carla, key_password="key-1"))
    (folder / "expired.pem").write_text(_both(authority.issue("carla", expired=True)))
    right = authority.issue("127.0.0.1")
    return {
        **dict.fromkeys(("tls", "mutual", "sasl", "both", "oauth"), right),
        "misnamed": authority.issue("kafka.example.org"),
        "expired": authority.issue("127.0.0.1", expired=True),
    }


def _serve(instance: Kafka, folder: Path, name: str, issued: Issued) -> None:
    store = folder / f"served-{name}.pem"
    store.write_text(_both(issued))
    of = f"listener.name.{name}."
    instance.settings |= {
        f"{of}ssl.keystore.type": "PEM",
        f"{of}ssl.keystore.location": str(store),
        f"{of}ssl.truststore.type": "PEM",
        f"{of}ssl.truststore.location": str(folder / "ca.crt"),
        f"{of}ssl.client.auth": "required" if name in ("mutual", "both") else "none",
    }


def _accounts(instance: Kafka) -> None:
    quoted = PASSWORD.replace("\\", "\\\\\\\\").replace('"', '\\\\"')
    users = " ".join(f'user_{user}="{quoted}"' for user in _USERS)
    for listener in ("sasl", "both"):
        of = f"listener.name.{listener}."
        instance.settings[f"{of}sasl.enabled.mechanisms"] = ",".join(MECHANISMS)
        instance.settings[f"{of}plain.sasl.jaas.config"] = f"{PLAIN} required {users};"
        for mechanism in MECHANISMS[1:]:
            instance.settings[f"{of}{mechanism.lower()}.sasl.jaas.config"] = f"{SCRAM} required;"
    for mechanism in MECHANISMS[1:]:
        for user in _USERS:
            instance.format_options += ["--add-scram", f"{mechanism}=[name={user},password={PASSWORD}]"]
    # Without further options Kafka takes tokens that nobody has signed.
    of = "listener.name.oauth."
    instance.settings[f"{of}sasl.enabled.mechanisms"] = "OAUTHBEARER"
    instance.settings[f"{of}oauthbearer.sasl.jaas.config"] = (
        f'{OAUTH} required unsecuredLoginStringClaim_sub="broker";'
    )


def _both(issued: Issued) -> str:
    return issued.key_pem() + issued.pem()
