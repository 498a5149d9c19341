"""Types of options: raw texts parsed into Python objects, and shown again as REST shows them. Pure, any thread.

A Secret has no useful repr, so that it gets into no log, error or answer (INV-9).
"""

from __future__ import annotations

import enum
import math
from typing import Any, Final

from replicator.api.errors import ConfigError


class Type(enum.Enum):
    """Types of options, by Kafka's names."""

    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    INT = "INT"
    SHORT = "SHORT"
    LONG = "LONG"
    DOUBLE = "DOUBLE"
    LIST = "LIST"
    CLASS = "CLASS"
    PASSWORD = "PASSWORD"


class Secret:
    """A value that is never printed; `reveal` is called only where a driver needs it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


HIDDEN: Final = "[hidden]"


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()


def invalid(name: str, value: Any, why: str | None = None) -> ConfigError:
    """The error for a bad value, in Kafka's words."""
    shown = HIDDEN if isinstance(value, Secret) else _java_text(value)
    return ConfigError(
        f"Invalid value {shown} for configuration {name}" + (f": {why}" if why else ""), option=name
    )


def _java_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_java_text(v) for v in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


_WHITE = "".join(map(chr, range(0x21)))
"""What Java takes for white space around a value."""

_INT_RANGES = {
    Type.SHORT: (-(2**15), 2**15 - 1),
    Type.INT: (-(2**31), 2**31 - 1),
    Type.LONG: (-(2**63), 2**63 - 1),
}


def parse_type(name: str, value: Any, type_: Type) -> Any:
    """Parse one raw value (a string, or a JSON value of fitting type).

    Raises:
        ConfigError: the value is not of that type.
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = value.strip(_WHITE) if type_ is not Type.PASSWORD else value
    if type_ is Type.BOOLEAN:
        return _parse_boolean(name, value)
    if type_ in _INT_RANGES:
        return _parse_integer(name, value, type_)
    if type_ is Type.DOUBLE:
        return _parse_double(name, value)
    if type_ is Type.LIST:
        if isinstance(value, (list, tuple)):
            return [str(v) for v in value]
        return [part.strip() for part in str(value).split(",")] if value else []
    if type_ is Type.PASSWORD:
        return value if isinstance(value, Secret) else Secret(str(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _parse_boolean(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in ("true", "false"):
        return text == "true"
    raise invalid(name, value, "Expected value to be either true or false")


def _parse_integer(name: str, value: Any, type_: Type) -> int:
    low, high = _INT_RANGES[type_]
    text = str(value)
    try:
        number = int(text)
    except ValueError:
        raise invalid(name, value, f"Not a number of type {type_.value}") from None
    if isinstance(value, bool) or "_" in text or not low <= number <= high:
        raise invalid(name, value, f"Not a number of type {type_.value}")
    return number


def _parse_double(name: str, value: Any) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise invalid(name, value, "Not a number of type DOUBLE") from None
    if math.isnan(number):
        raise invalid(name, value, "Not a number of type DOUBLE")
    return number


def to_text(value: Any, type_: Type) -> str | None:
    """A parsed value as REST shows it (lists comma-joined, secrets hidden)."""
    if value is None or value is NO_DEFAULT:
        return None
    if isinstance(value, Secret) or type_ is Type.PASSWORD:
        return HIDDEN
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(v) for v in value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)
