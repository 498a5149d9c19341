"""ConfigDef: each option declared once; parsing, validation, masking and documentation come from it.

Shaped after Kafka's ConfigDef: REST's ConfigInfos can be filled from it field by field. Parsed
values are Python objects (int, bool, list[str], Secret ...), see `option_types`. Pure, any thread.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from replicator.api.errors import ConfigError
from replicator.api.option_types import NO_DEFAULT, Type, invalid, parse_type, to_text
from replicator.api.validators import Range, Validator


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
    shown_type: Type | None = None
    """Where REST tells another type than the one that values are parsed as: what Java's connector takes it for."""
    needed: bool = False
    """Must be given, although its definition says, as Debezium's do, that it has a default: null."""

    @property
    def required(self) -> bool:
        """Whether the option has no default."""
        return self.default is NO_DEFAULT

    @property
    def lacking(self) -> str:
        """What is wrong where it is not given; empty: nothing."""
        wrong = f'Missing required configuration "{self.name}" which has no default value.'
        return wrong if self.required or self.needed else ""


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
            if k.lacking:
                yield k.lacking
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
            if k.lacking:
                raise ConfigError(k.lacking, option=k.name)
            return k.default
        value = parse_type(k.name, raw[k.name], k.type)
        if k.validator is not None:
            k.validator(k.name, value)
        return value


def split_prefix(raw: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The options that start with `prefix`, without it."""
    return {k[len(prefix) :]: v for k, v in raw.items() if k.startswith(prefix)}


def describe(config_def: ConfigDef) -> str:
    """Reference documentation as a Markdown table."""
    lines = ["| option | type | default | importance | meaning |", "|---|---|---|---|---|"]
    for k in config_def.keys.values():
        text = to_text(k.default, k.type)
        default = "required" if k.lacking else f"`{text}`" if text else ""
        doc = k.doc.replace("|", "\\|").replace("\n", " ")
        lines.append(
            f"| `{k.name}` | {k.type.value.lower()} | {default} | {k.importance.value.lower()} | {doc} |"
        )
    return "\n".join(lines)
