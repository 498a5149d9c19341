"""Secrets in connector configurations: hidden in answers, understood as "unchanged" in requests (INV-9).

A client may read a configuration, change an option and send it back whole: what it got hidden is
taken from the stored configuration. Placeholders (`${env:NAME}`) are no secrets and stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replicator.api.errors import BadRequestError, ConnectError, NotFoundError
from replicator.api.option_types import HIDDEN
from replicator.config.masking import masked
from replicator.herder.base import Herder
from replicator.herder.views import ConnectorInfo


class Secrets:
    """Hides and restores; any thread."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder
        self._declared: dict[str, frozenset[str]] = {}

    def hide(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration as it may be shown."""
        declared = self._passwords(str(config.get("connector.class") or ""))
        return masked(config, declared)

    def info(self, info: ConnectorInfo) -> dict[str, Any]:
        """Connect's ConnectorInfo, as it may be shown."""
        return info.to_json() | {"config": self.hide(info.config)}

    def restore(self, name: str, config: Mapping[str, str | None]) -> dict[str, str | None]:
        """The configuration with what was hidden put back from the stored one.

        Raises:
            BadRequestError: a hidden value has no stored one behind it.
        """
        if not any(value is not None and HIDDEN in value for value in config.values()):
            return dict(config)
        stored = self._stored(name)
        shown = self.hide(stored)
        restored = dict(config)
        for option, value in config.items():
            if value is None or HIDDEN not in value:
                continue
            if shown.get(option) == value:
                restored[option] = stored[option]
            elif value == HIDDEN:
                raise BadRequestError(
                    f"Option {option} is {HIDDEN}, but no value is stored that this stands for."
                )
        return restored

    def _stored(self, name: str) -> dict[str, str]:
        try:
            return self._herder.connector_config(name)
        except NotFoundError:
            return {}

    def _passwords(self, connector_class: str) -> frozenset[str]:
        known = self._declared.get(connector_class)
        if known is None:
            try:
                keys = self._herder.plugin_config(connector_class) if connector_class else []
            except ConnectError:
                keys = []  # not installed any more: names alone must tell
            known = frozenset(str(k["name"]) for k in keys if k.get("type") == "PASSWORD")
            self._declared[connector_class] = known
        return known
