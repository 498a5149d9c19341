"""Whether JSON written for one schema is valid for another, by the rules of Confluent's registry. Pure.

`writer` is the schema that the data were written for, `reader` the one they are read with. As there, a
property added where the writer allowed any further property is incompatible: such data may exist already.
"""

from __future__ import annotations

import json
from typing import Any, Final

from replicator.converters.registry.differences import Difference
from replicator.converters.registry.json_model import JsonDocument, types_of

_UPPER: Final = (
    ("maxLength", "MAX_LENGTH"),
    ("maximum", "MAXIMUM"),
    ("exclusiveMaximum", "EXCLUSIVE_MAXIMUM"),
    ("maxItems", "MAX_ITEMS"),
    ("maxProperties", "MAX_PROPERTIES"),
)
_LOWER: Final = (
    ("minLength", "MIN_LENGTH"),
    ("minimum", "MINIMUM"),
    ("exclusiveMinimum", "EXCLUSIVE_MINIMUM"),
    ("minItems", "MIN_ITEMS"),
    ("minProperties", "MIN_PROPERTIES"),
)
_COMBINED: Final = ("oneOf", "anyOf", "allOf")


def differences(*, reader: JsonDocument, writer: JsonDocument) -> list[Difference]:
    """Why `reader` does not accept all that `writer` allows; empty if it does."""
    return _Comparison(reader, writer).compare(reader.root, reader.root, writer.root, writer.root, "#/")


class _Comparison:
    def __init__(self, reader: JsonDocument, writer: JsonDocument) -> None:
        self._reader = reader
        self._writer = writer
        self._open: set[tuple[int, int]] = set()

    def compare(self, new: Any, new_base: Any, old: Any, old_base: Any, path: str) -> list[Difference]:
        new, new_base = self._reader.resolve(new, new_base)
        old, old_base = self._writer.resolve(old, old_base)
        pair = (id(new), id(old))
        if pair in self._open or new is True or new == {} or old is False:
            return []
        if new is False:
            return [_difference("TYPE_NARROWED", path, "allows nothing, which is not so in")]
        self._open.add(pair)
        try:
            old_node = old if isinstance(old, dict) else {}
            return self._compare(new, new_base, old_node, old_base, path)
        finally:
            self._open.discard(pair)

    def _compare(
        self, new: dict[str, Any], new_base: Any, old: dict[str, Any], old_base: Any, path: str
    ) -> list[Difference]:
        combined = self._combined(new, new_base, old, old_base, path)
        if combined is not None:
            return combined
        found = _types(new, old, path)
        if found:
            return found
        found = [*_values(new, old, path), *_limits(new, old, path)]
        types = types_of(old)
        if "array" in types:
            found += self._arrays(new, new_base, old, old_base, path)
        if "object" in types:
            found += self._objects(new, new_base, old, old_base, path)
        return found

    def _combined(
        self, new: dict[str, Any], new_base: Any, old: dict[str, Any], old_base: Any, path: str
    ) -> list[Difference] | None:
        new_members, old_members = _members(new), _members(old)
        if new_members is None and old_members is None:
            return None
        new_kind, new_list = new_members or ("oneOf", [new])
        old_kind, old_list = old_members or ("oneOf", [old])
        if new_kind == "allOf":
            # Every demand must already have been one, or follow from one.
            return [
                d
                for member in new_list
                for d in self._any(
                    [(member, o) for o in old_list], new_base, old_base, path, "PRODUCT_TYPE_EXTENDED"
                )
            ]
        if old_kind == "allOf":
            pairs = [(n, o) for n in new_list for o in old_list]
            return self._any(pairs, new_base, old_base, path, "COMBINED_TYPE_CHANGED")
        kind = "SUM_TYPE_NARROWED" if old_members else "TYPE_NARROWED"
        return [
            d
            for member in old_list
            for d in self._any([(n, member) for n in new_list], new_base, old_base, path, kind)
        ]

    def _any(
        self, pairs: list[tuple[Any, Any]], new_base: Any, old_base: Any, path: str, kind: str
    ) -> list[Difference]:
        if any(not self.compare(n, new_base, o, old_base, path) for n, o in pairs):
            return []
        return [_difference(kind, path, "does not accept every alternative of")]

    def _arrays(
        self, new: dict[str, Any], new_base: Any, old: dict[str, Any], old_base: Any, path: str
    ) -> list[Difference]:
        found: list[Difference] = []
        if new.get("uniqueItems") and not old.get("uniqueItems"):
            found.append(
                _difference("UNIQUE_ITEMS_ADDED", f"{path}uniqueItems", "demands unique items, unlike")
            )
        items = new.get("items", True)
        if not isinstance(items, list) and not isinstance(old.get("items"), list):
            found += self.compare(items, new_base, old.get("items", True), old_base, f"{path}items/")
        elif items != old.get("items"):
            found.append(
                _difference("ITEM_ADDED_TO_CLOSED_CONTENT_MODEL", f"{path}items", "has other items than")
            )
        return found

    def _objects(
        self, new: dict[str, Any], new_base: Any, old: dict[str, Any], old_base: Any, path: str
    ) -> list[Difference]:
        found: list[Difference] = []
        ours, theirs = new.get("properties") or {}, old.get("properties") or {}
        open_new, open_old = new.get("additionalProperties", True), old.get("additionalProperties", True)
        required, was_required = set(new.get("required") or ()), set(old.get("required") or ())
        for name, node in ours.items():
            where = f"{path}properties/{name}"
            if name in theirs:
                found += self.compare(node, new_base, theirs[name], old_base, f"{where}/")
                if name in required and name not in was_required and not _has_default(node):
                    text = f"demands the property '{name}' at path '{path}required', which is optional in"
                    found.append(_raw("REQUIRED_ATTRIBUTE_ADDED", where, text, name))
            elif open_old is not False:
                found += self._added_to_open(node, new_base, open_old, old_base, where, name)
            elif name in required and not _has_default(node):
                text = (
                    f"has an unopen content model and has a required property '{name}' at path '{path}' "
                    "which is missing in"
                )
                found.append(_raw("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", where, text, name))
        for name, node in theirs.items():
            if name not in ours:
                found += self._removed(node, old_base, open_new, new_base, f"{path}properties/{name}", name)
        if open_new is False and open_old is not False:
            found.append(
                _difference(
                    "ADDITIONAL_PROPERTIES_REMOVED", f"{path}additionalProperties", "is closed, unlike"
                )
            )
        elif isinstance(open_new, dict):
            found += self.compare(open_new, new_base, open_old, old_base, f"{path}additionalProperties/")
        return found

    def _added_to_open(
        self, node: Any, new_base: Any, allowed: Any, old_base: Any, where: str, name: str
    ) -> list[Difference]:
        if not self.compare(node, new_base, allowed, old_base, f"{where}/"):
            return []
        kind = "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
        if isinstance(allowed, dict):
            kind = "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
        text = f"has a property '{name}' at path '{where}' that the open content model allows as anything in"
        return [_raw(kind, where, text, name)]

    def _removed(
        self, node: Any, old_base: Any, allowed: Any, new_base: Any, where: str, name: str
    ) -> list[Difference]:
        if allowed is True or (allowed is False and node is False):
            return []
        if allowed is not False and not self.compare(allowed, new_base, node, old_base, f"{where}/"):
            return []
        kind = (
            "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"
            if allowed is False
            else "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
        )
        return [_raw(kind, where, f"has a closed content model and lacks the property '{name}' of", name)]


def _members(node: dict[str, Any]) -> tuple[str, list[Any]] | None:
    for kind in _COMBINED:
        if isinstance(node.get(kind), list):
            return kind, node[kind]
    listed = node.get("type")
    if isinstance(listed, list):
        return "anyOf", [{**node, "type": one} for one in listed]
    return None


def _types(new: dict[str, Any], old: dict[str, Any], path: str) -> list[Difference]:
    ours, theirs = types_of(new), types_of(old)
    if ours >= theirs or (theirs - ours == {"integer"} and "number" in ours):
        return []
    kind = "TYPE_NARROWED" if ours & theirs or ("integer" in ours and "number" in theirs) else "TYPE_CHANGED"
    return [_difference(kind, path, "has another type than")]


def _values(new: dict[str, Any], old: dict[str, Any], path: str) -> list[Difference]:
    allowed = _listed(new)
    if allowed is not None:
        before = _listed(old)
        if before is None or not before <= allowed:
            return [_difference("ENUM_ARRAY_NARROWED", f"{path}enum", "allows fewer values than")]
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        kind = "PATTERN_CHANGED" if "pattern" in old else "PATTERN_ADDED"
        return [_difference(kind, f"{path}pattern", "has another pattern than")]
    step, before_step = new.get("multipleOf"), old.get("multipleOf")
    if step is not None and (before_step is None or before_step % step != 0):
        return [_difference("MULTIPLE_OF_CHANGED", f"{path}multipleOf", "has another multipleOf than")]
    return []


def _listed(node: dict[str, Any]) -> set[str] | None:
    if "const" in node:
        return {json.dumps(node["const"], sort_keys=True)}
    if isinstance(node.get("enum"), list):
        return {json.dumps(v, sort_keys=True) for v in node["enum"]}
    return None


def _limits(new: dict[str, Any], old: dict[str, Any], path: str) -> list[Difference]:
    found: list[Difference] = []
    for limits, sign in ((_UPPER, 1), (_LOWER, -1)):
        for member, kind in limits:
            ours, theirs = new.get(member), old.get(member)
            if not isinstance(ours, (int, float)) or isinstance(ours, bool):
                continue
            if not isinstance(theirs, (int, float)):
                found.append(_difference(f"{kind}_ADDED", f"{path}{member}", f"limits {member}, unlike"))
            elif sign * ours < sign * theirs:
                change = "DECREASED" if sign > 0 else "INCREASED"
                found.append(
                    _difference(f"{kind}_{change}", f"{path}{member}", f"has a narrower {member} than")
                )
    return found


def _has_default(node: Any) -> bool:
    return isinstance(node, dict) and "default" in node


def _difference(kind: str, path: str, what: str) -> Difference:
    return Difference(kind, path, f"The {{reader}} schema {what} the {{writer}} schema at path '{path}'")


def _raw(kind: str, path: str, what: str, info: str) -> Difference:
    return Difference(kind, path, f"The {{reader}} schema {what} the {{writer}} schema", info)
