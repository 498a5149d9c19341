"""Validators of options: callables of (option name, parsed value) that raise ConfigError. Pure, any thread.

Every one of them accepts None, which means that the option is not given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from replicator.api.option_types import invalid

Validator = Callable[[str, Any], None]
"""Called with (option name, parsed value); raises ConfigError."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Validator: the value must be one of `allowed`."""

    allowed: tuple[str, ...]
    ignore_case: bool = False

    def __call__(self, name: str, value: Any) -> None:
        given = value.lower() if self.ignore_case and isinstance(value, str) else value
        accepted = [a.lower() for a in self.allowed] if self.ignore_case else self.allowed
        if value is not None and given not in accepted:
            listed = ", ".join(self.allowed)
            how = f" (case insensitive): {listed.upper()}" if self.ignore_case else f": {listed}"
            raise invalid(name, value, f"String must be one of{how}")


def one_of(*allowed: str, ignore_case: bool = False) -> OneOf:
    """The value must be one of `allowed`."""
    return OneOf(allowed, ignore_case)


@dataclass(frozen=True, slots=True)
class Range:
    """Validator: the number must lie in [low, high]."""

    low: float
    high: float

    def __call__(self, name: str, value: Any) -> None:
        if value is None:
            return
        if value < self.low:
            raise invalid(name, value, f"Value must be at least {_bound(self.low)}")
        if value > self.high:
            raise invalid(name, value, f"Value must be no more than {_bound(self.high)}")


def _bound(number: float) -> str:
    """A bound as Java prints it: whole numbers with all their digits."""
    return str(int(number)) if number == int(number) else f"{number:g}"


def at_least(low: float) -> Validator:
    """The number must not be smaller than `low`."""
    return Range(low, math.inf)


def between(low: float, high: float) -> Validator:
    """The number must lie in [low, high]."""
    return Range(low, high)


def non_empty(name: str, value: Any) -> None:
    """The string or list must not be empty."""
    if value is not None and len(value) == 0:
        raise invalid(name, value, "String must be non-empty")


def matches(pattern: str) -> Validator:
    """The whole string must match the regular expression."""
    compiled = re.compile(pattern)

    def check(name: str, value: Any) -> None:
        if value is not None and not compiled.fullmatch(value):
            raise invalid(name, value, f"must match {pattern}")

    return check


def all_of(*validators: Validator) -> Validator:
    """Every validator must accept the value."""

    def check(name: str, value: Any) -> None:
        for validator in validators:
            validator(name, value)

    return check
