"""Values as Java prints them. Pure functions, any thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from replicator.api.struct import Struct


def text_of(value: Any, other: Callable[[Any], str] = str) -> str:
    """Strings as they are, containers like Connect prints them; `other` prints what is neither nor a number."""
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return text_of_float(value)
    if isinstance(value, Struct):
        members = (f"{name}={text_of(v, other)}" for name, v in value if v is not None)
        return f"Struct{{{','.join(members)}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{text_of(k, other)}={text_of(v, other)}' for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(text_of(v, other) for v in value)}]"
    return other(value)


def text_of_float(value: float) -> str:
    """A float as Java prints a double: 1.0E10 from ten million on and below a thousandth."""
    if not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = repr(value)
        return plain if "e" not in plain else format(Decimal(plain), "f")
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{len(digits) - 1 + int(exponent)}"
