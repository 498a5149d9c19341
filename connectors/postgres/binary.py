"""Bytes and bits: bytea and bit strings from Postgres' text.

Pure functions.
"""

from __future__ import annotations

import base64
import re

from replicator.api import DataError

_OCTAL = re.compile(rb"\\(\\|[0-3][0-7][0-7])")


def bytea(text: str) -> bytes:
    """The bytes of a bytea, printed with bytea_output hex or escape.

    Raises:
        DataError: neither of the two forms.
    """
    try:
        if text.startswith("\\x"):
            return bytes.fromhex(text[2:])
        raw = text.encode("ascii")
    except ValueError as error:
        raise DataError(f"Not a bytea: {error}") from None
    return _OCTAL.sub(lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1], 8)]), raw)


def bytea_base64(text: str) -> str:
    """A bytea as base64."""
    return base64.b64encode(bytea(text)).decode()


def bytea_base64_url(text: str) -> str:
    """A bytea as base64 with the alphabet that is safe in URLs."""
    return base64.urlsafe_b64encode(bytea(text)).decode()


def bytea_hex(text: str) -> str:
    """A bytea as lower-case hexadecimal digits."""
    return text[2:] if text.startswith("\\x") else bytea(text).hex()


def bits(text: str) -> bytes:
    """A bit string as little-endian bytes (the last bit printed is bit 0)."""
    return int(text, 2).to_bytes((len(text) + 7) // 8, "little") if text else b""
