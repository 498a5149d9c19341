"""Session keys and signed requests between the workers of a group (KIP-507). Pure but for the random key.

The leader makes a key, publishes it in the config topic and replaces it when it is old. A request carries the HMAC of
its body; it is checked in constant time, before anything else about the request is looked at.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Collection
from typing import Final

from replicator.api.errors import BadRequestError, ConfigError
from replicator.herder.base import RefusedError, Signature
from replicator.storage.base import SessionKey

SIGNATURE_HEADER: Final = "X-Connect-Authorization"
ALGORITHM_HEADER: Final = "X-Connect-Request-Signature-Algorithm"
_DIGESTS: Final = {
    "hmacmd5": "md5",
    "hmacsha1": "sha1",
    "hmacsha224": "sha224",
    "hmacsha256": "sha256",
    "hmacsha384": "sha384",
    "hmacsha512": "sha512",
}
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/=]")
_BLOCK_BITS: Final = {"md5": 512, "sha1": 512, "sha224": 256, "sha256": 256, "sha384": 384, "sha512": 512}


def digest_of(algorithm: str) -> str:
    """Python's name of the hash behind Java's name of an HMAC.

    Raises:
        ConfigError: it is not known here.
    """
    found = _DIGESTS.get(algorithm.lower())
    if found is None:
        raise ConfigError(
            f"There is no algorithm {algorithm}. Known: HmacMD5, HmacSHA1, HmacSHA256 and so on."
        )
    return found


def new_key(algorithm: str, size: int | None, now: int) -> SessionKey:
    """A key of `size` bits (the algorithm's own when None), made at `now` (ms)."""
    bits = size or _BLOCK_BITS[digest_of(algorithm)]
    return SessionKey(base64.b64encode(secrets.token_bytes((bits + 7) // 8)).decode(), algorithm, now)


def sign(key: SessionKey, algorithm: str, body: bytes) -> dict[str, str]:
    """Headers of a signed request."""
    mac = _mac(key, algorithm, body)
    return {SIGNATURE_HEADER: base64.b64encode(mac).decode(), ALGORITHM_HEADER: algorithm}


def verify(signature: Signature, key: SessionKey | None, allowed: Collection[str]) -> None:
    """Refuse a request that is not signed with the session key.

    Raises:
        BadRequestError: the signature is missing or malformed, or made in a way that is not allowed.
        RefusedError: it is wrong (403), or no key is known yet (503).
    """
    if not signature.signature or not signature.algorithm:
        raise BadRequestError("Internal request missing required signature")
    if signature.algorithm.lower() not in _DIGESTS:
        raise BadRequestError(f"Algorithm {signature.algorithm} not available")
    if signature.algorithm not in allowed:
        raise BadRequestError(
            f"This worker does not support the '{signature.algorithm}' key signing algorithm used by other workers."
            f" This worker is currently configured to use: [{', '.join(allowed)}]."
            " Check that all workers' configuration files permit the same set of signature algorithms,"
            " and correct any misconfigured worker and restart it."
        )
    strange = _NOT_BASE64.search(signature.signature)
    if strange is not None:
        raise BadRequestError(f"Illegal base64 character {ord(strange[0]):x}")
    try:
        given = base64.b64decode(signature.signature, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequestError("Internal request signature is no base64.") from None
    if key is None:
        raise RefusedError(
            503, "This worker is still starting up and has not been able to read a session key yet."
        )
    if not hmac.compare_digest(given, _mac(key, signature.algorithm, signature.body)):
        raise RefusedError(403, "Internal request contained invalid signature.")


def _mac(key: SessionKey, algorithm: str, body: bytes) -> bytes:
    return hmac.digest(base64.b64decode(key.key), body, digest_of(algorithm))
