"""Avro schemas from JSON text. Pure functions, any thread."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from replicator.api.errors import SchemaError
from replicator.converters.registry.avro_model import MISSING, NAMED, PRIMITIVES, AvroField, AvroNode

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OWN_MEMBERS: Final[dict[str, frozenset[str]]] = {
    "record": frozenset(("type", "name", "namespace", "doc", "aliases", "fields")),
    "error": frozenset(("type", "name", "namespace", "doc", "aliases", "fields")),
    "enum": frozenset(("type", "name", "namespace", "doc", "aliases", "symbols", "default")),
    "fixed": frozenset(("type", "name", "namespace", "doc", "aliases", "size")),
    "array": frozenset(("type", "items")),
    "map": frozenset(("type", "values")),
}
_FIELD_MEMBERS: Final = frozenset(("name", "type", "doc", "default", "order", "aliases"))


def parse(text: str, used: Iterable[str] = ()) -> AvroNode:
    """The tree of a schema's text; `used` are texts whose named types it may use.

    Raises:
        SchemaError: the text is no Avro schema.
    """
    return parse_with_names(text, used)[0]


def parse_with_names(text: str, used: Iterable[str]) -> tuple[AvroNode, dict[str, AvroNode]]:
    """The tree, and the named types that are defined in the used texts."""
    parser = _Parser()
    for other in used:
        parser.of_text(other)
    known = dict(parser.names)
    return parser.of_text(text), known


class _Parser:
    """Reads JSON into nodes; keeps the named types it met."""

    def __init__(self) -> None:
        self.names: dict[str, AvroNode] = {}

    def of_text(self, text: str) -> AvroNode:
        try:
            tree = json.loads(text)
        except ValueError:
            # A bare name is accepted as the name of a type.
            if not _NAME.fullmatch(text.strip()):
                raise SchemaError(f"Not JSON: {text[:200]}") from None
            tree = text.strip()
        except RecursionError as error:
            raise SchemaError("The schema is nested too deeply") from error
        return self.node(tree, None)

    def node(self, tree: Any, space: str | None) -> AvroNode:
        if isinstance(tree, str):
            return self._by_name(tree, space)
        if isinstance(tree, list):
            return self._union(tree, space)
        if not isinstance(tree, dict):
            raise SchemaError(f"No type: {json.dumps(tree)}")
        kind = tree.get("type")
        if isinstance(kind, (dict, list)):
            return self.node(kind, space)
        if kind in PRIMITIVES:
            return AvroNode(kind, props=_rest(tree, frozenset(("type",))))
        if kind in ("array", "map"):
            return self._container(kind, tree, space)
        if kind in NAMED:
            return self._named(kind, tree, space)
        if isinstance(kind, str):
            return self._by_name(kind, space)
        raise SchemaError(f"No type: {json.dumps(tree)[:200]}")

    def _by_name(self, name: str, space: str | None) -> AvroNode:
        if name in PRIMITIVES:
            return AvroNode(name)
        full = f"{space}.{name}" if space and "." not in name else name
        found = self.names.get(full) or self.names.get(name)
        if found is None:
            raise SchemaError(f'Undefined name: "{name}"')
        return found

    def _union(self, tree: list[Any], space: str | None) -> AvroNode:
        branches = [self.node(member, space) for member in tree]
        seen: set[str] = set()
        for branch in branches:
            if branch.type == "union":
                raise SchemaError("Nested union")
            identity = branch.name or branch.type
            if identity in seen:
                raise SchemaError(f"Duplicate in union: {identity}")
            seen.add(identity)
        return AvroNode("union", branches=branches)

    def _container(self, kind: str, tree: Mapping[str, Any], space: str | None) -> AvroNode:
        member = "items" if kind == "array" else "values"
        if member not in tree:
            raise SchemaError(f"No {member} type: {json.dumps(tree)[:200]}")
        inner = self.node(tree[member], space)
        return AvroNode(kind, inner=inner, props=_rest(tree, _OWN_MEMBERS[kind]))

    def _named(self, kind: str, tree: Mapping[str, Any], space: str | None) -> AvroNode:
        name = tree.get("name")
        if not isinstance(name, str):
            raise SchemaError(f"No name in schema: {json.dumps(tree)[:200]}")
        full = _full_name(name, tree.get("namespace"), space)
        check_name(full.rpartition(".")[2])
        if full in self.names:
            raise SchemaError(f"Can't redefine: {full}")
        node = self.names[full] = AvroNode(
            "record" if kind == "error" else kind,
            name=full,
            doc=tree.get("doc"),
            aliases=tuple(tree.get("aliases") or ()),
            props=_rest(tree, _OWN_MEMBERS[kind]),
        )
        own_space = full.rpartition(".")[0] or None
        if node.type == "record":
            node.fields = self._fields(tree, own_space)
        elif node.type == "enum":
            _fill_enum(node, tree)
        else:
            node.size = _size(tree)
        return node

    def _fields(self, tree: Mapping[str, Any], space: str | None) -> list[AvroField]:
        listed = tree.get("fields")
        if not isinstance(listed, list):
            raise SchemaError(f"Record has no fields: {json.dumps(tree)[:200]}")
        fields: list[AvroField] = []
        seen: set[str] = set()
        for entry in listed:
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise SchemaError(f"No field name: {json.dumps(entry)[:200]}")
            name = entry["name"]
            check_name(name)
            if name in seen:
                raise SchemaError(f"Duplicate field {name} in record")
            seen.add(name)
            if "type" not in entry:
                raise SchemaError(f"No field type: {json.dumps(entry)[:200]}")
            fields.append(
                AvroField(
                    name,
                    self.node(entry["type"], space),
                    entry.get("default", MISSING),
                    entry.get("doc"),
                    entry.get("order"),
                    tuple(entry.get("aliases") or ()),
                    _rest(entry, _FIELD_MEMBERS),
                )
            )
        return fields


def _fill_enum(node: AvroNode, tree: Mapping[str, Any]) -> None:
    symbols = tree.get("symbols")
    if not isinstance(symbols, list) or not all(isinstance(s, str) for s in symbols):
        raise SchemaError(f"Enum has no symbols: {json.dumps(tree)[:200]}")
    if len(set(symbols)) != len(symbols):
        raise SchemaError(f"Duplicate enum symbol in {node.name}")
    for symbol in symbols:
        check_name(symbol)
    node.symbols, node.default = tuple(symbols), tree.get("default")
    if node.default is not None and node.default not in symbols:
        raise SchemaError(f"The Enum Default: {node.default} is not in the enum symbol set: {symbols}")


def _size(tree: Mapping[str, Any]) -> int:
    size = tree.get("size")
    if not isinstance(size, int) or size < 0:
        raise SchemaError(f"Invalid or no size: {json.dumps(tree)[:200]}")
    return size


def check_name(name: str) -> None:
    """Raise unless the name is one Avro allows.

    Raises:
        SchemaError: it is not.
    """
    if not name:
        raise SchemaError("Empty name")
    if not (name[0].isalpha() or name[0] == "_"):
        raise SchemaError(f"Illegal initial character: {name}")
    if not all(c.isalnum() or c == "_" for c in name):
        raise SchemaError(f"Illegal character in: {name}")


def _full_name(name: str, space: Any, outer: str | None) -> str:
    if "." in name:
        return name.lstrip(".")
    inside = space if isinstance(space, str) else outer
    return f"{inside}.{name}" if inside else name


def _rest(tree: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {k: v for k, v in tree.items() if k not in known}
