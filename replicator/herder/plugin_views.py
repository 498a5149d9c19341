"""Plugins as every herder shows them, and the validation of configurations. Any thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replicator.api.errors import BadRequestError, NotFoundError
from replicator.config.connector import SINK_DEF, SOURCE_DEF
from replicator.config.overrides import policy_of
from replicator.herder.base import PluginInfo
from replicator.herder.validation import Validator, key_info
from replicator.plugins.discovery import KINDS
from replicator.runtime import exactly_once
from replicator.runtime.assembly import WorkerParts


class PluginViews:
    """The part of a herder that does not depend on where connectors run.

    Attributes:
        validator: checks configurations of connectors.
    """

    def __init__(self, parts: WorkerParts) -> None:
        self._registry = parts.registry
        policy = policy_of(parts.config.values)
        self.validator = Validator(
            parts.registry, parts.resolver, policy, exactly_once=exactly_once.promised(parts)
        )

    def plugins(self, *, connectors_only: bool = True) -> list[PluginInfo]:
        """Plugins that can be imported, in Connect's order."""
        kinds = ("sink", "source") if connectors_only else tuple(KINDS)
        found = []
        for kind, name, cls in self._registry.all():
            if kind in kinds:
                shown = next((a for a in cls.aliases if "." in a), name)
                found.append(PluginInfo(shown, kind, self._registry.version(kind, name, cls)))
        return found

    def plugin_config(self, plugin: str) -> list[dict[str, Any]]:
        """Options of a plugin, then those every connector has."""
        for kind in KINDS:
            cls = self._registry.find(kind, plugin)
            if cls is not None:
                config_def = cls.config_def()
                if kind in ("sink", "source"):
                    config_def = config_def.merged(SINK_DEF if kind == "sink" else SOURCE_DEF)
                return [key_info(k) for k in config_def.keys.values()]
        raise NotFoundError(f"Unknown plugin {plugin}.")

    def validate(self, plugin: str, config: Mapping[str, str | None]) -> dict[str, Any]:
        """ConfigInfos."""
        given = str(config.get("connector.class") or "")
        if given and not given.removesuffix("Connector").endswith(plugin.removesuffix("Connector")):
            raise BadRequestError(f"Included connector type {given} does not match request type {plugin}")
        return self.validator.infos(config)
