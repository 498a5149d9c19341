"""ConfigDef: each option declared once; parsing, validation, masking and documentation come from it.

Shaped after Kafka's ConfigDef: REST's ConfigInfos can be filled from it field by field. Parsed
values are Python objects (int, bool, list[str], Secret ...); a Secret has no useful repr (INV-9).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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


class Importance(enum.Enum):
    """How important an option is."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Width(enum.Enum):
    """Suggested width of an input field."""

    NONE = "NONE"
    SHORT = "SHORT"
    MEDIUM = "MEDIUM"
    LONG = "LONG"


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

Validator = Callable[[str, Any], None]
"""Called with (option name, parsed value); raises ConfigError."""

Recommender = Callable[[str, Mapping[str, Any]], list[Any]]
"""Called with (option name, parsed config); returns suggested values."""

Visibility = Callable[[str, Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigKey:
    """Declaration of one option; see `ConfigDef`."""

    name: str
    type: Type
    default: Any = NO_DEFAULT
    validator: Validator | None = None
    importance: Importance = Importance.MEDIUM
    doc: str = ""
    group: str | None = None
    order: int = -1
    width: Width = Width.NONE
    display_name: str = ""
    dependents: tuple[str, ...] = ()
    recommender: Recommender | None = None
    visible: Visibility | None = None

    @property
    def required(self) -> bool:
        """Whether the option has no default."""
        return self.default is NO_DEFAULT


@dataclass(slots=True)
class ConfigValue:
    """Result of validating one option.

    Attributes:
        name: the option.
        value: parsed value, or None.
        recommended_values: suggestions.
        errors: messages; empty when the value is good.
        visible: whether a user interface should show it.
    """

    name: str
    value: Any = None
    recommended_values: list[Any] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    visible: bool = True


def key(name: str, type_: Type, default: Any = NO_DEFAULT, **attributes: Any) -> ConfigKey:
    """Shorthand for a ConfigKey; `display_name` defaults to the name."""
    attributes.setdefault("display_name", name)
    return ConfigKey(name=name, type=type_, default=default, **attributes)


class ConfigDef:
    """An ordered set of option declarations."""

    def __init__(self, *keys: ConfigKey) -> None:
        self.keys: dict[str, ConfigKey] = {k.name: k for k in keys}

    def merged(self, other: ConfigDef) -> ConfigDef:
        """These options, then those of `other` that are not declared here."""
        return ConfigDef(*self.keys.values(), *(k for k in other.keys.values() if k.name not in self.keys))

    def prefixed(self, prefix: str, group: str | None = None) -> ConfigDef:
        """The same options under `prefix + name`."""
        from dataclasses import replace

        return ConfigDef(
            *(replace(k, name=prefix + k.name, group=group or k.group) for k in self.keys.values())
        )

    def parse(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Typed values of every declared option.

        Raises:
            ConfigError: the first option that is missing or wrong.
        """
        return {name: self._parse_key(k, raw) for name, k in self.keys.items()}

    def validate(self, raw: Mapping[str, Any]) -> list[ConfigValue]:
        """Every option with its errors, in declaration order; never raises for bad values."""
        values = {name: ConfigValue(name) for name in self.keys}
        for name, k in self.keys.items():
            values[name].errors.extend(self._errors_of(k, raw, values[name]))
        parsed = {n: v.value for n, v in values.items()}
        for name, k in self.keys.items():
            if k.recommender is not None:
                values[name].recommended_values = k.recommender(name, parsed)
            if k.visible is not None:
                values[name].visible = k.visible(name, parsed)
        return list(values.values())

    def _errors_of(self, k: ConfigKey, raw: Mapping[str, Any], into: ConfigValue) -> Iterable[str]:
        if k.name not in raw:
            if k.required:
                yield f'Missing required configuration "{k.name}" which has no default value.'
            into.value = None if k.required else k.default
            return
        try:
            into.value = parse_type(k.name, raw[k.name], k.type)
        except ConfigError as error:
            yield error.message
        if into.value is None and isinstance(k.validator, Range):
            # Kafka goes on with null where a value cannot be parsed, and reports that, too.
            yield invalid(k.name, None, "Value must be non-null").message
        elif into.value is not None and k.validator is not None:
            try:
                k.validator(k.name, into.value)
            except ConfigError as error:
                yield error.message

    def _parse_key(self, k: ConfigKey, raw: Mapping[str, Any]) -> Any:
        if k.name not in raw:
            if k.required:
                raise ConfigError(
                    f'Missing required configuration "{k.name}" which has no default value.', option=k.name
                )
            return k.default
        value = parse_type(k.name, raw[k.name], k.type)
        if k.validator is not None:
            k.validator(k.name, value)
        return value


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
        value = value.strip() if type_ is not Type.PASSWORD else value
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


def one_of(*allowed: str, ignore_case: bool = False) -> Validator:
    """The value must be one of `allowed`."""
    accepted = {a.lower() for a in allowed} if ignore_case else set(allowed)
    listed = (
        f" (case insensitive): {', '.join(allowed).upper()}" if ignore_case else f": {', '.join(allowed)}"
    )

    def check(name: str, value: Any) -> None:
        tested = value.lower() if ignore_case and isinstance(value, str) else value
        if value is not None and tested not in accepted:
            raise invalid(name, value, f"String must be one of{listed}")

    return check


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
    import re

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


def split_prefix(raw: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The options that start with `prefix`, without it."""
    return {k[len(prefix) :]: v for k, v in raw.items() if k.startswith(prefix)}


def describe(config_def: ConfigDef) -> str:
    """Reference documentation as a Markdown table."""
    lines = ["| option | type | default | importance | meaning |", "|---|---|---|---|---|"]
    for k in config_def.keys.values():
        text = to_text(k.default, k.type)
        default = "required" if k.required else f"`{text}`" if text else ""
        doc = k.doc.replace("|", "\\|").replace("\n", " ")
        lines.append(
            f"| `{k.name}` | {k.type.value.lower()} | {default} | {k.importance.value.lower()} | {doc} |"
        )
    return "\n".join(lines)
