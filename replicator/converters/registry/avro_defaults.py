"""Whether defaults in an Avro schema are values of their types; a registry refuses schemas where they are not. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from replicator.api.errors import SchemaError
from replicator.converters.registry.avro_model import MISSING, AvroNode
from replicator.converters.registry.avro_print import to_text


def check_defaults(node: AvroNode) -> None:
    """Look at every default.

    Raises:
        SchemaError: one does not fit its field.
    """
    _check(node, set())


def _check(node: AvroNode, seen: set[int]) -> None:
    if id(node) in seen:
        return
    seen.add(id(node))
    for field in node.fields:
        if field.default is not MISSING and not _fits(field.node, field.default):
            raise SchemaError(
                f"Invalid default for field {field.name}: {json.dumps(field.default)} not a {to_text(field.node)}"
            )
        _check(field.node, seen)
    for branch in node.branches:
        _check(branch, seen)
    if node.inner is not None:
        _check(node.inner, seen)


def _integer(bits: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and -(1 << bits) <= v < 1 << bits


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_PLAIN: Final[dict[str, Callable[[Any], bool]]] = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "int": _integer(31),
    "long": _integer(63),
    "float": _number,
    "double": _number,
    "string": lambda v: isinstance(v, str),
    "bytes": lambda v: isinstance(v, str),
    "enum": lambda v: isinstance(v, str),
    "fixed": lambda v: isinstance(v, str),
}


def _fits(node: AvroNode, value: Any) -> bool:
    if node.type == "union":
        return any(_fits(b, value) for b in node.branches)
    if node.type == "array":
        return isinstance(value, list) and all(_fits(node.content(), v) for v in value)
    if node.type == "map":
        return isinstance(value, dict) and all(_fits(node.content(), v) for v in value.values())
    if node.type == "record":
        return isinstance(value, dict) and all(
            _fits(f.node, value.get(f.name, f.default)) for f in node.fields
        )
    return _PLAIN[node.type](value)
