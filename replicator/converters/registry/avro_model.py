"""Avro schemas as a tree: parsed from JSON text, printed in Avro's own form. Pure functions, any thread.

Named types are one node however often they are used, so a recursive schema is a graph. Printing
gives the member order and the shortest names of Avro's Java library, which registries compare.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from replicator.api.errors import SchemaError

PRIMITIVES: Final = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
NAMED: Final = frozenset(("record", "error", "enum", "fixed"))
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
MISSING: Final = object()
"""Stands for a default that is not there."""


@dataclass(eq=False, slots=True)
class AvroField:
    """A field of a record; `default` is the JSON value or MISSING."""

    name: str
    node: AvroNode
    default: Any = MISSING
    doc: str | None = None
    order: str | None = None
    aliases: tuple[str, ...] = ()
    props: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class AvroNode:
    """One type.

    Attributes:
        type: its kind; `union` for unions.
        name: full name of a record, enum or fixed.
        fields: of a record.
        inner: element of an array, value of a map.
        branches: of a union.
        symbols: of an enum.
        size: of a fixed.
        props: members that Avro does not know, and logicalType, scale and precision.
    """

    type: str
    name: str | None = None
    doc: str | None = None
    aliases: tuple[str, ...] = ()
    fields: list[AvroField] = field(default_factory=list)
    inner: AvroNode | None = None
    branches: list[AvroNode] = field(default_factory=list)
    symbols: tuple[str, ...] = ()
    default: str | None = None
    size: int = 0
    props: dict[str, Any] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """The name without its namespace."""
        return (self.name or "").rpartition(".")[2]

    def field_named(self, name: str) -> AvroField | None:
        """The record's field of this name."""
        return next((f for f in self.fields if f.name == name), None)

    def content(self) -> AvroNode:
        """The contained type.

        Raises:
            SchemaError: there is none.
        """
        if self.inner is None:
            raise SchemaError(f"An Avro {self.type} does not say what it contains")
        return self.inner


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
