"""What connectors that write JSON have in common: orjson, and the numbers it cannot write. Pure, any thread."""

from __future__ import annotations

import math
from typing import Any, Final

import orjson

from replicator.api.errors import DataError
from replicator.api.schema import SchemaType

NATIVE_TYPES: Final = frozenset({
    SchemaType.INT8,
    SchemaType.INT16,
    SchemaType.INT32,
    SchemaType.INT64,
    SchemaType.BOOLEAN,
    SchemaType.STRING,
})  # fmt: skip
"""Types whose values are JSON as they are."""

_LARGEST: Final = 2**63


def dumps(value: Any) -> bytes:
    """JSON of plain values.

    Raises:
        DataError: there is no JSON for it.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError as error:
        raise DataError(f"Converting to JSON failed: {error}") from error


def whole_number(value: int) -> Any:
    """An integer of any size."""
    return value if -_LARGEST <= value < _LARGEST else orjson.Fragment(str(value))


def floating_number(value: float) -> float | str:
    """A float; JSON has no number for what is none, so that becomes Java's word for it."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
