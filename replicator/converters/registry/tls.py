"""TLS to a registry, from the `ssl.*` options. Called once when a converter is configured."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from replicator.api.errors import ConfigError
from replicator.api.option_types import Secret


def context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The context for requests.

    Raises:
        ConfigError: a file cannot be read.
    """
    made = ssl.create_default_context()
    if not options["ssl.endpoint.identification.algorithm"]:
        made.check_hostname = False
    try:
        _trust(made, options)
        _identify(made, options)
    except (OSError, ValueError, ssl.SSLError) as error:
        raise ConfigError(f"The files of the schema registry's ssl options cannot be used: {error}",
                          option="ssl.keystore.location") from error  # fmt: skip
    return made


def _trust(made: ssl.SSLContext, options: Mapping[str, Any]) -> None:
    text, location = options["ssl.truststore.certificates"], options["ssl.truststore.location"]
    if text:
        made.load_verify_locations(cadata=text)
    elif location and _kind(options, "ssl.truststore", location) == "PKCS12":
        for certificate in _pkcs12(location, options["ssl.truststore.password"])[2]:
            made.load_verify_locations(cadata=certificate)
    elif location:
        made.load_verify_locations(cafile=location)


def _identify(made: ssl.SSLContext, options: Mapping[str, Any]) -> None:
    location, password = options["ssl.keystore.location"], _plain(options["ssl.key.password"])
    chain, private = options["ssl.keystore.certificate.chain"], _plain(options["ssl.keystore.key"])
    if chain and private:
        with _file(private + "\n" + chain) as path:
            made.load_cert_chain(path, password=password)
    elif location and _kind(options, "ssl.keystore", location) == "PKCS12":
        secret = options["ssl.keystore.password"]
        private, own, others = _pkcs12(location, secret)
        with _file("\n".join((private, own, *others))) as path:
            made.load_cert_chain(path, password=_plain(secret))
    elif location:
        made.load_cert_chain(location, password=password)


def _kind(options: Mapping[str, Any], prefix: str, location: str) -> str:
    kind = str(options[f"{prefix}.type"]).upper()
    if Path(location).suffix.lower() in (".p12", ".pfx"):
        kind = "PKCS12"
    if kind not in ("PEM", "PKCS12"):
        raise ConfigError(
            f"Invalid value {kind} for configuration {prefix}.type: only PEM and PKCS12 files can be read.",
            option=f"{prefix}.type",
            hint="keytool -importkeystore -deststoretype PKCS12 converts a JKS file.",
        )
    return kind


def _pkcs12(location: str, password: Secret | None) -> tuple[str, str, list[str]]:
    secret = _plain(password)
    key, own, others = pkcs12.load_key_and_certificates(
        Path(location).read_bytes(), secret.encode() if secret else None
    )
    encryption = BestAvailableEncryption(secret.encode()) if secret else NoEncryption()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode() if key else ""
    certificates = [c.public_bytes(Encoding.PEM).decode() for c in others]
    return private, own.public_bytes(Encoding.PEM).decode() if own else "", certificates


def _plain(secret: Secret | None) -> str | None:
    return secret.reveal() if secret is not None else None


@contextlib.contextmanager
def _file(text: str) -> Iterator[str]:
    """A file only we can read: Python's ssl takes keys from files alone."""
    number, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(number, "w") as file:
            file.write(text)
        yield path
    finally:
        os.unlink(path)
