"""Key and trust stores as the `ssl.*` options of Java's clients name them: PEM, PKCS12, JKS and JCEKS, as PEM text.

Everything that speaks TLS reads its stores here. A store's format is seen by its content, as Java does for JKS and
PKCS12, whatever the type option says of the two; PEM must be PEM. Keys stay in memory: `show` gives one to OpenSSL
through a file that has no name. Pure but for reading files; any thread.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from replicator.api.errors import ConfigError
from replicator.api.java_key_store import JavaStoreError, decrypted, is_java_store, read_java_store

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_PEM: Final = b"-----BEGIN"
_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_BINARY_TYPES: Final = ("JKS", "PKCS12", "JCEKS")
_TYPES: Final = (*_BINARY_TYPES, "PEM")


@dataclass(frozen=True)
class Identity:
    """Our own key and certificates, own first.

    Attributes:
        key: PEM; encrypted when `password` is set.
        chain: PEM.
        password: of the key; empty when it is not encrypted.
        option: the option it came from.
        place: the file or option, for messages.
    """

    key: str = field(repr=False)
    chain: str
    password: str = field(repr=False)
    option: str
    place: str

    def show(self, context: ssl.SSLContext) -> None:
        """Let a context show this to whoever asks.

        OpenSSL reads keys from files only: this one is in memory, and no other user can open it.

        Raises:
            ConfigError: key and certificate do not fit, or the key's password is another one.
        """
        number = os.memfd_create("pem")
        try:
            os.write(number, f"{self.key}\n{self.chain}\n".encode())
            context.load_cert_chain(f"/proc/self/fd/{number}", password=self.password or _nobody_asks)
        except (ssl.SSLError, ValueError, OSError) as error:
            raise ConfigError(
                f"The key or certificate of {self.place} cannot be used: {_reason(error)}.",
                option=self.option,
            ) from None
        finally:
            os.close(number)


def own_identity(options: Mapping[str, str], prefix: str = "") -> Identity | None:
    """What `ssl.keystore.*` names; None when it names nothing.

    Args:
        options: by name; a missing, None or empty value is the same.
        prefix: in front of `ssl.`, in `options` and in messages.

    Raises:
        ConfigError: a file cannot be read or holds no key, a password is another one, or a part is missing.
    """
    of = f"{prefix}ssl.keystore."
    key, chain = options.get(f"{of}key"), options.get(f"{of}certificate.chain")
    secret = options.get(f"{prefix}ssl.key.password") or ""
    if key or chain:
        if not (key and chain):
            raise ConfigError(f"{of}key and {of}certificate.chain are needed together.", option=f"{of}key")
        return Identity(pem_text(key), pem_text(chain), secret, f"{of}key", f"{of}key")
    store = _opened(options, of)
    if store is None:
        return None
    location, data, password = store
    option = f"{of}location"
    if _PEM in data:
        blocks = _blocks(data.decode("utf-8", "replace"))
        keys = [text for kind, text in blocks if kind.endswith("PRIVATE KEY")]
        certificates = [text for kind, text in blocks if kind == "CERTIFICATE"]
        secret = secret or password or ""
    elif is_java_store(data):
        keys, certificates = _java_key(location, data, password, secret, option)
        secret = ""
    else:
        keys, certificates, _ = _pkcs12(location, data, password, option)
        secret = ""
    if not keys or not certificates:
        missing = "certificate" if keys else "private key"
        raise ConfigError(f"The store {location} of {option} holds no {missing}.", option=option)
    return Identity(keys[0], "".join(certificates), secret, option, location)


def trusted_certificates(options: Mapping[str, str], prefix: str = "") -> str | None:
    """The certificates that `ssl.truststore.*` names, as PEM; None when it names nothing.

    Raises:
        ConfigError: a file cannot be read or holds no certificate, or a password is another one.
    """
    of = f"{prefix}ssl.truststore."
    inline = options.get(f"{of}certificates")
    if inline:
        return pem_text(inline)
    store = _opened(options, of)
    if store is None:
        return None
    location, data, password = store
    option = f"{of}location"
    if _PEM in data:
        blocks = _blocks(data.decode("utf-8", "replace"))
        found = [text for kind, text in blocks if kind.endswith("CERTIFICATE")]
    elif is_java_store(data):
        try:
            java = read_java_store(data, password)
        except JavaStoreError as error:
            raise _closed(location, option, str(error)) from None
        # As in Java, whoever is trusted with our own key is trusted.
        found = [_certificate(der) for der in (*java.trusted, *(k.chain[0] for k in java.keys if k.chain))]
    else:
        _, own, others = _pkcs12(location, data, password, option)
        found = [*own, *others]
    if not found:
        raise ConfigError(f"The store {location} of {option} holds no certificate.", option=option)
    return "".join(dict.fromkeys(found))


def trust(context: ssl.SSLContext, pem: str, option: str) -> None:
    """Let a context trust these certificates.

    Raises:
        ConfigError: one of them cannot be read.
    """
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"The certificates of {option} cannot be used: {_reason(error)}.", option=option
        ) from None


def pem_text(text: str) -> str:
    """PEM out of an option, where line ends may be missing, or written as backslash and n."""
    text = text.replace("\\n", "\n")
    return "".join(block for _, block in _blocks(text)) or text.strip() + "\n"


def _blocks(text: str) -> list[tuple[str, str]]:
    """The blocks of PEM text with their kinds, in lines as OpenSSL wants them."""
    found = []
    for match in _BLOCK.finditer(text):
        kind, body = match[1], match[2]
        if ":" not in body:  # headers of an encrypted key in the old format stay as they are
            bare = re.sub(r"\s+", "", body)
            body = "\n" + "".join(f"{bare[i : i + 64]}\n" for i in range(0, len(bare), 64))
        found.append((kind, f"-----BEGIN {kind}-----{body}-----END {kind}-----\n"))
    return found


def _opened(options: Mapping[str, str], of: str) -> tuple[str, bytes, str | None] | None:
    """Location, content and password of a store."""
    location, option = options.get(f"{of}location"), f"{of}location"
    if not location:
        return None
    try:
        data = Path(location).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"Cannot read the store {location} of {option}: {error.strerror}.", option=option
        ) from None
    kind = (options.get(f"{of}type") or "").strip().upper()
    if kind and kind not in _TYPES:
        raise ConfigError(
            f"Stores of type {kind} cannot be read here: {', '.join(_TYPES)} can.", option=f"{of}type"
        )
    if kind == "PEM" and _PEM not in data:
        is_it = "JKS or JCEKS" if is_java_store(data) else "no PEM"
        raise ConfigError(f"The store {location} is {is_it}, but {of}type is PEM.", option=f"{of}type")
    return location, data, options.get(f"{of}password") or None


def _java_key(
    location: str, data: bytes, password: str | None, key_password: str, option: str
) -> tuple[list[str], list[str]]:
    """The first key and its certificates."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_der_private_key,
    )

    try:
        found = read_java_store(data, password)
    except JavaStoreError as error:
        raise _closed(location, option, str(error)) from None
    if not found.keys:
        return [], []
    entry = found.keys[0]
    try:
        der = decrypted(entry, key_password or password or "")
        key = load_der_private_key(der, None)
    except ValueError as error:
        raise ConfigError(
            f"Cannot open the key in {location} of {option}: {error}.",
            option=option.replace("keystore.location", "key.password"),
            hint=f"Check {option.replace('keystore.location', 'key.password')}.",
        ) from None
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return [pem], [_certificate(der) for der in entry.chain]


def _pkcs12(
    location: str, data: bytes, password: str | None, option: str
) -> tuple[list[str], list[str], list[str]]:
    """Key; own certificate and its chain; the other certificates."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    try:
        found = load_pkcs12(data, password.encode() if password else None)
    except ValueError as error:
        if data[:1] != b"\x30":
            raise ConfigError(
                f"The store {location} of {option} is none of {', '.join(_TYPES)}.", option=option
            ) from None
        raise _closed(location, option, str(error)) from None
    others = [c.certificate for c in found.additional_certs]
    own = [] if found.cert is None else _chain(found.cert.certificate, others)
    certificates = [c.public_bytes(Encoding.PEM).decode() for c in own]
    rest = [c.public_bytes(Encoding.PEM).decode() for c in others if c not in own]
    if found.key is None:
        return [], certificates, rest
    key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return [key], certificates, rest


def _chain(own: Certificate, others: Sequence[Certificate]) -> list[Certificate]:
    """A certificate, its issuer's, and so on: the store may hold those of others as well."""
    found = [own]
    while True:
        issuer = next((c for c in others if c.subject == found[-1].issuer and c not in found), None)
        if issuer is None:
            return found
        found.append(issuer)


def _certificate(der: bytes) -> str:
    return ssl.DER_cert_to_PEM_cert(der)


def _closed(location: str, option: str, reason: str) -> ConfigError:
    secret = option.replace("location", "password")
    return ConfigError(
        f"Cannot open the store {location} of {option}: {reason}.", option=option, hint=f"Check {secret}."
    )


def _nobody_asks() -> str:
    """OpenSSL would ask for the password of a key at the terminal."""
    raise ValueError("the key is encrypted; set ssl.key.password")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return str(error) or type(error).__name__
