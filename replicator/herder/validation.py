"""Validates a connector's options and answers in the shape of Connect's ConfigInfos.

Order of work: placeholders, options every connector has (with those of transforms, predicates and
topic groups), the connector's own, the converters', client overrides. Values are checked resolved;
what was resolved is shown only where the option itself is shown by Connect, secrets never (INV-9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from replicator.api.config import (
    NO_DEFAULT,
    ConfigDef,
    ConfigKey,
    ConfigValue,
    Importance,
    Type,
    Width,
    key,
    split_prefix,
    to_text,
)
from replicator.api.errors import BadRequestError, ConfigError, ConnectError
from replicator.config.connector import PREDICATES_GROUP, TRANSFORMS_GROUP, check_topics, framework_def
from replicator.config.overrides import OverridePolicy
from replicator.config.providers import Resolver
from replicator.herder.exactly_once_checks import check_exactly_once
from replicator.plugins.factory import aliases
from replicator.plugins.registry import Registry
from replicator.runtime.topics import rules

NULL_VALUE: Final = "Null value can not be supplied as the configuration value."


@dataclass(slots=True)
class _Result:
    """Definitions and values gathered so far; later ones of the same name replace earlier ones."""

    keys: dict[str, ConfigKey] = field(default_factory=dict)
    values: dict[str, ConfigValue] = field(default_factory=dict)

    def add(self, config_def: ConfigDef, values: Iterable[ConfigValue]) -> None:
        self.keys |= config_def.keys
        for value in values:
            self.values[value.name] = value

    def error(self, option: str, message: str) -> None:
        self.values.setdefault(option, ConfigValue(option)).errors.append(message)

    def errors(self) -> list[str]:
        return [message for value in self.values.values() for message in value.errors]


class Validator:
    """Validates configurations against the plugins of a worker."""

    def __init__(
        self,
        registry: Registry,
        resolver: Resolver,
        override_policy: str | OverridePolicy = "All",
        *,
        exactly_once: bool = False,
    ) -> None:
        self._registry = registry
        self._resolver = resolver
        given = override_policy
        self._policy = OverridePolicy(given) if isinstance(given, str) else given
        self._exactly_once = exactly_once

    def infos(self, config: Mapping[str, str | None]) -> dict[str, Any]:
        """ConfigInfos of a configuration.

        Raises:
            BadRequestError: it names no connector class.
            ConfigError: the class is not known, or a placeholder cannot be resolved.
        """
        result = self._validate(config)
        return {
            "name": str(config.get("connector.class")),
            "error_count": len(result.errors()),
            "groups": _groups(result.keys.values()),
            "configs": _configs(result),
        }

    def check(self, config: Mapping[str, str | None]) -> None:
        """Refuse an invalid configuration, in Connect's words.

        Raises:
            BadRequestError: it has errors.
        """
        errors = self._validate(config).errors()
        if errors:
            listed = "\n".join(errors)
            raise BadRequestError(
                f"Connector configuration is invalid and contains the following {len(errors)} error(s):\n{listed}\n"
                "You can also find the above list of errors at the endpoint"
                " `/connector-plugins/{connectorType}/config/validate`"
            )

    def _validate(self, config: Mapping[str, str | None]) -> _Result:
        given = {name: value for name, value in config.items() if value is not None}
        cls_name = str(given.get("connector.class") or "").strip()
        if not cls_name:
            raise BadRequestError(
                f"Connector config {{{', '.join(sorted(config))}}} contains no connector type"
            )
        resolved = self._resolver.resolve(given)
        kind, connector_class = self._registry.connector(cls_name)
        result = _Result()
        framework = framework_def(kind, resolved)
        result.add(framework, framework.validate(resolved))
        self._steps(result, resolved)
        if kind == "sink":
            for option, message in check_topics(resolved):
                result.error(option, message)
        else:
            self._topic_rules(result, resolved)
        self._connector(result, connector_class, resolved)
        if kind == "source":
            for option, message in check_exactly_once(
                connector_class(), resolved, enabled=self._exactly_once
            ):
                result.error(option, message)
        self._converters(result, resolved)
        self._overrides(result, resolved)
        for name in (name for name, value in config.items() if value is None):
            result.error(name, NULL_VALUE)
        return result

    def _connector(self, result: _Result, connector_class: type[Any], resolved: Mapping[str, Any]) -> None:
        result.add(connector_class.config_def(), connector_class().validate(resolved))

    def _steps(self, result: _Result, resolved: Mapping[str, Any]) -> None:
        defined = aliases(resolved, "predicates")
        for alias in dict.fromkeys(aliases(resolved, "transforms")):
            prefix, group = f"transforms.{alias}.", f"{TRANSFORMS_GROUP}: {alias}"
            own = ConfigDef(
                _type_key(group, f"Class for the '{alias}' transformation."),
                key("negate", Type.BOOLEAN, False, importance=Importance.MEDIUM, group=group, order=1,
                    width=Width.NONE, doc="Whether the configured predicate should be negated."),
                key("predicate", Type.STRING, None, importance=Importance.MEDIUM, group=group, order=2,
                    width=Width.NONE, doc="The alias of a predicate used to determine whether to apply this."),
            )  # fmt: skip
            self._plugin(result, "transformation", prefix, own, resolved, group)
            guard = resolved.get(f"{prefix}predicate")
            if guard and guard not in defined:
                result.error(f"{prefix}predicate", f"Predicate {guard} is not defined")
            if not guard and str(resolved.get(f"{prefix}negate", "false")).lower() == "true":
                result.error(f"{prefix}negate", f"There is no config '{prefix}predicate' defining a predicate"
                             " to be negated")  # fmt: skip
        for alias in dict.fromkeys(defined):
            group = f"{PREDICATES_GROUP}: {alias}"
            own = ConfigDef(_type_key(group, f"Class for the '{alias}' predicate."))
            self._plugin(result, "predicate", f"predicates.{alias}.", own, resolved, group)

    def _plugin(
        self,
        result: _Result,
        kind: str,
        prefix: str,
        own: ConfigDef,
        resolved: Mapping[str, Any],
        group: str | None,
    ) -> None:
        """Options of a plugin named by `prefix + "type"`."""
        options = split_prefix(resolved, prefix)
        name = options.get("type")
        failure = None
        if name:
            try:
                own = own.merged(self._registry.get(kind, str(name)).config_def())
            except ConnectError as error:
                failure = str(error)
        values = own.validate(options)
        for value in values:
            value.name = prefix + value.name
        result.add(own.prefixed(prefix, group), values)
        if failure is not None:
            result.error(f"{prefix}type", f"Invalid value {name} for configuration {prefix}type: {failure}")

    def _topic_rules(self, result: _Result, resolved: Mapping[str, Any]) -> None:
        try:
            rules(resolved)
        except ConfigError as error:
            result.error(error.option or "topic.creation.groups", error.message)

    def _converters(self, result: _Result, resolved: Mapping[str, Any]) -> None:
        kinds = (
            ("header.converter", "header_converter"),
            ("key.converter", "converter"),
            ("value.converter", "converter"),
        )
        for option, kind in kinds:
            name = resolved.get(option)
            if not name:
                continue
            try:
                cls = self._registry.get(kind, str(name))
            except ConnectError as error:
                result.error(option, f"Invalid value {name} for configuration {option}: {error}")
                continue
            config_def: ConfigDef = cls.config_def()
            values = config_def.validate(split_prefix(resolved, f"{option}."))
            for value in values:
                value.name = f"{option}.{value.name}"
            result.add(config_def.prefixed(f"{option}."), values)

    def _overrides(self, result: _Result, resolved: Mapping[str, Any]) -> None:
        for option, message in self._policy.refusals(resolved):
            result.error(option, message)


def key_info(k: ConfigKey) -> dict[str, Any]:
    """Connect's ConfigKeyInfo."""
    return {
        "name": k.name,
        "type": k.type.value,
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


def _type_key(group: str, doc: str) -> ConfigKey:
    return key(
        "type", Type.CLASS, importance=Importance.HIGH, group=group, order=0, width=Width.NONE, doc=doc
    )


def _groups(keys: Iterable[ConfigKey]) -> list[str]:
    return list(dict.fromkeys(k.group for k in keys if k.group))


def _configs(result: _Result) -> list[dict[str, Any]]:
    undefined = [v for name, v in result.values.items() if name not in result.keys]
    listed = [{"definition": None, "value": _value_info(v, None)} for v in undefined]
    for name, k in result.keys.items():
        value = result.values.get(name) or ConfigValue(name)
        listed.append({"definition": key_info(k), "value": _value_info(value, k)})
    return listed


def _value_info(value: ConfigValue, k: ConfigKey | None) -> dict[str, Any]:
    type_ = Type.STRING if k is None else k.type
    return {
        "name": value.name,
        "value": to_text(value.value, type_),
        "recommended_values": [to_text(v, type_) for v in value.recommended_values],
        "errors": list(value.errors),
        "visible": value.visible,
    }
