"""Classes and versions of a task's plugins, for the info metrics (any thread; imports what it names)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replicator.api.errors import ConnectError
from replicator.plugins.factory import aliases
from replicator.plugins.registry import Registry
from replicator.runtime.java_names import class_name


def plugin_info(
    registry: Registry, config: Mapping[str, Any], worker: Mapping[str, Any], task_class: type
) -> dict[str, Any]:
    """`{"task": labels, "transforms": [labels ...], "predicates": [labels ...]}`; what is not known is empty."""
    name = str(config.get("connector.class", ""))
    kind, connector = _connector(registry, name)
    version = _version(connector)
    task = {
        "connector_class": _class(connector, name),
        "connector_type": kind,
        "connector_version": version,
        "task_class": class_name(task_class),
        "task_version": version,
    }
    for part, group in (("key", "converter"), ("value", "converter"), ("header", "header_converter")):
        option = f"{part}.converter"
        chosen = str(config.get(option) or worker.get(option) or "")
        found = _find(registry, group, chosen)
        task |= {
            f"{part}_converter_class": _class(found, chosen),
            f"{part}_converter_version": _version(found),
        }
    return {
        "task": task,
        "transforms": _steps(registry, config, "transform", "transformation"),
        "predicates": _steps(registry, config, "predicate", "predicate"),
    }


def _steps(registry: Registry, config: Mapping[str, Any], word: str, kind: str) -> list[dict[str, str]]:
    steps = []
    for alias in aliases(config, f"{word}s"):
        name = str(config.get(f"{word}s.{alias}.type", ""))
        found = _find(registry, kind, name)
        steps.append({word: alias, f"{word}_class": _class(found, name), f"{word}_version": _version(found)})
    return steps


def _connector(registry: Registry, name: str) -> tuple[str, type | None]:
    try:
        return registry.connector(name)
    except ConnectError:
        return "unknown", None


def _find(registry: Registry, kind: str, name: str) -> type | None:
    try:
        return registry.find(kind, name) if name else None
    except ConnectError:
        return None


def _class(found: type | None, name: str) -> str:
    return name if found is None else class_name(found)


def _version(found: Any) -> str:
    """A plugin's own version, else this program's, of which it is a part."""
    if found is None:
        return ""
    version = getattr(found, "version", None)
    if callable(version):
        return str(version())
    from replicator import __version__

    return __version__ if found.__module__.startswith(("replicator.", "connectors.")) else "undefined"
