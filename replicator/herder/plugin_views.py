"""Plugins as every herder shows them, and the validation of configurations. Any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from replicator.api.config import ConfigDef
from replicator.api.errors import BadRequestError, NotFoundError
from replicator.config.connector import SINK_DEF, SOURCE_DEF
from replicator.config.overrides import policy_of
from replicator.herder.config_infos import key_info
from replicator.herder.plugin_options import converter_def, unavailable
from replicator.herder.validation import Validator
from replicator.herder.views import PluginInfo
from replicator.plugins.discovery import KINDS
from replicator.runtime import exactly_once
from replicator.runtime.assembly import WorkerParts

_VERSION: Final = "connector.plugin.version"


class PluginViews:
    """The part of a herder that does not depend on where connectors run.

    Attributes:
        validator: checks configurations of connectors.
    """

    def __init__(self, parts: WorkerParts) -> None:
        self._registry = parts.registry
        policy = policy_of(parts.config.values)
        self.validator = Validator(
            parts.registry,
            parts.resolver,
            policy,
            exactly_once=exactly_once.promised(parts),
            worker=parts.config.raw,
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

    def plugin_config(self, plugin: str, version: str | None = None) -> list[dict[str, Any]]:
        """Options of a plugin, then those every connector has."""
        for kind in KINDS:
            cls = self._registry.find(kind, plugin)
            if cls is None:
                continue
            there = self._registry.version(kind, plugin, cls)
            if version and there is not None and version != there:
                name = next((a for a in cls.aliases if "." in a), plugin)
                raise BadRequestError(unavailable(name, version, there))
            config_def = converter_def(kind, cls)
            if kind in ("sink", "source"):
                framework = SINK_DEF if kind == "sink" else SOURCE_DEF
                own = {_VERSION: replace(framework.keys[_VERSION], default=there)}
                config_def = config_def.merged(ConfigDef(*(framework.keys | own).values()))
            return [key_info(k) for k in config_def.keys.values()]
        raise NotFoundError(f"Unknown plugin {plugin}.")

    def validate(self, plugin: str, config: Mapping[str, str | None]) -> dict[str, Any]:
        """ConfigInfos."""
        given = str(config.get("connector.class") or "")
        if given and not given.removesuffix("Connector").endswith(plugin.removesuffix("Connector")):
            raise BadRequestError(f"Included connector type {given} does not match request type {plugin}")
        return self.validator.infos(config)
