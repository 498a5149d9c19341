"""Key and trust stores of every type, from options to PEM."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from replicator.api.errors import ConfigError
from replicator.api.key_store import own_identity, pem_text, trust, trusted_certificates
from tests.support.certificates import Authority
from tests.support.java_stores import jks

AUTHORITY, OTHER = Authority(), Authority("Somebody else")
OWN = AUTHORITY.issue("127.0.0.1")
CA = AUTHORITY.own.certificate
PASSWORD = "störe-1"


def p12(*, key: bool = True) -> bytes:
    how = BestAvailableEncryption(PASSWORD.encode())
    if key:
        return pkcs12.serialize_key_and_certificates(b"own", OWN.key, OWN.certificate, [CA], how)
    return pkcs12.serialize_key_and_certificates(None, None, None, [CA, OTHER.own.certificate], how)


IDENTITIES: dict[str, Callable[[], bytes]] = {
    "JKS": lambda: jks(PASSWORD, OWN, issuers=[CA]),
    "PKCS12": p12,
    "PEM": lambda: (OWN.pem() + AUTHORITY.own.pem() + OWN.key_pem()).encode(),
    "PEM, encrypted": lambda: (OWN.key_pem(PASSWORD) + OWN.pem() + AUTHORITY.own.pem()).encode(),
}
TRUSTED: dict[str, Callable[[], bytes]] = {
    "JKS": lambda: jks(PASSWORD, trusted=[CA, OTHER.own.certificate]),
    "PKCS12": lambda: p12(key=False),
    "PEM": lambda: ("a remark\n" + AUTHORITY.own.pem() + OTHER.own.pem()).encode(),
}


def options(tmp_path: Path, of: str, content: bytes, **more: str) -> dict[str, str]:
    store = tmp_path / "store"
    store.write_bytes(content)
    found = {f"{of}.location": str(store), f"{of}.password": PASSWORD}
    return found | {name.replace("_", "."): value for name, value in more.items()}


@pytest.mark.parametrize("kind", IDENTITIES)
def test_keys_with_their_certificates(tmp_path: Path, kind: str) -> None:
    found = own_identity(options(tmp_path, "ssl.keystore", IDENTITIES[kind]()))
    assert found is not None
    assert found.chain == OWN.pem() + AUTHORITY.own.pem()
    if kind != "PEM, encrypted":
        assert found.key == OWN.key_pem()
    found.show(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert "PRIVATE" not in repr(found)
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize("kind", TRUSTED)
def test_trusted_certificates(tmp_path: Path, kind: str) -> None:
    found = trusted_certificates(options(tmp_path, "ssl.truststore", TRUSTED[kind]()))
    assert found == AUTHORITY.own.pem() + OTHER.own.pem()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust(context, found, "ssl.truststore.location")
    assert len(context.get_ca_certs()) == 2


def test_what_java_allows_too(tmp_path: Path) -> None:
    """A JKS trust store without its password; the other binary type; a prefix; a key with a password of its own."""
    content = jks(PASSWORD, OWN, [CA], key_password="key-1")
    given = options(tmp_path, "x.ssl.truststore", content, x_ssl_truststore_type="PKCS12")
    del given["x.ssl.truststore.password"]
    assert trusted_certificates(given, "x.") == AUTHORITY.own.pem() + OWN.pem()
    found = own_identity(options(tmp_path, "ssl.keystore", content, ssl_key_password="key-1"))
    assert found is not None
    assert found.key == OWN.key_pem()
    assert own_identity({}) is None
    assert trusted_certificates({}) is None


REFUSED: dict[str, tuple[Callable[[], bytes], dict[str, str], str, str]] = {
    # Store and further options; what is named; what is said.
    "password of a JKS store": (
        lambda: jks("other", OWN),
        {},
        "ssl.keystore.location",
        r"Cannot open the store .*/store of ssl.keystore.location: its password is another one.*"
        r"Check ssl\.keystore\.password",
    ),
    "password of a key in JKS": (
        lambda: jks(PASSWORD, OWN, key_password="key-1"),
        {},
        "ssl.key.password",
        r"Cannot open the key in .*/store .*: the password of the key is another one.*ssl\.key\.password",
    ),
    "password of a PKCS12 store": (
        p12,
        {"ssl_keystore_password": "no"},
        "ssl.keystore.location",
        "Check ssl.keystore.password",
    ),
    "type PEM": (
        lambda: jks(PASSWORD, OWN),
        {"ssl_keystore_type": "PEM"},
        "ssl.keystore.type",
        "/store is JKS or JCEKS, but ssl.keystore.type is PEM",
    ),
    "type of somebody else": (
        p12,
        {"ssl_keystore_type": "BCFKS"},
        "ssl.keystore.type",
        "type BCFKS cannot be read here: JKS, PKCS12, JCEKS, PEM can",
    ),
    "neither": (
        lambda: b"nothing of the kind",
        {},
        "ssl.keystore.location",
        "/store of ssl.keystore.location is none of",
    ),
    "no key": (lambda: jks(PASSWORD, None, [CA]), {}, "ssl.keystore.location", "holds no private key"),
    "no key in PEM": (lambda: OWN.pem().encode(), {}, "ssl.keystore.location", "holds no private key"),
    "cut off": (
        lambda: jks(PASSWORD, OWN)[:300],
        {"ssl_keystore_password": ""},
        "ssl.keystore.location",
        "the file ends too early",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_stores_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    content, more, option, said = REFUSED[case]
    with pytest.raises(ConfigError, match=said) as caught:
        own_identity(options(tmp_path, "ssl.keystore", content(), **more))
    assert caught.value.option == option
    assert PASSWORD not in str(caught.value)


def test_a_missing_file_and_a_trust_store_without_certificates(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"Cannot read the store /no/where of ssl\.truststore\.location: No such"
    ):
        trusted_certificates({"ssl.truststore.location": "/no/where"})
    with pytest.raises(ConfigError, match="holds no certificate"):
        trusted_certificates(options(tmp_path, "ssl.truststore", jks(PASSWORD)))
    with pytest.raises(ConfigError) as caught:
        own_identity({"ssl.keystore.key": OWN.key_pem()})
    assert caught.value.option == "ssl.keystore.key"


def test_a_key_of_somebody_else_is_refused_when_it_is_shown() -> None:
    found = own_identity(
        {"ssl.keystore.key": OTHER.own.key_pem(), "ssl.keystore.certificate.chain": OWN.pem()}
    )
    assert found is not None
    with pytest.raises(ConfigError, match=r"ssl\.keystore\.key cannot be used: key values mismatch"):
        found.show(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def test_pem_on_one_line_as_java_takes_it() -> None:
    text = OWN.pem() + AUTHORITY.own.pem()
    assert pem_text(text.replace("\n", " ")) == text
    assert pem_text(text.replace("\n", "\\n")) == text
