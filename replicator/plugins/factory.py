"""Builds configured plugins from a connector's resolved options and the worker's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replicator.api.config import split_prefix
from replicator.api.converter import Converter, HeaderConverter
from replicator.api.errors import ConfigError
from replicator.api.transform import Predicate, Transformation
from replicator.plugins.registry import Registry

Step = tuple[Transformation, Predicate | None, bool]
"""A transform, the predicate that guards it, and whether that is negated."""


def converter(
    registry: Registry, config: Mapping[str, Any], worker: Mapping[str, Any], *, is_key: bool
) -> Converter:
    """The connector's key or value converter; where it names none, the worker's with the worker's options."""
    option = "key.converter" if is_key else "value.converter"
    source = config if config.get(option) else worker
    cls: type[Converter] = registry.get("converter", str(source[option]))
    built = cls()
    built.configure(split_prefix(source, option + "."), is_key=is_key)
    return built


def header_converter(
    registry: Registry, config: Mapping[str, Any], worker: Mapping[str, Any]
) -> HeaderConverter:
    """The connector's header converter, or the worker's."""
    source = config if config.get("header.converter") else worker
    cls: type[HeaderConverter] = registry.get("header_converter", str(source["header.converter"]))
    built = cls()
    built.configure(split_prefix(source, "header.converter."), is_key=False)
    return built


def steps(registry: Registry, config: Mapping[str, Any]) -> list[Step]:
    """The transforms of a connector with their predicates, in order.

    Raises:
        ConfigError: a type is missing or unknown, or a predicate is not defined.
    """
    predicates = {alias: _predicate(registry, config, alias) for alias in aliases(config, "predicates")}
    found: list[Step] = []
    for alias in aliases(config, "transforms"):
        prefix = f"transforms.{alias}."
        options = split_prefix(config, prefix)
        transform: Transformation = registry.get("transformation", _type(options, prefix))()
        guard = options.pop("predicate", None)
        negate = str(options.pop("negate", "false")).strip().lower() == "true"
        if guard and guard not in predicates:
            raise ConfigError(f"Predicate {guard} is not defined", option=f"{prefix}predicate")
        if negate and not guard:
            raise ConfigError(f"{prefix}negate needs {prefix}predicate", option=f"{prefix}negate")
        transform.configure(options)
        found.append((transform, predicates[guard] if guard else None, negate))
    return found


def aliases(config: Mapping[str, Any], option: str) -> list[str]:
    """The aliases listed by `transforms` or `predicates`."""
    listed = config.get(option) or ""
    parts = listed if isinstance(listed, list) else str(listed).split(",")
    return [part.strip() for part in parts if part.strip()]


def _predicate(registry: Registry, config: Mapping[str, Any], alias: str) -> Predicate:
    prefix = f"predicates.{alias}."
    options = split_prefix(config, prefix)
    built: Predicate = registry.get("predicate", _type(options, prefix))()
    built.configure(options)
    return built


def _type(options: dict[str, Any], prefix: str) -> str:
    if not options.get("type"):
        raise ConfigError(f'Missing required configuration "{prefix}type" which has no default value.',
                          option=f"{prefix}type")  # fmt: skip
    return str(options.pop("type"))
