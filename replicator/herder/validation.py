"""Validates a connector's options and answers in the shape of Connect's ConfigInfos.

Order of work: placeholders, options every connector has, those of transforms, predicates and topic groups, the
connector's own, the converters', client overrides. Values are checked resolved; what was resolved is shown only
where the option itself is shown by Connect, secrets never (INV-9).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

from replicator.api.errors import BadRequestError, ConfigError
from replicator.api.option_types import Secret
from replicator.config.connector import framework_def
from replicator.config.masking import masked
from replicator.config.overrides import OverridePolicy
from replicator.config.providers import Resolver
from replicator.config.sink_topics import check_topics
from replicator.config.worker_options import HEADER_CONVERTER, JSON_CONVERTER
from replicator.herder.client_overrides import ClientOverrides
from replicator.herder.config_infos import Gathered
from replicator.herder.exactly_once_checks import check_exactly_once
from replicator.herder.plugin_options import PluginOptions
from replicator.plugins.registry import Registry
from replicator.runtime.topics import rules

NULL_VALUE: Final = "Null value can not be supplied as the configuration value."
_CONVERTERS: Final = {
    "key.converter": JSON_CONVERTER,
    "value.converter": JSON_CONVERTER,
    "header.converter": HEADER_CONVERTER,
}


class Validator:
    """Validates configurations against the plugins of a worker."""

    def __init__(
        self,
        registry: Registry,
        resolver: Resolver,
        override_policy: str | OverridePolicy = "All",
        *,
        exactly_once: bool = False,
        worker: Mapping[str, Any] | None = None,
    ) -> None:
        """Over a worker's plugins.

        Args:
            registry: the plugins.
            resolver: of placeholders.
            override_policy: which client options connectors may override.
            exactly_once: whether this worker's sources deliver exactly once.
            worker: its options: default converters, group.
        """
        self._registry = registry
        self._resolver = resolver
        self._exactly_once = exactly_once
        options = worker or {}
        self._plugins = PluginOptions(registry, {o: options.get(o) or d for o, d in _CONVERTERS.items()})
        group = options.get("group.id")
        policy = OverridePolicy(override_policy) if isinstance(override_policy, str) else override_policy
        self._overrides = ClientOverrides(policy, str(group) if group else None)

    def infos(self, config: Mapping[str, str | None]) -> dict[str, Any]:
        """ConfigInfos of a configuration.

        Raises:
            BadRequestError: it names no connector class.
            ConfigError: the class is not known, or a placeholder cannot be resolved.
        """
        return self._validate(config).infos(str(config.get("connector.class")))

    def check(self, config: Mapping[str, str | None]) -> None:
        """Refuse an invalid configuration, in Connect's words.

        Raises:
            BadRequestError: it has errors.
        """
        errors = self._validate(config, choices=False).errors()
        if errors:
            listed = "\n".join(errors)
            raise BadRequestError(
                f"Connector configuration is invalid and contains the following {len(errors)} error(s):\n{listed}\n"
                "You can also find the above list of errors at the endpoint"
                " `/connector-plugins/{connectorType}/config/validate`"
            )

    def _validate(self, config: Mapping[str, str | None], *, choices: bool = True) -> Gathered:
        if config.get("connector.class") is None:
            given = sorted(masked(config).items(), key=lambda option: java_order(option[0], len(config)))
            shown = ", ".join(f"{n}={'null' if v is None else v}" for n, v in given)
            raise BadRequestError(f"Connector config {{{shown}}} contains no connector type")
        resolved = self._resolver.resolve({n: v for n, v in config.items() if v is not None})
        kind, cls = self._registry.connector(str(config["connector.class"]))
        result = Gathered(choices=choices)
        framework = framework_def(kind, resolved)
        result.add(
            framework, framework.validate(resolved | {n: None for n, v in config.items() if v is None})
        )
        self._plugins.connector(result, kind, cls, resolved.get("connector.plugin.version"))
        self._plugins.steps(result, resolved)
        if kind == "sink":
            for option, message in check_topics(resolved):
                result.error(option, message)
        else:
            self._source(result, cls, resolved)
        result.add(cls.config_def(), cls().validate(resolved))
        self._plugins.converters(result, resolved)
        self._overrides.add(result, kind, str(config.get("name") or ""), resolved)
        for name in (name for name, value in config.items() if value is None):
            result.error(name, NULL_VALUE)
        _unresolve(result, config, resolved)
        return result

    def _source(self, result: Gathered, cls: type[Any], resolved: Mapping[str, Any]) -> None:
        try:
            if not result.value("topic.creation.groups").errors:
                rules(resolved)
        except ConfigError as error:
            result.error(error.option or "topic.creation.groups", error.message)
        for option, message in check_exactly_once(cls(), resolved, enabled=self._exactly_once):
            result.error(option, message)


def _unresolve(result: Gathered, config: Mapping[str, str | None], resolved: Mapping[str, Any]) -> None:
    """Show placeholders instead of what they stand for (INV-9)."""
    for name, text in resolved.items():
        given = config.get(name)
        value = result.values.get(name)
        if value is None or given is None or given == text:
            continue
        if value.value is not None and not isinstance(value.value, Secret):
            value.value = given
        if text:
            value.errors = [message.replace(str(text), given) for message in value.errors]


def java_order(name: str, count: int) -> int:
    """Where a Java map of so many entries would list a key: clients compare whole messages."""
    slots = 1
    while slots < count / 0.75 + 1:
        slots *= 2
    code = 0
    for unit in struct.iter_unpack("<H", name.encode("utf-16-le", "surrogatepass")):
        code = (31 * code + int(unit[0])) & 0xFFFFFFFF
    return (code ^ (code >> 16)) & (slots - 1)
