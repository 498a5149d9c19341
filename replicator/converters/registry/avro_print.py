"""Avro schemas as text in Avro's own form. Pure functions, any thread.

Printing gives the member order and the shortest names of Avro's Java library, which registries compare.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from replicator.converters.registry.avro_model import MISSING, PRIMITIVES, AvroField, AvroNode

_FIRST: Final = (
    "type",
    "name",
    "namespace",
    "doc",
    "fields",
    "symbols",
    "items",
    "values",
    "size",
    "default",
)


def to_text(node: AvroNode, known: Mapping[str, AvroNode] = MappingProxyType({})) -> str:
    """The schema's text, compact; types in `known` are defined elsewhere and named only."""
    return json.dumps(to_tree(node, known), separators=(",", ":"), ensure_ascii=False)


def to_tree(node: AvroNode, known: Mapping[str, AvroNode] = MappingProxyType({})) -> Any:
    """The schema as JSON values."""
    return _Printer(known).tree(node, None)


class _Printer:
    """Prints a named type in full once, then by name."""

    def __init__(self, known: Mapping[str, AvroNode]) -> None:
        self.printed = dict(known)

    def tree(self, node: AvroNode, space: str | None) -> Any:
        if node.type == "union":
            return [self.tree(b, space) for b in node.branches]
        if node.type in PRIMITIVES:
            return {"type": node.type, **node.props} if node.props else node.type
        if node.type == "array":
            return {"type": "array", "items": self.tree(node.content(), space), **node.props}
        if node.type == "map":
            return {"type": "map", "values": self.tree(node.content(), space), **node.props}
        return self._named(node, space)

    def _named(self, node: AvroNode, space: str | None) -> Any:
        full = str(node.name)
        own = full.rpartition(".")[0] or None
        if self.printed.get(full) is node:
            return node.short_name if own == space else full
        self.printed[full] = node
        made: dict[str, Any] = {"type": node.type, "name": node.short_name}
        if own != space:
            made["namespace"] = own or ""
        if node.doc is not None:
            made["doc"] = node.doc
        if node.type == "record":
            made["fields"] = [self._field(f, own) for f in node.fields]
        elif node.type == "enum":
            made["symbols"] = list(node.symbols)
            if node.default is not None:
                made["default"] = node.default
        else:
            made["size"] = node.size
        made |= node.props
        if node.aliases:
            made["aliases"] = list(node.aliases)
        return made

    def _field(self, one: AvroField, space: str | None) -> dict[str, Any]:
        made: dict[str, Any] = {"name": one.name, "type": self.tree(one.node, space)}
        if one.doc is not None:
            made["doc"] = one.doc
        if one.default is not MISSING:
            made["default"] = one.default
        if one.order is not None and one.order != "ascending":
            made["order"] = one.order
        if one.aliases:
            made["aliases"] = list(one.aliases)
        return made | one.props


def normalised(node: AvroNode, known: Mapping[str, AvroNode] = MappingProxyType({})) -> str:
    """The text registries compare when asked to normalise: members that mean nothing are in a fixed order."""
    return json.dumps(_sorted_props(to_tree(node, known)), separators=(",", ":"), ensure_ascii=False)


def _sorted_props(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_sorted_props(t) for t in tree]
    if not isinstance(tree, dict):
        return tree
    made: dict[str, Any] = {}
    for member in (*(m for m in _FIRST if m in tree), *sorted(k for k in tree if k not in _FIRST)):
        value = tree[member]
        nested = member in ("fields", "items", "values", "type")
        made[member] = _sorted_props(value) if nested else _sorted_values(value)
    return made


def _sorted_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _sorted_values(value[k]) for k in sorted(value)}
    return value
