"""Python's TLS for librdkafka's options: for the clients that are not librdkafka. Any thread."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from replicator.api.errors import ConfigError


def client_context(security: Mapping[str, str]) -> ssl.SSLContext:
    """A context that trusts, and shows, what librdkafka would.

    Raises:
        ConfigError: a key or certificate cannot be used.
    """
    context = ssl.create_default_context(
        cafile=security.get("ssl.ca.location"), cadata=security.get("ssl.ca.pem")
    )
    context.check_hostname = checks_names(security)
    chain = security.get("ssl.certificate.location")
    password = security.get("ssl.key.password")
    try:
        if chain:
            context.load_cert_chain(chain, security.get("ssl.key.location"), password or _nobody_asks)
        elif "ssl.certificate.pem" in security:
            pem = f"{security['ssl.key.pem']}\n{security['ssl.certificate.pem']}\n"
            _load(context, pem.encode(), password)
        elif "ssl.keystore.location" in security:
            _load(context, _of_store(security), None)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise ConfigError(
            f"The client's key and certificate cannot be used: {error}.", option="ssl.keystore.location"
        ) from None
    return context


def checks_names(security: Mapping[str, str]) -> bool:
    """Whether the brokers' certificates must carry the names that were asked for."""
    return security.get("ssl.endpoint.identification.algorithm", "https") == "https"


def _nobody_asks() -> str:
    """OpenSSL would ask for the password of a key at the terminal."""
    raise ValueError("the key is encrypted; set ssl.key.password")


def _of_store(security: Mapping[str, str]) -> bytes:
    """Key and certificates of a PKCS#12 store, as PEM."""
    password = security.get("ssl.keystore.password")
    found = load_pkcs12(
        Path(security["ssl.keystore.location"]).read_bytes(), password.encode() if password else None
    )
    certificates = [c.certificate for c in (found.cert, *found.additional_certs) if c is not None]
    if found.key is None or not certificates:
        raise ValueError("the store holds no key with a certificate")
    key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key + b"".join(c.public_bytes(Encoding.PEM) for c in certificates)


def _load(context: ssl.SSLContext, pem: bytes, password: str | None) -> None:
    """OpenSSL reads keys from files only: this one is in memory, and no other process sees it."""
    number = os.memfd_create("pem")
    try:
        os.write(number, pem)
        context.load_cert_chain(f"/proc/self/fd/{number}", password=password or _nobody_asks)
    finally:
        os.close(number)
