"""Limits of texts and numbers, and of how many there may be: what has become narrower. Pure, any thread."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from replicator.converters.registry.differences import Difference
from replicator.converters.registry.json_messages import difference
from replicator.converters.registry.json_shapes import Shape

Path = tuple[str, ...]


def limits(
    new: dict[str, Any], old: dict[str, Any], path: Path, *, upper: Iterable[str], lower: Iterable[str]
) -> list[Difference]:
    """Upper limits must not be added or decreased, lower ones not be added or increased."""
    return [
        *_limited(new, old, path, upper, sign=1, change="DECREASED"),
        *_limited(new, old, path, lower, sign=-1, change="INCREASED"),
    ]


def _limited(
    new: dict[str, Any], old: dict[str, Any], path: Path, names: Iterable[str], *, sign: int, change: str
) -> list[Difference]:
    found: list[Difference] = []
    for name in names:
        ours, theirs = _number(new.get(name)), _number(old.get(name))
        if ours is None:
            continue
        if theirs is None:
            found.append(difference(f"{_upper(name)}_ADDED", (*path, name)))
        elif sign * ours < sign * theirs:
            found.append(difference(f"{_upper(name)}_{change}", (*path, name)))
    return found


def string_differences(new: dict[str, Any], old: dict[str, Any], path: Path) -> list[Difference]:
    """Lengths and pattern."""
    found = limits(new, old, path, upper=("maxLength",), lower=("minLength",))
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        kind = "PATTERN_CHANGED" if "pattern" in old else "PATTERN_ADDED"
        found.append(difference(kind, (*path, "pattern")))
    return found


def number_differences(new: Shape, old: Shape, path: Path) -> list[Difference]:
    """Limits, steps, and whole numbers where any number was allowed."""
    found = limits(
        _bounds(new.node),
        _bounds(old.node),
        path,
        upper=("maximum", "exclusiveMaximum"),
        lower=("minimum", "exclusiveMinimum"),
    )
    step, before = _number(new.node.get("multipleOf")), _number(old.node.get("multipleOf"))
    if step is not None and step != before:
        kind = "MULTIPLE_OF_ADDED" if before is None else _step_kind(int(step), int(before))
        if kind is not None:
            found.append(difference(kind, (*path, "multipleOf")))
    if new.integer and not old.integer:
        found.append(difference("TYPE_NARROWED", path))
    return found


def _step_kind(step: int, before: int) -> str | None:
    """Whole parts are compared, as registries do; a step below one changes whatever it is."""
    if before and step % before == 0:
        return "MULTIPLE_OF_EXPANDED"
    return None if step and before % step == 0 else "MULTIPLE_OF_CHANGED"


def _bounds(node: dict[str, Any]) -> dict[str, Any]:
    """Draft 4 says `"exclusiveMaximum": true` beside a maximum that is itself excluded."""
    found = dict(node)
    for plain, exclusive in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if node.get(exclusive) is True:
            found[exclusive] = found.pop(plain, None)
    return found


def _number(value: Any) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _upper(name: str) -> str:
    return "".join(f"_{c}" if c.isupper() else c for c in name).upper()
