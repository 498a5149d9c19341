"""Rows hashed into buckets: sums that are equal when both sides have the same rows. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

from replicator.api.database import Canonical

ROWS_AT_ONCE: Final = 200_000
"""Rows of differing buckets that are held in memory together."""


def digest(row: Canonical) -> int:
    """Hash of a row whose sum over rows does not depend on their order."""
    if None in row:
        parts = b"\x00".join(b"\x01" if v is None else b"\x02" + v for v in row)
        return int.from_bytes(hashlib.blake2b(parts, digest_size=16, person=b"nulls").digest(), "big")
    # No text of either side holds a NUL, and bytes are compared as hexadecimal digits.
    return int.from_bytes(hashlib.blake2b(b"\x00".join(row), digest_size=16).digest(), "big")  # type: ignore[arg-type]


def buckets_for(rows: int) -> int:
    """Number of buckets for a table of about so many rows: few rows each, in bounded memory."""
    return min(262_144, max(4_096, rows // 256))
