"""Where plugins are found: entry points of installed packages, and of those below `plugin.path`.

An entry of `plugin.path` is a folder of plugins, or one plugin: a folder that packages were installed into
(`pip install --target`), a wheel, or a source tree with a `pyproject.toml`. Nothing is imported here; folders that
hold plugins are added at the end of Python's search path, so that none can take the place of an installed module.
"""

from __future__ import annotations

import logging
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

KINDS: Final = {
    "sink": "replicator.sink_connectors",
    "source": "replicator.source_connectors",
    "transformation": "replicator.transforms",
    "predicate": "replicator.predicates",
    "converter": "replicator.converters",
    "header_converter": "replicator.header_converters",
}
"""Kinds in the order of GET /connector-plugins, with their entry point groups."""

CONFIG_PROVIDERS: Final = "replicator.config_providers"
"""Entry points of config providers, which Connect does not list among its plugins."""

Points = dict[str, dict[str, EntryPoint]]
"""Entry points by kind and name."""

_KIND_OF: Final = {group: kind for kind, group in KINDS.items()} | {CONFIG_PROVIDERS: "config_provider"}


class TreePoint(EntryPoint):
    """An entry point of a source tree, which has no installed metadata."""

    version: str

    def __init__(self, name: str, value: str, group: str, version: str) -> None:
        super().__init__(name, value, group)
        vars(self).update(version=version)


@cache
def discover(plugin_path: tuple[str, ...] = ()) -> Points:
    """Entry points of all plugins; of several with one name the one found first counts."""
    found: Points = {kind: {} for kind in _KIND_OF.values()}
    every = entry_points()
    for group, kind in _KIND_OF.items():
        for point in every.select(group=group):
            found[kind].setdefault(point.name, point)
    for place in _places(plugin_path):
        for point in _points_of(place):
            _take(found, point, place)
    return found


def config_providers(plugin_path: Sequence[str]) -> list[EntryPoint]:
    """Entry points of config providers."""
    return list(discover(tuple(p for p in plugin_path if p))["config_provider"].values())


def version_of(point: EntryPoint) -> str | None:
    """Version of the package an entry point is from."""
    if isinstance(point, TreePoint):
        return point.version
    return point.dist.version if point.dist is not None else None


def _take(found: Points, point: EntryPoint, place: Path) -> None:
    known = found[_KIND_OF[point.group]]
    if point.name in known:
        if known[point.name].value != point.value:
            log.warning("Plugin %s of %s is not used: the name is taken.", point.name, place)
        return
    known[point.name] = point
    root = str(place / "src" if (place / "src").is_dir() else place)
    if root not in sys.path:
        sys.path.append(root)


def _places(plugin_path: Sequence[str]) -> Iterator[Path]:
    """Each entry of the path, and what is directly below it."""
    for text in plugin_path:
        place = Path(text).expanduser()
        if not place.exists():
            log.warning("plugin.path names %s, which does not exist.", place)
            continue
        yield place
        if place.is_dir():
            yield from sorted(child for child in place.iterdir() if child.is_dir() or child.suffix == ".whl")


def _points_of(place: Path) -> Iterator[EntryPoint]:
    if (place / "pyproject.toml").is_file():
        yield from _tree_points(place / "pyproject.toml")
    if place.is_dir() or place.suffix == ".whl":
        for distribution in distributions(path=[str(place)]):
            yield from _distribution_points(distribution)


def _distribution_points(distribution: Distribution) -> Iterator[EntryPoint]:
    return (point for point in distribution.entry_points if point.group in _KIND_OF)


def _tree_points(file: Path) -> Iterator[EntryPoint]:
    try:
        project: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", file, error)
        return
    version = str(project.get("version", "unknown"))
    for group, names in project.get("entry-points", {}).items():
        if group in _KIND_OF:
            for name, value in names.items():
                yield TreePoint(name, value, group, version)
