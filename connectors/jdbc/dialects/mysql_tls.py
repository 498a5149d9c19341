"""TLS to MySQL and MariaDB, by the names that their own clients and JDBC drivers use in URLs. Pure but for files.

`ssl-mode` (mysql), `sslMode` (both JDBC drivers), the older `useSSL`, `requireSSL` and `verifyServerCertificate`, and
files as PEM: `ssl-ca`, `ssl-capath`, `ssl-cert`, `ssl-key`, `serverSslCert`; key stores of Java as PKCS12 or JKS.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from connectors.jdbc.url import OPTION, TargetUrl
from replicator.api import ConfigError
from replicator.api.java_key_store import decrypted, is_java_store, read_java_store

DISABLED, PREFERRED, REQUIRED = "DISABLED", "PREFERRED", "REQUIRED"
VERIFY_CA, VERIFY_IDENTITY = "VERIFY_CA", "VERIFY_IDENTITY"
_MODES: Final = {
    **{mode: mode for mode in (DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY)},
    # MariaDB's driver
    "DISABLE": DISABLED,
    "TRUST": REQUIRED,
    "VERIFY-CA": VERIFY_CA,
    "VERIFY-FULL": VERIFY_IDENTITY,
}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_TRUST: Final = ("sslca", "sslcapath", "serversslcert", "truststore", "trustcertificatekeystoreurl")
_VERSIONS: Final = {"TLSV1.2": ssl.TLSVersion.TLSv1_2, "TLSV1.3": ssl.TLSVersion.TLSv1_3}


def tls_arguments(url: TargetUrl) -> dict[str, Any]:
    """The driver's arguments for TLS.

    Raises:
        ConfigError: a mode is not known, or a file cannot be used.
    """
    options = {_plain(name): value for name, value in url.options.items()}
    mode = _mode(options)
    if mode is None and url.host in _LOOPBACK:
        return {"ssl_disabled": True}  # nobody can listen there, and encryption costs both sides
    if mode == DISABLED:
        return {"ssl_disabled": True}
    if mode in (None, PREFERRED) and not _client_files(options):
        return {}  # the driver's own way: TLS where the server has it
    return {"ssl": _context(mode or PREFERRED, options)}


def _plain(name: str) -> str:
    """Names without letter case, `-` and `_`: their spellings differ from client to client."""
    return name.lower().replace("_", "").replace("-", "")


def _is(options: Mapping[str, str], name: str, default: bool) -> bool:
    value = options.get(name)
    return default if value is None else value.strip().lower() in ("true", "1", "yes", "on", "")


def _mode(options: Mapping[str, str]) -> str | None:
    given = options.get("sslmode")
    if given:
        mode = _MODES.get(given.strip().upper().replace("VERIFY_FULL", VERIFY_IDENTITY))
        if mode is None:
            raise ConfigError(
                f"ssl-mode in {OPTION} must be one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY",
                option=OPTION,
            )
        return mode
    if _is(options, "sslverifyidentity", False):
        return VERIFY_IDENTITY
    if _is(options, "sslverifycert", False) or _is(options, "sslverifyservercert", False):
        return VERIFY_CA
    if _is(options, "skipssl", False) or not _is(options, "usessl", True) or not _is(options, "ssl", True):
        return DISABLED
    return _older(options)


def _older(options: Mapping[str, str]) -> str | None:
    """The switches that came before `sslMode`."""
    if _is(options, "trustservercertificate", False):
        return REQUIRED
    if _is(options, "verifyservercertificate", False):
        return VERIFY_CA
    if any(name in options for name in _TRUST):
        return VERIFY_CA  # as the mysql client: who names an authority wants it asked
    if _is(options, "requiressl", False) or "usessl" in options or "ssl" in options:
        return REQUIRED
    return None


def _client_files(options: Mapping[str, str]) -> bool:
    return any(options.get(name) for name in ("sslcert", "clientcertificatekeystoreurl", "keystore"))


def _context(mode: str, options: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == VERIFY_IDENTITY and not _is(
        options, "disablesslhostnameverification", False
    )
    context.verify_mode = ssl.CERT_REQUIRED if mode in (VERIFY_CA, VERIFY_IDENTITY) else ssl.CERT_NONE
    # The authority that a server makes for itself lacks what strict checking asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        _versions(context, options)
        _trust(context, options)
        _identify(context, options)
        if options.get("sslcipher"):
            context.set_ciphers(options["sslcipher"])
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        raise ConfigError(f"TLS as {OPTION} describes it cannot be set up: {reason}", option=OPTION) from None
    return context


def _versions(context: ssl.SSLContext, options: Mapping[str, str]) -> None:
    names = ("tlsversion", "tlsversions", "enabledtlsprotocols", "enabledsslprotocolsuites")
    listed = next((options[name] for name in names if options.get(name)), "")
    found = sorted(_VERSIONS[v.strip().upper()] for v in listed.split(",") if v.strip().upper() in _VERSIONS)
    if listed and not found:
        raise ConfigError(f"The TLS versions in {OPTION} must be among TLSv1.2 and TLSv1.3", option=OPTION)
    context.minimum_version = found[0] if found else ssl.TLSVersion.TLSv1_2
    if found:
        context.maximum_version = found[-1]


def _trust(context: ssl.SSLContext, options: Mapping[str, str]) -> None:
    file = options.get("sslca") or options.get("serversslcert")
    folder = options.get("sslcapath")
    store = options.get("trustcertificatekeystoreurl") or options.get("truststore")
    if file and "-----BEGIN" in file:
        context.load_verify_locations(cadata=file)
    elif file or folder:
        context.load_verify_locations(cafile=_path(file) if file else None, capath=folder or None)
    elif store:
        secret = options.get("trustcertificatekeystorepassword") or options.get("truststorepassword") or ""
        _, certificates = _key_store(store, secret)
        context.load_verify_locations(cadata="".join(certificates))
    elif context.verify_mode != ssl.CERT_NONE:
        context.load_default_certs()


def _identify(context: ssl.SSLContext, options: Mapping[str, str]) -> None:
    file = options.get("sslcert")
    password = options.get("sslkeypassword") or options.get("keypassword") or ""
    store = options.get("clientcertificatekeystoreurl") or options.get("keystore")
    if file:
        context.load_cert_chain(
            _path(file), _path(options["sslkey"]) if options.get("sslkey") else None, password
        )
    elif store:
        secret = options.get("clientcertificatekeystorepassword") or options.get("keystorepassword") or ""
        key, certificates = _key_store(store, secret)
        _load_chain(context, (key or "") + "".join(certificates))


def _key_store(location: str, secret: str) -> tuple[str | None, list[str]]:
    """Key and certificates of a PEM, PKCS12, JKS or JCEKS file."""
    data = Path(_path(location)).read_bytes()
    if b"-----BEGIN" in data:
        return None, [data.decode("ascii", "ignore")]
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

    if is_java_store(data):
        return _java_key_store(data, secret)
    found = pkcs12.load_pkcs12(data, secret.encode() or None)
    own = [found.cert] if found.cert is not None else []
    certificates = [
        c.certificate.public_bytes(Encoding.PEM).decode() for c in (*own, *found.additional_certs)
    ]
    if found.key is None:
        return None, certificates
    return found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), certificates


def _java_key_store(data: bytes, secret: str) -> tuple[str | None, list[str]]:
    """The first key with its certificates, then what is trusted."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_der_private_key,
    )

    store = read_java_store(data, secret or None)
    chain = store.keys[0].chain if store.keys else ()
    certificates = [ssl.DER_cert_to_PEM_cert(der) for der in (*chain, *store.trusted)]
    if not store.keys:
        return None, certificates
    key = load_der_private_key(decrypted(store.keys[0], secret), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), certificates


def _load_chain(context: ssl.SSLContext, pem: str) -> None:
    number = os.memfd_create("pem")  # the driver's library reads keys from files only
    try:
        os.write(number, pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{number}")
    finally:
        os.close(number)


def _path(location: str) -> str:
    """A path, which JDBC writes as `file:` URL."""
    return unquote(urlsplit(location).path) if location.startswith("file:") else location
