"""Java's own formats of key stores, JKS and JCEKS: reads what keytool writes. Pure; any thread.

The two are alike: a count of entries, each a key with its certificates or a trusted certificate, and a digest over all
of it that is keyed with the password of the store. They differ in how keys are encrypted. No maintained library reads
them (pyjks has had no release since 2020 and needs five others, one of them to be compiled), and both are frozen.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from typing import Final

JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
JCEKS_MAGIC: Final = b"\xce\xce\xce\xce"
_VERSIONS: Final = (1, 2)
_KEY, _CERTIFICATE, _SECRET_KEY = 1, 2, 3
_DIGEST_SIZE: Final = 20
# What Java's authors put between the password and the content.
_WHITENER: Final = b"Mighty Aphrodite"
# DER of the two ways of encrypting keys: JKS's own, and Sun's variant of PBEWithMD5AndTripleDES.
_JKS_CIPHER: Final = bytes.fromhex("2b060104012a02110101")
_JCEKS_CIPHER: Final = bytes.fromhex("2b060104012a021301")
_SEQUENCE, _OCTETS, _INTEGER, _OBJECT = 0x30, 0x04, 0x02, 0x06


class JavaStoreError(ValueError):
    """The store is damaged, holds what cannot be used here, or the password is another one."""


@dataclass(frozen=True)
class KeyEntry:
    """A private key, still encrypted, and its certificates in DER, its own first."""

    alias: str
    encrypted: bytes = field(repr=False)
    chain: tuple[bytes, ...]


@dataclass(frozen=True)
class JavaKeyStore:
    """What is in a store."""

    keys: tuple[KeyEntry, ...]
    trusted: tuple[bytes, ...]


def is_java_store(data: bytes) -> bool:
    """Whether this is the beginning of a JKS or JCEKS file."""
    return data[:4] in (JKS_MAGIC, JCEKS_MAGIC)


def read_java_store(data: bytes, password: str | None) -> JavaKeyStore:
    """The entries of a store; without a password nothing says whether somebody changed it, as in Java.

    Raises:
        JavaStoreError: it is damaged, or its password is another one.
    """
    body, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    if password is not None:
        found = hashlib.sha1(password.encode("utf-16-be") + _WHITENER + body).digest()
        if not hmac.compare_digest(found, digest):
            raise JavaStoreError("its password is another one, or the file is damaged")
    reader = _Reader(body)
    reader.take(4)
    version = reader.number()
    if version not in _VERSIONS:
        raise JavaStoreError(f"version {version} of the format is not known")
    keys: list[KeyEntry] = []
    trusted: list[bytes] = []
    for _ in range(reader.number()):
        tag, alias = reader.number(), reader.text()
        reader.take(8)  # when it was made
        if tag == _KEY:
            encrypted = reader.take(reader.number())
            chain = tuple(reader.certificate(version) for _ in range(reader.number()))
            keys.append(KeyEntry(alias, encrypted, chain))
        elif tag == _CERTIFICATE:
            trusted.append(reader.certificate(version))
        elif tag == _SECRET_KEY:
            raise JavaStoreError(f"the entry {alias} is a secret key, which TLS cannot use; remove it")
        else:
            raise JavaStoreError("the file is damaged")
    return JavaKeyStore(tuple(keys), tuple(trusted))


def decrypted(entry: KeyEntry, password: str) -> bytes:
    """The private key, DER of PKCS#8.

    Raises:
        JavaStoreError: the password of the key is another one.
    """
    try:
        algorithm, parameters, content = _encrypted_key(entry.encrypted)
        if algorithm == _JKS_CIPHER:
            return _jks_key(content, password)
        if algorithm == _JCEKS_CIPHER:
            return _jceks_key(parameters, content, password)
    except (IndexError, struct.error) as error:
        raise JavaStoreError("the file is damaged") from error
    raise JavaStoreError(f"the key {entry.alias} is encrypted in a way that is not known")


def _jks_key(content: bytes, password: str) -> bytes:
    """SHA-1 of password and what came before, block by block, laid over the key."""
    secret = password.encode("utf-16-be")
    last, hidden, check = content[:20], content[20:-20], content[-20:]
    stream = b""
    while len(stream) < len(hidden):
        last = hashlib.sha1(secret + last).digest()
        stream += last
    key = bytes(a ^ b for a, b in zip(hidden, stream, strict=False))
    if not hmac.compare_digest(hashlib.sha1(secret + key).digest(), check):
        raise JavaStoreError("the password of the key is another one")
    return key


def _jceks_key(parameters: bytes, content: bytes, password: str) -> bytes:
    """Triple DES with a key from MD5, each half of the salt for one half of key and vector."""
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    _, inner, _ = _element(parameters, 0)
    _, salt, after = _element(inner, 0)
    _, count, _ = _element(inner, after)
    halves = [salt[:4], salt[4:]]
    if halves[0] == halves[1]:
        # Java means to turn the first half round; its loop leaves the middle as it is.
        first = halves[0]
        halves[0] = bytes((first[3], first[0], first[1], first[3]))
    derived = b""
    for half in halves:
        for _ in range(int.from_bytes(count, "big")):
            half = hashlib.md5(half + password.encode("ascii", "replace")).digest()
        derived += half
    decryptor = Cipher(TripleDES(derived[:24]), CBC(derived[24:])).decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    size = padded[-1]
    if not 1 <= size <= 8 or padded[-size:] != bytes([size]) * size:
        raise JavaStoreError("the password of the key is another one")
    return padded[:-size]


def _encrypted_key(der: bytes) -> tuple[bytes, bytes, bytes]:
    """Algorithm, its parameters, and the encrypted bytes of an EncryptedPrivateKeyInfo."""
    _, outer, _ = _element(der, 0)
    _, way, after = _element(outer, 0)
    _, content, _ = _element(outer, after)
    _, algorithm, end = _element(way, 0)
    return algorithm, way[end:], content


def _element(der: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and content of the DER element that begins here, and where the next one begins."""
    tag, size = der[at], der[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(der[at : at + count], "big")
        at += count
    if at + size > len(der):
        raise IndexError
    return tag, der[at : at + size], at + size


class _Reader:
    """Java's DataInputStream over bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count or count < 0:
            raise JavaStoreError("the file ends too early")
        self._at += count
        return found

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def text(self) -> str:
        return self.take(int.from_bytes(self.take(2), "big")).decode("utf-8", "replace")

    def certificate(self, version: int) -> bytes:
        if version == 2:
            kind = self.text()
            if kind != "X.509":
                raise JavaStoreError(f"certificates of type {kind} cannot be used")
        return self.take(self.number())
