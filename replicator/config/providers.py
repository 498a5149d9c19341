"""Config providers: `${env:NAME}`, `${file:/path:key}`, `${dir:/path:key}` in option values.

Values are resolved when a connector or task starts or is validated, never before, and what was
resolved is stored nowhere (INV-9). A placeholder of an unknown provider stays as it is; one that a
known provider cannot resolve is an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError
from replicator.config.files import parse_properties

Provider = Callable[[str, str], str]
"""Called with (path, key); raises ConfigError."""

_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}")

_KINDS: Final = {
    "EnvVarConfigProvider": "env",
    "FileConfigProvider": "file",
    "DirectoryConfigProvider": "dir",
}


class Resolver:
    """Resolves placeholders with the providers of a worker."""

    def __init__(self, providers: Mapping[str, Provider] | None = None) -> None:
        self._providers: dict[str, Provider] = {
            "env": env_provider(),
            "file": file_provider(),
            "dir": dir_provider(),
        }
        self._providers.update(providers or {})

    @classmethod
    def of_worker(cls, raw: Mapping[str, Any]) -> Resolver:
        """The providers named by `config.providers` and the three that always exist.

        Raises:
            ConfigError: a provider's class is not known.
        """
        named: dict[str, Provider] = {}
        for name in (n.strip() for n in str(raw.get("config.providers") or "").split(",")):
            if name:
                named[name] = _build(name, split_prefix(raw, f"config.providers.{name}."))
        return cls(named)

    def resolve(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The options with placeholders replaced.

        Raises:
            ConfigError: a provider cannot find what is asked for.
        """
        return {name: self._text(v) if isinstance(v, str) and "${" in v else v for name, v in raw.items()}

    def _text(self, text: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            provider = self._providers.get(match[1])
            return match[0] if provider is None else provider(match[3] or "", match[4])

        return _PLACEHOLDER.sub(replaced, text)


def env_provider(allowlist: str = ".*") -> Provider:
    """Environment variables whose name matches `allowlist`."""
    allowed = re.compile(allowlist)

    def provide(path: str, name: str) -> str:
        value = os.environ.get(name) if allowed.fullmatch(name) and not path else None
        if value is None:
            raise ConfigError(f"Environment variable {name} is not set.", hint="Set it for this process.")
        return value

    return provide


def file_provider(allowed_paths: str = "") -> Provider:
    """Keys of `.properties` files."""

    def provide(path: str, name: str) -> str:
        file = _allowed(path, allowed_paths)
        try:
            options = parse_properties(file.read_bytes().decode("latin-1"))
        except OSError as error:
            raise ConfigError(f"Could not read properties from file {path}: {error.strerror}") from None
        if name not in options:
            raise ConfigError(f"The file {path} has no key {name}.")
        return options[name]

    return provide


def dir_provider(allowed_paths: str = "") -> Provider:
    """Files of a folder, one value each (as Docker and Kubernetes mount secrets)."""

    def provide(path: str, name: str) -> str:
        folder = _allowed(path, allowed_paths)
        if not name or Path(name).name != name:
            raise ConfigError(f"{name} is not the name of a file in {path}.")
        try:
            return (folder / name).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"Could not read file {folder / name}: {error.strerror}") from None

    return provide


def _allowed(path: str, allowed_paths: str) -> Path:
    given = Path(path)
    roots = [Path(p.strip()).resolve() for p in allowed_paths.split(",") if p.strip()]
    if roots and not any(given.resolve().is_relative_to(root) for root in roots):
        raise ConfigError(f"The path {path} is not allowed.", option="allowed.paths")
    return given


def _build(name: str, options: Mapping[str, Any]) -> Provider:
    cls = str(options.get("class", ""))
    kind = _KINDS.get(cls.rpartition(".")[2], cls)
    if kind == "env":
        return env_provider(str(options.get("param.allowlist.pattern", ".*")))
    if kind == "file":
        return file_provider(str(options.get("param.allowed.paths", "")))
    if kind == "dir":
        return dir_provider(str(options.get("param.allowed.paths", "")))
    option = f"config.providers.{name}.class"
    hint = f"Known: {', '.join(_KINDS)}."
    raise ConfigError(f"Config provider {cls} of {name} is not known.", option=option, hint=hint)
