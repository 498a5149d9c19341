"""Values of Connect's logical types as the primitives they stand for. Pure functions, any thread."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from replicator.api.schema import Schema

PRECISION_PARAMETER: Final = "connect.decimal.precision"
DEFAULT_PRECISION: Final = 64
EPOCH: Final = dt.datetime(1970, 1, 1)
EPOCH_DAY: Final = EPOCH.toordinal()
MILLISECOND: Final = dt.timedelta(milliseconds=1)


def scale_of(schema: Schema) -> int:
    """Scale of a Decimal schema."""
    return int(schema.parameters.get("scale", "0"))


def precision_of(schema: Schema) -> int:
    """Precision of a Decimal schema."""
    return int(schema.parameters.get(PRECISION_PARAMETER, DEFAULT_PRECISION))


def unscaled_bytes(unscaled: int) -> bytes:
    """Two's complement, big endian, as few bytes as possible (Java's BigInteger.toByteArray)."""
    bits = (unscaled if unscaled >= 0 else ~unscaled).bit_length()
    return unscaled.to_bytes(bits // 8 + 1, "big", signed=True)


def decimal_of(raw: bytes, scale: int) -> Decimal:
    """The Decimal of an unscaled integer's bytes."""
    unscaled = int.from_bytes(raw, "big", signed=True)
    # The constructor is exact whatever the context's precision is.
    return Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -scale))


def days_of(value: dt.date) -> int:
    """Days since the epoch."""
    return value.toordinal() - EPOCH_DAY


def time_ms(value: dt.time) -> int:
    """Milliseconds since midnight."""
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000


def timestamp_ms(value: dt.datetime) -> int:
    """Milliseconds since the epoch."""
    naive = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo is not None else value
    return (naive - EPOCH) // MILLISECOND
