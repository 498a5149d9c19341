"""Stores that Java's keytool made, of every type it makes, are read as they are."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from replicator.api.errors import ConfigError
from replicator.api.key_store import own_identity, trusted_certificates
from scripts.devservers import ServerUnavailable
from tests.support.certificates import Authority
from tests.support.java_stores import keytool

PASSWORD = "store-1"


def test_stores_of_keytool(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    authority = Authority()
    own = authority.issue("127.0.0.1")
    (tmp_path / "ca.pem").write_text(authority.own.pem())
    how = BestAvailableEncryption(PASSWORD.encode())
    chain = [authority.own.certificate]
    (tmp_path / "own.p12").write_bytes(
        pkcs12.serialize_key_and_certificates(b"own", own.key, own.certificate, chain, how)
    )
    kinds = {"JKS": [], "JCEKS": [], "PKCS12": ["-J-Dkeystore.pkcs12.legacy=true"]}
    try:
        for kind, options in kinds.items():
            _import(tmp_path, kind, options)
    except ServerUnavailable as reason:
        if request.config.getoption("--require-services"):
            raise
        pytest.skip(str(reason))
    for kind in kinds:
        store = {"location": str(tmp_path / f"store.{kind}"), "type": kind, "password": PASSWORD}
        given = {f"ssl.keystore.{name}": value for name, value in store.items()}
        given |= {f"ssl.truststore.{name}": value for name, value in store.items()}
        given |= {"ssl.key.password": PASSWORD}
        found = own_identity(given)
        assert found is not None
        assert (found.key, found.chain) == (own.key_pem(), own.pem() + authority.own.pem())
        found.show(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        assert authority.own.pem() in (trusted_certificates(given) or "")
        for option in ("ssl.keystore.password", "ssl.key.password"):
            if kind != "PKCS12" or option == "ssl.keystore.password":
                with pytest.raises(ConfigError, match=f"store.{kind}"):
                    own_identity(given | {option: "another"})


def _import(folder: Path, kind: str, options: list[str]) -> None:
    """The key with its certificates, and the authority as one that is trusted."""
    store = ["-storetype", kind, "-storepass", PASSWORD, "-noprompt"]
    target = folder / f"store.{kind}"
    keytool(
        "-importkeystore",
        *("-srckeystore", folder / "own.p12", "-srcstorepass", PASSWORD, "-srcstoretype", "PKCS12"),
        *("-destkeystore", target, "-deststoretype", kind, "-deststorepass", PASSWORD, "-noprompt"),
        *options,
    )
    keytool("-importcert", "-alias", "ca", "-file", folder / "ca.pem", "-keystore", target, *store, *options)
