"""Options of the plugins that a connector's configuration names: converters, transforms, predicates. Any thread.

A plugin's class, the version that is wanted, and its own options below the prefix of its alias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, Importance, Width, key, split_prefix
from replicator.api.errors import ConnectError
from replicator.api.option_types import Type
from replicator.api.validators import one_of
from replicator.config.connector import PREDICATES_GROUP, TRANSFORMS_GROUP
from replicator.herder.config_infos import Gathered
from replicator.plugins.discovery import KINDS
from replicator.plugins.factory import aliases
from replicator.plugins.registry import Registry

CONVERTERS: Final = (
    ("header.converter", "header_converter"),
    ("key.converter", "converter"),
    ("value.converter", "converter"),
)
_INTERFACES: Final = {
    "converter": "Converter",
    "header_converter": "HeaderConverter",
    "transformation": "Transformation",
    "predicate": "Predicate",
}


class PluginOptions:
    """Adds what the plugins of a configuration declare."""

    def __init__(self, registry: Registry, worker: Mapping[str, Any]) -> None:
        self._registry = registry
        self._worker = worker

    def name_of(self, cls: type[Any], fallback: str) -> str:
        """A plugin's name as Java users write it."""
        return next((a for a in cls.aliases if "." in a), fallback)

    def connector(self, result: Gathered, kind: str, cls: type[Any], wanted: Any) -> None:
        """The version of the connector that is wanted."""
        version = self._versions(result, "connector.plugin.version", kind, cls, visible=True)
        if wanted and version is not None and str(wanted).strip("[]()").split(",")[0] != version:
            message = unavailable(self.name_of(cls, cls.__name__), str(wanted), version)
            result.error("connector.class", message)
            result.error("connector.plugin.version", message)

    def converters(self, result: Gathered, resolved: Mapping[str, Any]) -> None:
        """Class, default and version of each converter, and its own options when the connector names it."""
        for option, kind in CONVERTERS:
            self._show_class(result, option, kind, self._worker.get(option))
            named = resolved.get(option)
            cls = self._class(result, option, kind, named if named is not None else self._worker.get(option))
            valid = cls is not None or bool(result.value(option).value)
            self._versions(result, f"{option}.plugin.version", kind, cls, visible=valid)
            if named is None or cls is None:
                continue
            config_def = converter_def(kind, cls)
            own = split_prefix(resolved, f"{option}.")
            own.setdefault("converter.type", option.partition(".")[0])
            values = config_def.validate(own)
            for value in values:
                value.name = f"{option}.{value.name}"
            result.add(config_def.prefixed(f"{option}."), values)

    def steps(self, result: Gathered, resolved: Mapping[str, Any]) -> None:
        """Transforms and predicates."""
        defined = aliases(resolved, "predicates")
        for alias in dict.fromkeys(aliases(resolved, "transforms")):
            self._transform(result, alias, resolved, defined)
        for alias in dict.fromkeys(defined):
            prefix, group = f"predicates.{alias}.", f"{PREDICATES_GROUP}: {alias}"
            self._step(result, "predicate", prefix, group, ("Predicate", alias), resolved, ConfigDef())

    def _transform(
        self, result: Gathered, alias: str, resolved: Mapping[str, Any], defined: list[str]
    ) -> None:
        prefix, group = f"transforms.{alias}.", f"{TRANSFORMS_GROUP}: {alias}"
        guards = ConfigDef(
            key("negate", Type.BOOLEAN, False, importance=Importance.MEDIUM,
                doc="Whether the configured predicate should be negated."),
            key("predicate", Type.STRING, None, importance=Importance.MEDIUM,
                doc="The alias of a predicate used to determine whether to apply this."),
        )  # fmt: skip
        self._step(result, "transformation", prefix, group, ("Transformation", alias), resolved, guards)
        guard = resolved.get(f"{prefix}predicate")
        if guard and guard not in defined:
            result.error(f"{prefix}predicate", f"Predicate {guard} is not defined")
        if f"{prefix}negate" in resolved and not guard:
            result.error(f"{prefix}type", f"Config '{prefix}negate' was provided but there is no config"
                         f" '{prefix}predicate' defining a predicate to be negated.")  # fmt: skip

    def _step(
        self,
        result: Gathered,
        kind: str,
        prefix: str,
        group: str,
        title: tuple[str, str],
        resolved: Mapping[str, Any],
        guards: ConfigDef,
    ) -> None:
        what, alias = title
        head = ConfigDef(
            key(f"{prefix}type", Type.CLASS, importance=Importance.HIGH, group=group, order=0, width=Width.LONG,
                display_name=f"{what} type for {alias}", doc=f"Class for the '{alias}' {what.lower()}."),
            key(f"{prefix}plugin.version", Type.STRING, None, importance=Importance.HIGH, group=group, order=1,
                width=Width.LONG, display_name=f"{what} version for {alias}", doc=f"Version of '{alias}'."),
        )  # fmt: skip
        result.add(head, head.validate(resolved))
        self._show_class(result, f"{prefix}type", kind, None)
        cls = self._class(result, f"{prefix}type", kind, resolved.get(f"{prefix}type"))
        self._versions(result, f"{prefix}plugin.version", kind, cls, visible=True)
        if cls is None:
            return
        own: ConfigDef = cls.config_def()
        own = own.merged(guards)
        values = own.validate(split_prefix(resolved, prefix))
        for value in values:
            value.errors = [_prefixed(message, value.name, prefix) for message in value.errors]
            value.name = prefix + value.name
        numbered = (replace(k, order=n) for n, k in enumerate(sorted(own.keys.values(), key=_rank), 2))
        result.add(ConfigDef(*numbered).prefixed(prefix, group), values)

    def _show_class(self, result: Gathered, option: str, kind: str, default: Any) -> None:
        """The option's default by its full name, and what else may be named."""
        k = result.keys[option]
        if default is not None:
            result.keys[option] = replace(k, default=self._full(kind, str(default)))
        value = result.value(option)
        if value.value is None and not value.errors:
            value.value = result.keys[option].default if default is not None else None
        if not result.choices:
            return
        names = {kind, "converter"} if kind == "header_converter" else {kind}
        found = (
            self.name_of(cls, name)
            for each, name, cls in self._registry.all()
            if each in names and name not in self._registry.broken
        )
        value.recommended_values = sorted(set(found))

    def _class(self, result: Gathered, option: str, kind: str, name: Any) -> type[Any] | None:
        """The class named; its error where there is none."""
        value = result.value(option)
        if name is None:
            return None
        try:
            cls = self._registry.find(kind, str(name).strip()) if str(name).strip() else None
        except ConnectError as error:
            result.error(option, f"Invalid value {name} for configuration {option}: {error}")
            return None
        if cls is not None:
            value.value = self.name_of(cls, str(name))
            problem = _problem(cls)
            if problem is None:
                return cls
            result.error(option, f"Invalid value {value.value} for configuration {option}: {problem}")
            return None
        family = self._registry.family(kind, str(name).strip())
        other = self._other(kind, str(name).strip())
        if family is not None:
            result.error(option, family)
        elif other is None:
            value.value = None
            result.error(
                option, f"Invalid value {name} for configuration {option}: Class {name} could not be found."
            )
        else:
            value.value = other
            result.error(option, f"Class class {other} does not implement the {_INTERFACES[kind]} interface")
        return None

    def _other(self, kind: str, name: str) -> str | None:
        """Full name of a plugin of another kind."""
        for each in KINDS:
            try:
                cls = self._registry.find(each, name) if each != kind and name else None
            except ConnectError:
                continue
            if cls is not None:
                return self.name_of(cls, name)
        return None

    def _full(self, kind: str, name: str) -> str:
        try:
            cls = self._registry.find(kind, name)
        except ConnectError:
            cls = None
        return name if cls is None else self.name_of(cls, name)

    def _versions(
        self, result: Gathered, option: str, kind: str, cls: type[Any] | None, *, visible: bool
    ) -> str | None:
        """The version that is there as the default and only choice of a version option."""
        version = None if cls is None else self._registry.version(kind, cls.__name__, cls)
        value = result.value(option)
        value.visible = visible
        if version is not None and option in result.keys:
            result.keys[option] = replace(result.keys[option], default=version)
            value.recommended_values = [version]
            value.value = value.value or version
        return version


def _problem(cls: type[Any]) -> str | None:
    """Why a plugin cannot be made, in Connect's words."""
    if getattr(cls, "__abstractmethods__", None):
        return "This class is abstract and cannot be created."
    try:
        cls()
        cls.config_def()
    except Exception as error:  # noqa: BLE001 - whatever a plugin does wrong is an error of its option
        text = str(error)
        return "Could not instantiate class" + (f": {text}" if text else "")
    return None


def converter_def(kind: str, cls: type[Any]) -> ConfigDef:
    """Options of a converter; those of keys and values are told which of the two they are."""
    own: ConfigDef = cls.config_def()
    if kind != "converter":
        return own
    what = key("converter.type", Type.STRING, importance=Importance.LOW, validator=one_of("key", "value", "header"),
               doc="Whether the converter is for keys or values; set by the runtime.")  # fmt: skip
    return ConfigDef(what).merged(own)


def _rank(k: ConfigKey) -> tuple[str, int, bool, int, str]:
    """Kafka's order of the options of one plugin."""
    return k.group or "", k.order, not k.required, list(Importance).index(k.importance), k.name


def unavailable(name: str, wanted: str, there: str) -> str:
    """The complaint about a version that is not installed, in Connect's words."""
    shown = wanted if wanted[:1] in "[(" else f"[{wanted},{wanted}]"
    return f"Plugin {name} not found that matches the version range {shown}, available versions: [{there}]"


def _prefixed(message: str, name: str, prefix: str) -> str:
    """Connect names the option in full where it is missing or cannot be parsed, and briefly in validators' words."""
    if (
        message.startswith("Missing required")
        or "Not a number" in message
        or "Expected value to be" in message
    ):
        return message.replace(f'"{name}"', f'"{prefix}{name}"').replace(
            f"configuration {name}:", f"configuration {prefix}{name}:"
        )
    return message
