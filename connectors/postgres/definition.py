"""Definitions of options as Debezium checks them: enumerations in any case, and its words for what is wrong.

Programs that validate show these words. Pure, any thread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, ConfigValue
from replicator.api.option_types import Type
from replicator.api.validators import OneOf, Range

_TYPES: Final = {
    Type.SHORT: "A short value is expected",
    Type.INT: "An integer is expected",
    Type.LONG: "A long value is expected",
    Type.BOOLEAN: "Either 'true' or 'false' is expected",
}
_FROM: Final = {
    (Type.INT, 0): "An non-negative integer is expected",
    (Type.INT, 1): "A positive, non-zero integer value is expected",
    (Type.LONG, 0): "A non-negative long value is expected",
    (Type.LONG, 1): "A positive, non-zero long value is expected",
}
_FORMATS: Final = {
    "topic.prefix": "{} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)",
    "slot.name": "Valid replication slot name must contain only digits, lowercase characters and underscores with"
    " length <= 63",
}


class DebeziumDef(ConfigDef):
    """Options of a Debezium connector."""

    def parse(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return super().parse(self._lowered(raw))

    def validate(self, raw: Mapping[str, Any]) -> list[ConfigValue]:
        return super().validate(self._lowered(raw))

    def _lowered(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(raw)
        for name, value in raw.items():
            k = self.keys.get(name)
            if (
                k is not None
                and k.type is Type.STRING
                and isinstance(k.validator, OneOf)
                and isinstance(value, str)
            ):
                found[name] = value.strip().lower()
        return found

    def _errors_of(self, k: ConfigKey, raw: Mapping[str, Any], into: ConfigValue) -> Iterable[str]:
        found = list(super()._errors_of(k, raw, into))
        words = list(_problems(k, raw.get(k.name), into.value)) if found else []
        return [f"The '{k.name}' value is invalid: {problem}" for problem in words] or found


def _problems(k: ConfigKey, given: Any, value: Any) -> Iterator[str]:
    """What is wrong in Debezium's words; nothing where it has none."""
    if given is None or (k.needed and not str(given).strip()):
        yield "A value is required"
        return
    if value is None and k.type in _TYPES:
        # A range finds fault with what is no number, too.
        yield _TYPES[k.type]
    if isinstance(k.validator, Range):
        low, high = k.validator.low, k.validator.high
        if value is not None or high == math.inf:
            limit = "" if high == math.inf else f" and at most {high:.0f}"
            yield _FROM.get((k.type, int(low)), f"A value of at least {low:.0f}{limit} is expected")
    elif isinstance(k.validator, OneOf):
        yield f"Value must be one of {', '.join(k.validator.allowed)}"
    elif k.name in _FORMATS:
        yield _FORMATS[k.name].format(value)
