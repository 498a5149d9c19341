"""TLS to a cluster that asks for client certificates, with stores of every kind; what cannot be used is named."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replicator.api import ConfigError, Secret
from replicator.api.tls import client_context
from tests.support.certificates import Authority
from tests.support.java_stores import jks

AUTHORITY = Authority()
OWN = AUTHORITY.issue("carla")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server that says the name in the certificate it was shown."""
    issued = AUTHORITY.issue("127.0.0.1")
    file = tmp_path / "server.pem"
    file.write_text(issued.key_pem() + issued.pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.load_verify_locations(cadata=AUTHORITY.own.pem())
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as secure:
            shown: Any = secure.getpeercert()
            secure.sendall(dict(part[0] for part in shown["subject"])["commonName"].encode())

    thread = threading.Thread(target=answer)
    thread.start()
    yield int(listener.getsockname()[1])
    thread.join(30)
    listener.close()


def given(**options: Any) -> dict[str, Any]:
    """Options as the connector parses them."""
    made: dict[str, Any] = {"elastic.https.ssl.endpoint.identification.algorithm": "https"}
    for name, value in options.items():
        secret = name.endswith(("password", "certificates"))
        made[f"elastic.https.ssl.{name.replace('_', '.')}"] = Secret(value) if secret else value
    return made


def stores(kind: str, folder: Path) -> dict[str, str]:
    place = folder / "store"
    if kind == "pem":
        place.write_text(OWN.key_pem() + OWN.pem())
        return {"truststore_certificates": AUTHORITY.own.pem(), "keystore_location": str(place)}
    if kind == "pkcs12":
        place.write_bytes(OWN.p12("store-1"))
        return {
            "truststore_certificates": AUTHORITY.own.pem(),
            "keystore_location": str(place),
            "keystore_password": "store-1",
        }
    place.write_bytes(jks("store-1", OWN, [AUTHORITY.own.certificate]))
    return {
        "truststore_location": str(place),
        "truststore_password": "store-1",
        "keystore_location": str(place),
        "keystore_password": "store-1",
    }


@pytest.mark.parametrize("kind", ["pem", "pkcs12", "jks"])
def test_both_sides_know_each_other(port: int, tmp_path: Path, kind: str) -> None:
    context = client_context(given(**stores(kind, tmp_path)), "elastic.https.")
    with (
        socket.create_connection(("127.0.0.1", port), 30) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.recv(100) == b"carla"


def test_host_names_are_checked_unless_told_otherwise() -> None:
    assert client_context(given(), "elastic.https.").check_hostname
    assert not client_context(given(endpoint_identification_algorithm=""), "elastic.https.").check_hostname


def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        client_context(given(**{**stores("jks", tmp_path), "keystore_password": "wrong"}), "elastic.https.")
    assert caught.value.option == "elastic.https.ssl.keystore.location"
    with pytest.raises(ConfigError, match="missing") as caught:
        client_context(given(truststore_location=str(tmp_path / "missing")), "elastic.https.")
    assert caught.value.option == "elastic.https.ssl.truststore.location"
