"""Config providers: where the values of `${name:path:key}` in options come from.

A provider is constructed without arguments, configured once with `config.providers.<name>.param.*`, and asked
whenever a connector or task starts or is validated; any thread may ask. What it gives is stored nowhere (INV-9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from replicator.api.config import ConfigDef


class ProvidedValue(NamedTuple):
    """A value, and for how many milliseconds it may be used; None: for ever."""

    value: str
    ttl_ms: int | None = None


class ConfigProvider:
    """One source of values."""

    aliases: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def config_def(cls) -> ConfigDef:
        """The provider's parameters."""
        return ConfigDef()

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the parameters.

        Raises:
            ConfigError: one is wrong.
        """

    def get(self, path: str, key: str) -> ProvidedValue:
        """The value of a key; `path` is empty where the placeholder has none.

        Raises:
            ConfigError: there is no such value, or it may not be had.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release resources."""
