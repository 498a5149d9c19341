"""Connect's ConfigInfos: what a validation gathers, and its form in REST. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from replicator.api.config import ConfigDef, ConfigKey, ConfigValue
from replicator.api.option_types import NO_DEFAULT, Type, to_text
from replicator.config.masking import masked_value


@dataclass(slots=True)
class Gathered:
    """Definitions and values so far; later ones of the same name replace earlier ones.

    Attributes:
        choices: whether somebody wants to see what else an option could name; that costs the import of all plugins.
    """

    choices: bool = True
    keys: dict[str, ConfigKey] = field(default_factory=dict)
    values: dict[str, ConfigValue] = field(default_factory=dict)

    def add(self, config_def: ConfigDef, values: Iterable[ConfigValue]) -> None:
        """Options with their values."""
        self.keys |= config_def.keys
        for value in values:
            self.values[value.name] = value

    def value(self, option: str) -> ConfigValue:
        """The value of an option, also of one that is not defined."""
        return self.values.setdefault(option, ConfigValue(option))

    def error(self, option: str, message: str) -> None:
        """One more error of an option."""
        self.value(option).errors.append(message)

    def errors(self) -> list[str]:
        """All messages, in the order of `infos`."""
        found = (*self._undefined(), *self._defined())
        return [masked_value("", message) for value in found for message in value.errors]

    def _undefined(self) -> list[ConfigValue]:
        return [value for option, value in self.values.items() if option not in self.keys]

    def _defined(self) -> list[ConfigValue]:
        return [self.values.get(option) or ConfigValue(option) for option in self.keys]

    def infos(self, name: str) -> dict[str, Any]:
        """The answer of PUT /connector-plugins/P/config/validate."""
        configs: list[dict[str, Any]] = [
            {"definition": None, "value": _value_info(v, Type.STRING)} for v in self._undefined()
        ]
        for k, value in zip(self.keys.values(), self._defined(), strict=True):
            configs.append({"definition": key_info(k), "value": _value_info(value, k.type)})
        groups = list(dict.fromkeys(k.group for k in self.keys.values() if k.group))
        return {"name": name, "error_count": len(self.errors()), "groups": groups, "configs": configs}


def key_info(k: ConfigKey) -> dict[str, Any]:
    """Connect's ConfigKeyInfo."""
    return {
        "name": k.name,
        "type": (k.shown_type or k.type).value,
        "required": k.required,
        "default_value": None if k.default is NO_DEFAULT else to_text(k.default, k.type),
        "importance": k.importance.value,
        "documentation": k.doc,
        "group": k.group,
        "width": k.width.value,
        "display_name": k.display_name or k.name,
        "dependents": list(k.dependents),
        "order": k.order,
    }


def _value_info(value: ConfigValue, type_: Type) -> dict[str, Any]:
    return {
        "name": value.name,
        "value": masked_value(value.name, to_text(value.value, type_)),
        "recommended_values": [to_text(v, type_) for v in value.recommended_values],
        "errors": [masked_value("", message) for message in value.errors],
        "visible": value.visible,
    }
