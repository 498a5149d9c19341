"""The config providers that come with the service: environment variables, `.properties` files, folders of files.

What may be read can be limited with `allowlist.pattern` and `allowed.paths`; links are followed before a path
is compared. With `ttl.ms` a value is asked for again after that time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef, ConfigKey, key
from replicator.api.errors import ConfigError
from replicator.api.option_types import Type
from replicator.api.provider import ConfigProvider, ProvidedValue
from replicator.api.validators import at_least
from replicator.config.files import parse_properties

_PACKAGE: Final = "org.apache.kafka.common.config.provider."
_TTL: Final = key(
    "ttl.ms",
    Type.LONG,
    None,
    validator=at_least(1),
    doc="OWN. How long a value may be used; when it has changed after that time, its connectors are restarted.",
)
_ALLOWED: Final[ConfigKey] = key(
    "allowed.paths", Type.LIST, [], doc="Absolute paths that this provider may read below; not set: all."
)


class EnvVarConfigProvider(ConfigProvider):
    """`${env:NAME}`."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}EnvVarConfigProvider",)
    _allowed = re.compile(".*")

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "allowlist.pattern",
                Type.STRING,
                ".*",
                doc="Regular expression of the names that may be read; not set: all.",
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        pattern = self.config_def().parse(config)["allowlist.pattern"]
        try:
            self._allowed = re.compile(pattern)
        except re.error as error:
            raise ConfigError(
                f"Invalid value {pattern} for configuration allowlist.pattern: Could not compile regex: {error}",
                option="allowlist.pattern",
            ) from None

    def get(self, path: str, key: str) -> ProvidedValue:
        if path:
            raise ConfigError(f"Environment variables have no path: write ${{env:{key}}}.")
        if not self._allowed.fullmatch(key):
            raise ConfigError(
                f"Environment variable {key} is not allowed.",
                hint="See allowlist.pattern of the config provider.",
            )
        value = os.environ.get(key)
        if value is None:
            raise ConfigError(f"Environment variable {key} is not set.", hint="Set it for this process.")
        return ProvidedValue(value)


class _Files(ConfigProvider):
    """What both providers of files share."""

    _roots: tuple[Path, ...] = ()
    _ttl: int | None = None

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(_ALLOWED, _TTL)

    def configure(self, config: Mapping[str, Any]) -> None:
        parsed = self.config_def().parse(config)
        self._ttl = parsed["ttl.ms"]
        self._roots = tuple(_root(text) for text in parsed["allowed.paths"] if text)

    def _checked(self, path: str) -> Path:
        given = Path(path)
        if not path:
            raise ConfigError("The placeholder names no path: write ${provider:path:key}.")
        if self._roots and not any(given.resolve().is_relative_to(root) for root in self._roots):
            raise ConfigError(
                f"The path {path} is not allowed to be accessed.",
                hint="See allowed.paths of the config provider.",
            )
        return given


class FileConfigProvider(_Files):
    """`${file:/path/of.properties:key}`."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}FileConfigProvider",)

    def get(self, path: str, key: str) -> ProvidedValue:
        file = self._checked(path)
        try:
            options = parse_properties(file.read_bytes().decode("latin-1"))
        except OSError as error:
            raise ConfigError(f"Could not read properties from file {path}: {error.strerror}") from None
        if key not in options:
            raise ConfigError(f"The file {path} has no key {key}.")
        return ProvidedValue(options[key], self._ttl)


class DirectoryConfigProvider(_Files):
    """`${dir:/path:file}`: files of one value each, as Docker and Kubernetes mount secrets."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}DirectoryConfigProvider",)

    def get(self, path: str, key: str) -> ProvidedValue:
        folder = self._checked(path)
        if not key or Path(key).name != key:
            raise ConfigError(f"{key} is not the name of a file in {path}.")
        file = self._checked(str(folder / key))
        try:
            return ProvidedValue(file.read_text(encoding="utf-8"), self._ttl)
        except UnicodeDecodeError:
            raise ConfigError(f"The file {file} is not text in UTF-8.") from None
        except OSError as error:
            raise ConfigError(f"Could not read file {file} for property {key}: {error.strerror}") from None


def _root(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise ConfigError(f"Path {text} is not absolute", option="allowed.paths")
    if not path.exists():
        raise ConfigError(f"Path {text} does not exist", option="allowed.paths")
    return path.resolve()


BUILT_IN: Final[tuple[type[ConfigProvider], ...]] = (
    EnvVarConfigProvider,
    FileConfigProvider,
    DirectoryConfigProvider,
)
