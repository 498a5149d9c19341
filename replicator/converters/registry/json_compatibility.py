"""Whether JSON written for one schema is valid for another, by the rules of Confluent's registry. Pure.

`writer` is the schema that the data were written for, `reader` the one they are read with. As there, a
property added where the writer allowed any further property is incompatible: such data may exist already.
"""

from __future__ import annotations

import json
from typing import Any

from replicator.converters.registry.differences import Difference
from replicator.converters.registry.json_combined import criteria, matching
from replicator.converters.registry.json_containers import array_differences, object_differences
from replicator.converters.registry.json_limits import number_differences, string_differences
from replicator.converters.registry.json_messages import difference
from replicator.converters.registry.json_model import JsonDocument
from replicator.converters.registry.json_shapes import COMBINED, EMPTY, FALSE, Shape, shape_of


def differences(*, reader: JsonDocument, writer: JsonDocument) -> list[Difference]:
    """Why `reader` does not accept all that `writer` allows; empty if it does."""
    comparison = Comparison(reader, writer)
    return comparison.compare(
        comparison.new_shape(reader.root, reader.root), comparison.old_shape(writer.root, writer.root), ()
    )


class Comparison:
    """Two documents; only what is incompatible is noted."""

    def __init__(self, reader: JsonDocument, writer: JsonDocument) -> None:
        self._reader = reader
        self._writer = writer
        self._open: set[tuple[int, int, str]] = set()
        self._turned: Comparison | None = None

    def new_shape(self, node: Any, base: Any) -> Shape:
        """A node of the reader; shapes pass."""
        return node if isinstance(node, Shape) else shape_of(*self._reader.resolve(node, base))

    def old_shape(self, node: Any, base: Any) -> Shape:
        """A node of the writer; shapes pass."""
        return node if isinstance(node, Shape) else shape_of(*self._writer.resolve(node, base))

    def maybe(self, new: Shape | None, old: Shape | None, path: tuple[str, ...]) -> list[Difference]:
        """Compare schemas that may be absent: one more is a demand more."""
        if new is None:
            return []
        return [difference("SCHEMA_ADDED", path)] if old is None else self.compare(new, old, path)

    def compare(self, new: Shape, old: Shape, path: tuple[str, ...]) -> list[Difference]:
        """Why `new` does not accept all that `old` allows."""
        if COMBINED in (new.kind, old.kind) and new.kind != old.kind and self._is_part(new, old, path):
            return []
        if new.kind != old.kind:
            return [] if old.kind == FALSE or new.kind == EMPTY else [difference("TYPE_CHANGED", path)]
        # Shapes are made anew at each visit; a node's identity, with the part of it that is meant, is not.
        pair = (id(new.node), id(old.node), f"{_part(new)} {_part(old)}")
        if new.node and pair in self._open:
            return []
        self._open.add(pair)
        try:
            return self._of_kind(new, old, path)
        finally:
            self._open.discard(pair)

    def _is_part(self, new: Shape, old: Shape, path: tuple[str, ...]) -> bool:
        """Whether the alternative to a combination is compatible with a part of it."""
        if new.kind == COMBINED:
            if len(new.parts) > 1 and new.criterion == "allOf":
                return False
            return any(not self.compare(self.new_shape(p, new.base), old, path) for p in new.parts)
        if len(old.parts) > 1 and old.criterion != "allOf":
            return False
        return any(not self.compare(new, self.old_shape(p, old.base), path) for p in old.parts)

    def _of_kind(self, new: Shape, old: Shape, path: tuple[str, ...]) -> list[Difference]:
        match new.kind:
            case "string":
                return string_differences(new.node, old.node, path)
            case "number":
                return number_differences(new, old, path)
            case "enum":
                return _enum(new.node, old.node, path)
            case "not":
                return self._not(new, old, path)
            case "object":
                return object_differences(self, new, old, path)
            case "array":
                return array_differences(self, new, old, path)
            case "combined":
                return self._combined(new, old, path)
        return []

    def _not(self, new: Shape, old: Shape, path: tuple[str, ...]) -> list[Difference]:
        """What the reader forbids must have been forbidden: the other way round, with the sides exchanged."""
        below = (*path, "not")
        if self._turned is None:
            self._turned = Comparison(self._writer, self._reader)
            self._turned._turned = self
        forbidden = self._turned.compare(
            self.old_shape(old.node["not"], old.base), self.new_shape(new.node["not"], new.base), below
        )
        return [difference("NOT_TYPE_EXTENDED", below)] if forbidden else []

    def _combined(self, new: Shape, old: Shape, path: tuple[str, ...]) -> list[Difference]:
        found = criteria(new, old)
        if found is not None:
            return [difference(found, path)]
        ours = _distinct([self.new_shape(part, new.base) for part in new.parts])
        theirs = _distinct([self.old_shape(part, old.base) for part in old.parts])
        kinds: list[str] = []
        if len(theirs) < len(ours) and new.criterion == "allOf":
            kinds.append("PRODUCT_TYPE_EXTENDED")
        if len(theirs) > len(ours) and new.criterion != "allOf":
            kinds.append("SUM_TYPE_NARROWED")
        fits = [
            [not self.compare(n, o, (*path, old.criterion, str(index))) for n in ours]
            for index, o in enumerate(theirs)
        ]
        if matching(fits) < min(len(ours), len(theirs)):
            kinds.append("COMBINED_TYPE_SUBSCHEMAS_CHANGED")
        return [difference(kind, path) for kind in kinds]


def _part(shape: Shape) -> str:
    return f"{shape.kind} {shape.criterion} {shape.implied}"


def _enum(new: dict[str, Any], old: dict[str, Any], path: tuple[str, ...]) -> list[Difference]:
    ours, theirs = ({json.dumps(v, sort_keys=True) for v in node["enum"]} for node in (new, old))
    if theirs <= ours:
        return []
    kind = "ENUM_ARRAY_NARROWED" if ours <= theirs else "ENUM_ARRAY_CHANGED"
    return [difference(kind, (*path, "enum"))]


def _distinct(shapes: list[Shape]) -> list[Shape]:
    """Equal alternatives count once."""
    seen: dict[str, Shape] = {}
    for shape in shapes:
        text = json.dumps(shape.node, sort_keys=True)
        seen.setdefault(f"{shape.kind} {shape.criterion} {shape.integer} {text}", shape)
    return list(seen.values())
