"""Key stores of Java made for a test: JKS written here, and any type by keytool where there is a Java."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from scripts.devservers import jars
from tests.support.certificates import Issued

_CIPHER = bytes.fromhex("300e060a2b060104012a021101010500")


def jks(
    password: str,
    own: Issued | None = None,
    trusted: Sequence[x509.Certificate] = (),
    *,
    issuers: Sequence[x509.Certificate] = (),
    key_password: str | None = None,
) -> bytes:
    """A JKS file with a key and its certificates, and certificates that are trusted."""
    entries = b""
    if own is not None:
        der = own.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        secret = _hidden(der, password if key_password is None else key_password)
        chain = [own.certificate, *issuers]
        entries += struct.pack("!i", 1) + _text("own") + bytes(8) + struct.pack("!i", len(secret)) + secret
        entries += struct.pack("!i", len(chain)) + b"".join(map(_certificate, chain))
    for number, certificate in enumerate(trusted):
        entries += struct.pack("!i", 2) + _text(f"ca{number}") + bytes(8) + _certificate(certificate)
    body = struct.pack("!Iii", 0xFEEDFEED, 2, len(trusted) + (own is not None)) + entries
    return body + hashlib.sha1(password.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def keytool(*arguments: str | Path) -> None:
    """Run Java's keytool.

    Raises:
        ServerUnavailable: there is no Java.
    """
    program = Path(jars.java()).resolve().parent / "keytool"
    options = ["-J-XX:TieredStopAtLevel=1", "-J-Xshare:auto"]
    subprocess.run(
        [str(program), *options, *map(str, arguments)],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )


def _hidden(der: bytes, password: str) -> bytes:
    secret = password.encode("utf-16-be")
    salt = last = os.urandom(20)
    stream = b""
    while len(stream) < len(der):
        last = hashlib.sha1(secret + last).digest()
        stream += last
    hidden = bytes(a ^ b for a, b in zip(der, stream, strict=False))
    content = salt + hidden + hashlib.sha1(secret + der).digest()
    inner = _CIPHER + b"\x04\x82" + struct.pack("!H", len(content)) + content
    return b"\x30\x82" + struct.pack("!H", len(inner)) + inner


def _certificate(certificate: x509.Certificate) -> bytes:
    der = certificate.public_bytes(Encoding.DER)
    return _text("X.509") + struct.pack("!i", len(der)) + der


def _text(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()
