"""Objects and arrays: content models, by the rules of Confluent's registry. Pure, any thread.

A content model is open when anything may stand beside what is listed, closed when nothing may, and partially open when
a pattern or a schema says what may.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from replicator.converters.registry.differences import Difference
from replicator.converters.registry.json_limits import Path, limits
from replicator.converters.registry.json_messages import difference
from replicator.converters.registry.json_shapes import EMPTY, FALSE, Shape


class Comparer(Protocol):
    """What compares the parts."""

    def compare(self, new: Shape, old: Shape, path: Path) -> list[Difference]: ...

    def maybe(self, new: Shape | None, old: Shape | None, path: Path) -> list[Difference]: ...

    def new_shape(self, node: Any, base: Any) -> Shape: ...

    def old_shape(self, node: Any, base: Any) -> Shape: ...


def object_differences(compare: Comparer, new: Shape, old: Shape, path: Path) -> list[Difference]:
    """Properties, what is required, dependencies, further properties, their number."""
    ours, theirs = _properties(compare.new_shape, new), _properties(compare.old_shape, old)
    found: list[Difference] = []
    required, was_required = _required(new), _required(old)
    for name in ours.keys() & theirs.keys() & required - was_required:
        if not ours[name].has_default:
            found.append(difference("REQUIRED_ATTRIBUTE_ADDED", (*path, "required", name)))
    for name in dict.fromkeys([*theirs, *ours]):
        where = (*path, "properties", name)
        if name not in ours:
            found += _property_removed(compare, new, theirs[name], name, where)
        elif name not in theirs:
            found += _property_added(compare, ours[name], old, name, where, required=name in required)
        else:
            found += compare.compare(ours[name], theirs[name], where)
    found += _dependencies(compare, new, old, (*path, "dependencies"))
    found += _further(
        compare,
        _beyond(compare.new_shape, new, "additionalProperties"),
        _beyond(compare.old_shape, old, "additionalProperties"),
        "ADDITIONAL_PROPERTIES",
        (*path, "additionalProperties"),
    )
    return found + limits(new.node, old.node, path, upper=("maxProperties",), lower=("minProperties",))


def array_differences(compare: Comparer, new: Shape, old: Shape, path: Path) -> list[Difference]:
    """Items, those at places, further ones, their number."""
    found = compare.maybe(_every(compare.new_shape, new), _every(compare.old_shape, old), (*path, "items"))
    ours, theirs = _places(compare.new_shape, new), _places(compare.old_shape, old)
    rest, old_rest = _rest(compare.new_shape, new), _rest(compare.old_shape, old)
    for index in range(max(len(ours), len(theirs))):
        where = (*path, "items", str(index))
        if index >= len(ours):
            found += _uncovered(compare, "ITEM_REMOVED", rest, theirs[index], where)
        elif index >= len(theirs):
            found += _item_added(compare, ours[index], old_rest, where)
        else:
            found += compare.compare(ours[index], theirs[index], where)
    found += _further(compare, rest, old_rest, "ADDITIONAL_ITEMS", (*path, "additionalItems"))
    found += limits(
        new.node, old.node, path, upper=("maxItems", "maxContains"), lower=("minItems", "minContains")
    )
    if new.node.get("uniqueItems") and not old.node.get("uniqueItems"):
        found.append(difference("UNIQUE_ITEMS_ADDED", (*path, "uniqueItems")))
    return found


def _properties(shape: Any, owner: Shape) -> dict[str, Shape]:
    listed = owner.node.get("properties") or {}
    return {name: shape(node, owner.base) for name, node in listed.items()}


def _required(owner: Shape) -> set[str]:
    found = owner.node.get("required")
    return set(found) if isinstance(found, list) else set()


def _beyond(shape: Any, owner: Shape, keyword: str) -> Shape | None:
    """What may stand beside what is listed: None is anything, a shape of kind `false` nothing."""
    node = owner.node.get(keyword, True)
    return None if node is True else shape(node, owner.base)


def _covering(shape: Any, owner: Shape, name: str) -> tuple[bool, Shape | None]:
    """Whether anything may stand there, else what may: None is nothing."""
    patterns = owner.node.get("patternProperties") or {}
    beyond = _beyond(shape, owner, "additionalProperties")
    if not patterns and beyond is None:
        return True, None
    for pattern, node in patterns.items():
        if re.search(pattern, name):
            return False, shape(node, owner.base)
    return False, None if beyond is None or beyond.kind == FALSE else beyond


def _property_removed(compare: Comparer, new: Shape, old: Shape, name: str, where: Path) -> list[Difference]:
    anything, covering = _covering(compare.new_shape, new, name)
    if anything:
        return []
    if covering is None:
        closed = "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"
        return [] if old.kind == FALSE else [difference(closed, where)]
    found = compare.compare(covering, old, where)
    uncovered = "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
    return [*found, difference(uncovered, where)] if found else []


def _property_added(
    compare: Comparer, new: Shape, owner: Shape, name: str, where: Path, *, required: bool
) -> list[Difference]:
    anything, covering = _covering(compare.old_shape, owner, name)
    if anything:
        if new.kind == EMPTY:
            return []
        kind = "OPTIONAL_PROPERTY"
        if required:
            kind = "REQUIRED_PROPERTY_WITH_DEFAULT" if new.has_default else "REQUIRED_PROPERTY"
        return [difference(f"{kind}_ADDED_TO_OPEN_CONTENT_MODEL", where)]
    found: list[Difference] = []
    if covering is not None:
        found = compare.compare(new, covering, where)
        if found:
            uncovered = "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            found = [*found, difference(uncovered, where)]
    if required and not new.has_default:
        found.append(difference("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", where))
    return found


def _further(
    compare: Comparer, new: Shape | None, old: Shape | None, name: str, where: Path
) -> list[Difference]:
    """What may stand beside what is listed must not become less."""
    nothing_now, nothing_before = (s is not None and s.kind == FALSE for s in (new, old))
    if nothing_now != nothing_before:
        return [difference(f"{name}_REMOVED", where)] if nothing_now else []
    if nothing_now or new is None:
        return []
    return [difference(f"{name}_NARROWED", where)] if old is None else compare.compare(new, old, where)


def _dependencies(compare: Comparer, new: Shape, old: Shape, path: Path) -> list[Difference]:
    found: list[Difference] = []
    ours, theirs = _dependent(new), _dependent(old)
    for name, demand in ours.items():
        where, before = (*path, name), theirs.get(name)
        if isinstance(demand, list):
            kind = _list_kind(set(demand), set(before) if isinstance(before, list) else None)
            if kind is not None:
                found.append(difference(f"DEPENDENCY_ARRAY_{kind}", where))
        elif before is None or isinstance(before, list):
            found.append(difference("DEPENDENCY_SCHEMA_ADDED", where))
        else:
            found += compare.compare(
                compare.new_shape(demand, new.base), compare.old_shape(before, old.base), where
            )
    return found


def _dependent(owner: Shape) -> dict[str, Any]:
    node = owner.node
    return {
        **(node.get("dependencies") or {}),
        **(node.get("dependentRequired") or {}),
        **(node.get("dependentSchemas") or {}),
    }


def _list_kind(ours: set[str], theirs: set[str] | None) -> str | None:
    if theirs is None:
        return "ADDED"
    if ours <= theirs:
        return None
    return "EXTENDED" if theirs < ours else "CHANGED"


def _has_places(owner: Shape) -> bool:
    return "prefixItems" in owner.node or isinstance(owner.node.get("items"), list)


def _places(shape: Any, owner: Shape) -> list[Shape]:
    """Schemas of the first items, one by one."""
    items = owner.node.get("items")
    listed = owner.node.get("prefixItems", items if isinstance(items, list) else ())
    return [shape(node, owner.base) for node in listed]


def _every(shape: Any, owner: Shape) -> Shape | None:
    """The schema of all items, where there is one for all."""
    if _has_places(owner) or "items" not in owner.node:
        return None
    made: Shape = shape(owner.node["items"], owner.base)
    return made


def _rest(shape: Any, owner: Shape) -> Shape | None:
    """What may follow the items that have a place of their own."""
    node = owner.node
    for keyword in ("items",) if "prefixItems" in node else ("additionalItems",):
        if keyword in node:
            return _beyond(shape, owner, keyword)
    return _beyond(shape, owner, "unevaluatedItems")


def _item_added(compare: Comparer, new: Shape, covering: Shape | None, where: Path) -> list[Difference]:
    if covering is None:
        open_model = "ITEM_ADDED_TO_OPEN_CONTENT_MODEL"
        return [] if new.kind == EMPTY else [difference(open_model, where)]
    if covering.kind == FALSE:
        return []
    found = compare.compare(new, covering, where)
    uncovered = "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
    return [*found, difference(uncovered, where)] if found else []


def _uncovered(
    compare: Comparer, kind: str, covering: Shape | None, old: Shape, where: Path
) -> list[Difference]:
    if covering is None:
        return []
    if covering.kind == FALSE:
        return [] if old.kind == FALSE else [difference(f"{kind}_FROM_CLOSED_CONTENT_MODEL", where)]
    found = compare.compare(covering, old, where)
    name = f"{kind}_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
    return [*found, difference(name, where)] if found else []
