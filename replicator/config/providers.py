"""Placeholders in option values: `${provider:key}` and `${provider:path:key}`, several in one value.

Values are resolved when a connector or task starts or is validated, never before, and what was
resolved is stored nowhere (INV-9). A placeholder of an unknown provider stays as it is; one that a
known provider cannot resolve is an error. Any thread may resolve.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, NamedTuple

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError
from replicator.api.provider import ConfigProvider
from replicator.config.builtin_providers import (
    BUILT_IN,
    DirectoryConfigProvider,
    EnvVarConfigProvider,
    FileConfigProvider,
)

GROUP: Final = "replicator.config_providers"
"""Entry points of providers of other packages."""

FindPoints = Callable[[Sequence[str]], Iterable[EntryPoint]]

_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}")


class Leased(NamedTuple):
    """Resolved options, and after how many milliseconds they should be resolved again; None: never."""

    options: dict[str, Any]
    ttl_ms: int | None


class Resolver:
    """Resolves placeholders with the providers of a worker."""

    def __init__(self, providers: Mapping[str, ConfigProvider] | None = None) -> None:
        """Without `providers` there are `env`, `file` and `dir`, with no limits."""
        if providers is None:
            providers = {
                "env": EnvVarConfigProvider(),
                "file": FileConfigProvider(),
                "dir": DirectoryConfigProvider(),
            }
        self._providers = dict(providers)

    @classmethod
    def of_worker(cls, raw: Mapping[str, Any], points: FindPoints | None = None) -> Resolver:
        """Just the providers named by `config.providers`; where it is not set, the three that need no options.

        Args:
            raw: the worker's options.
            points: entry points of further providers, given `plugin.path`; not given: the installed ones.

        Raises:
            ConfigError: a provider's class is not known, or a parameter is wrong.
        """
        named = _listed(raw.get("config.providers"))
        if not named:
            return cls()
        known = list((points or _installed)(_listed(raw.get("plugin.path"))))
        return cls({n: _build(n, split_prefix(raw, f"config.providers.{n}."), known) for n in named})

    def resolve(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The options with placeholders replaced.

        Raises:
            ConfigError: a provider cannot find what is asked for.
        """
        return self.lease(raw).options

    def lease(self, raw: Mapping[str, Any]) -> Leased:
        """The same, with the time for which the values may be used."""
        resolved: dict[str, Any] = {}
        leases: list[int] = []
        for name, value in raw.items():
            resolved[name] = self._text(value, leases) if isinstance(value, str) and "${" in value else value
        return Leased(resolved, min(leases, default=None))

    def close(self) -> None:
        """Release the providers."""
        for provider in self._providers.values():
            provider.close()

    def _text(self, text: str, leases: list[int]) -> str:
        def replaced(match: re.Match[str]) -> str:
            provider = self._providers.get(match[1])
            if provider is None:
                return match[0]
            found = provider.get(match[3] or "", match[4])
            if found.ttl_ms is not None:
                leases.append(found.ttl_ms)
            return found.value

        return _PLACEHOLDER.sub(replaced, text)


def _listed(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [part.strip() for part in parts if part.strip()]


def _installed(plugin_path: Sequence[str]) -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)


def _build(name: str, options: Mapping[str, Any], points: Sequence[EntryPoint]) -> ConfigProvider:
    option = f"config.providers.{name}.class"
    cls_name = str(options.get("class") or "").strip()
    if not cls_name:
        raise ConfigError(
            f'Missing required configuration "{option}" which has no default value.', option=option
        )
    made = _find(cls_name, option, points)()
    try:
        made.configure(split_prefix(options, "param."))
    except ConfigError as error:
        named = f"config.providers.{name}.param.{error.option}" if error.option else option
        raise ConfigError(f"Config provider {name}: {error.message}", option=named, hint=error.hint) from None
    return made


def _find(cls_name: str, option: str, points: Sequence[EntryPoint]) -> type[ConfigProvider]:
    """The class a user means: a Java name, a simple name, or the entry point of another package."""
    known = {cls.__name__: cls for cls in BUILT_IN}
    for cls in BUILT_IN:
        if cls_name in (cls.__name__, *cls.aliases):
            return cls
    for point in points:
        try:
            found: type[ConfigProvider] = point.load()
        except Exception as error:
            if point.name != cls_name:
                continue
            raise ConfigError(
                f"Config provider {cls_name} cannot be imported: {error}", option=option
            ) from error
        own = f"{found.__module__}.{found.__qualname__}"
        if cls_name in (point.name, own, *found.aliases):
            return found
        known[point.name] = found
    raise ConfigError(
        f"Config provider class {cls_name} is not known.",
        option=option,
        hint=f"Known: {', '.join(sorted(known))}.",
    )
