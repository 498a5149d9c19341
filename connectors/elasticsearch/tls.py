"""TLS towards the cluster: trust and own certificate from PEM or PKCS12 files, as the options name them."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Mapping
from typing import Any, Final

from replicator.api import ConfigError

_PREFIX: Final = "elastic.https.ssl."
_JKS: Final = b"\xfe\xed\xfe\xed"


def context_of(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The context of connections.

    Raises:
        ConfigError: a file cannot be read.
    """
    context = ssl.create_default_context()
    if not options[f"{_PREFIX}endpoint.identification.algorithm"]:
        context.check_hostname = False
    _trust(context, options)
    location = options[f"{_PREFIX}keystore.location"]
    if location:
        _identify(context, location, options)
    return context


def _trust(context: ssl.SSLContext, options: Mapping[str, Any]) -> None:
    inline, location = options[f"{_PREFIX}truststore.certificates"], options[f"{_PREFIX}truststore.location"]
    pem = inline.reveal().encode() if inline is not None else b""
    if location:
        data = _read(location, f"{_PREFIX}truststore.location")
        if data.lstrip().startswith(b"-----BEGIN"):
            pem += data
        else:
            pem += _from_pkcs12(data, _secret(options, "truststore.password"), "truststore.location")[1]
    if pem:
        try:
            context.load_verify_locations(cadata=pem.decode())
        except (ssl.SSLError, UnicodeDecodeError) as error:
            option = f"{_PREFIX}truststore.location"
            raise ConfigError(f"The trusted certificates cannot be read: {error}", option=option) from error


def _identify(context: ssl.SSLContext, location: str, options: Mapping[str, Any]) -> None:
    data = _read(location, f"{_PREFIX}keystore.location")
    password = _secret(options, "key.password") or _secret(options, "keystore.password")
    if not data.lstrip().startswith(b"-----BEGIN"):
        data, _ = _from_pkcs12(data, _secret(options, "keystore.password"), "keystore.location")
        password = None
    # Python takes own certificates from files only; this one is readable by nobody else and goes at once.
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        context.load_cert_chain(name, password=password)
    except (ssl.SSLError, OSError) as error:
        option = f"{_PREFIX}keystore.location"
        raise ConfigError(f"The own certificate cannot be read: {error}", option=option) from error
    finally:
        os.unlink(name)


def _from_pkcs12(data: bytes, password: str | None, option: str) -> tuple[bytes, bytes]:
    """Own key with its certificates, and all other certificates, as PEM."""
    if data.startswith(_JKS):
        raise ConfigError(
            f"{_PREFIX}{option} is a JKS file, which only Java reads.",
            option=f"{_PREFIX}{option}",
            hint="Convert it: keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype PKCS12",
        )
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    try:
        found = load_pkcs12(data, password.encode() if password else None)
    except ValueError as error:
        raise ConfigError(
            f"{_PREFIX}{option} cannot be read: {error}", option=f"{_PREFIX}{option}"
        ) from error
    others = b"".join(entry.certificate.public_bytes(Encoding.PEM) for entry in found.additional_certs)
    own = b""
    if found.key is not None:
        own += found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if found.cert is not None:
        own += found.cert.certificate.public_bytes(Encoding.PEM)
    return own + others, others


def _read(location: str, option: str) -> bytes:
    try:
        with open(location, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{location} cannot be read: {error.strerror}", option=option) from error


def _secret(options: Mapping[str, Any], name: str) -> str | None:
    secret = options[f"{_PREFIX}{name}"]
    return secret.reveal() if secret is not None and secret.reveal() else None
