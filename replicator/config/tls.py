"""TLS as Kafka's options describe it: `ssl.*`, or `listeners.https.ssl.*` for the REST API alone.

Keys and certificates are PEM (files, or the text itself in the option) or PKCS12 files. Java's JKS files cannot be
read here; `keytool -importkeystore -deststoretype PKCS12` converts one.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError
from replicator.api.option_types import Secret

HTTPS_PREFIX: Final = "listeners.https."
_VERSIONS: Final = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_CLIENT_AUTH: Final = {"none": ssl.CERT_NONE, "requested": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def https_options(worker: Mapping[str, Any]) -> dict[str, str]:
    """The worker's options for HTTPS: those with the prefix when there is any, else the `ssl.*` without one."""
    own = {n: v for n, v in split_prefix(worker, HTTPS_PREFIX).items() if n.startswith("ssl.")}
    chosen = own or {n: v for n, v in worker.items() if n.startswith("ssl.")}
    return {n: v.reveal() if isinstance(v, Secret) else str(v) for n, v in chosen.items() if v is not None}


def server_context(options: Mapping[str, str]) -> ssl.SSLContext:
    """For a server with the key and certificates of `ssl.keystore.*`.

    Raises:
        ConfigError: a file cannot be read or holds something else, or an option is missing.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _settle(context, options)
    if not _load_key(context, options):
        raise ConfigError(
            "HTTPS needs a key and a certificate.",
            option="ssl.keystore.location",
            hint="Set ssl.keystore.location (PEM or PKCS12), or ssl.keystore.certificate.chain and ssl.keystore.key.",
        )
    wanted = options.get("ssl.client.auth", "none").strip().lower() or "none"
    if wanted not in _CLIENT_AUTH:
        raise ConfigError(
            f"Invalid value {wanted} for configuration ssl.client.auth: must be one of {', '.join(_CLIENT_AUTH)}",
            option="ssl.client.auth",
        )
    context.verify_mode = _CLIENT_AUTH[wanted]
    trusted = _load_trust(context, options)
    if wanted != "none" and not trusted:
        raise ConfigError(
            "Client certificates cannot be checked without ssl.truststore.location or ssl.truststore.certificates.",
            option="ssl.truststore.location",
        )
    return context


def client_context(options: Mapping[str, str]) -> ssl.SSLContext:
    """For requests to other servers: trusts `ssl.truststore.*`, else what the system trusts.

    Raises:
        ConfigError: a file cannot be read or holds something else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _settle(context, options)
    context.check_hostname = options.get("ssl.endpoint.identification.algorithm", "https").strip() != ""
    if not _load_trust(context, options):
        context.load_default_certs()
    _load_key(context, options)
    return context


def _settle(context: ssl.SSLContext, options: Mapping[str, str]) -> None:
    listed = [v.strip() for v in options.get("ssl.enabled.protocols", "").split(",") if v.strip()]
    versions = sorted(_VERSIONS[v] for v in listed if v in _VERSIONS)
    if listed and not versions:
        raise ConfigError(
            f"None of the protocols {', '.join(listed)} can be used: {', '.join(_VERSIONS)} can.",
            option="ssl.enabled.protocols",
        )
    context.minimum_version = versions[0] if versions else ssl.TLSVersion.TLSv1_2
    if versions:
        context.maximum_version = versions[-1]
    ciphers = options.get("ssl.cipher.suites", "").strip()
    # Java's names of TLS 1.2 suites differ from OpenSSL's; those of TLS 1.3 are not chosen one by one.
    openssl = [c.strip() for c in ciphers.split(",") if c.strip() and not c.strip().startswith("TLS_")]
    if openssl:
        try:
            context.set_ciphers(":".join(openssl))
        except ssl.SSLError:
            raise ConfigError(
                f"No cipher of {', '.join(openssl)} is known.", option="ssl.cipher.suites"
            ) from None


def _load_key(context: ssl.SSLContext, options: Mapping[str, str]) -> bool:
    chain, key = options.get("ssl.keystore.certificate.chain"), options.get("ssl.keystore.key")
    location = options.get("ssl.keystore.location")
    password = options.get("ssl.key.password") or options.get("ssl.keystore.password") or ""
    if chain and key:
        pem = f"{_pem_text(key)}\n{_pem_text(chain)}\n".encode()
        option = "ssl.keystore.key"
    elif location:
        pem, password = _store(location, options.get("ssl.keystore.password", ""), password, with_key=True)
        option = "ssl.keystore.location"
    else:
        return False
    try:
        _with_file(pem, lambda path: context.load_cert_chain(path, password=password))
    except (ssl.SSLError, ValueError, OSError) as error:
        raise ConfigError(
            f"The key or certificate of {location or option} cannot be used: {_reason(error)}", option=option
        ) from None
    return True


def _load_trust(context: ssl.SSLContext, options: Mapping[str, str]) -> bool:
    text, location = options.get("ssl.truststore.certificates"), options.get("ssl.truststore.location")
    if not text and not location:
        return False
    if text:
        pem = _pem_text(text).encode()
    else:
        secret = options.get("ssl.truststore.password", "")
        pem, _ = _store(str(location), secret, "", with_key=False)
    try:
        context.load_verify_locations(cadata=pem.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"The certificates of {location or 'ssl.truststore.certificates'} cannot be used: {_reason(error)}",
            option="ssl.truststore.location",
        ) from None
    return True


def _store(location: str, secret: str, password: str, *, with_key: bool) -> tuple[bytes, str]:
    """A file's content as PEM, and the password of the key inside."""
    try:
        data = Path(location).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"Cannot read {location}: {error.strerror}", option="ssl.keystore.location"
        ) from None
    if b"-----BEGIN" in data:
        return data, password
    if data[:4] in (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"):
        raise ConfigError(
            f"{location} is a Java key store (JKS), which only Java reads.",
            option="ssl.keystore.location",
            hint="Convert it: keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12",
        )
    return _pkcs12(location, data, secret, with_key=with_key), ""


def _pkcs12(location: str, data: bytes, secret: str, *, with_key: bool) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

    try:
        found = pkcs12.load_pkcs12(data, secret.encode() or None)
    except ValueError as error:
        raise ConfigError(
            f"{location} is no PEM or PKCS12 file, or its password is another one: {error}",
            option="ssl.keystore.location",
        ) from None
    parts = []
    if with_key and found.key is not None:
        parts.append(found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    own = [found.cert] if found.cert is not None else []
    parts += [c.certificate.public_bytes(Encoding.PEM) for c in (*own, *found.additional_certs)]
    return b"".join(parts)


def _pem_text(text: str) -> str:
    """PEM given in an option; its line ends may be written as backslash and n."""
    return text.replace("\\n", "\n").strip() + "\n"


def _with_file(content: bytes, use: Any) -> None:
    """Give `content` a path that no other process sees: OpenSSL reads keys from files only."""
    number = os.memfd_create("pem")
    try:
        os.write(number, content)
        use(f"/proc/self/fd/{number}")
    finally:
        os.close(number)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return str(error) or type(error).__name__
