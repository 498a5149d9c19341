"""Differences of two sides' records, as lines with their place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def differences(java: dict[str, list[Any]], ours: dict[str, list[Any]]) -> Iterator[tuple[str, str]]:
    """(place, what) of each difference."""
    for topic in sorted(set(java) | set(ours)):
        left, right = java.get(topic, []), ours.get(topic, [])
        if len(left) != len(right):
            yield f"{topic}#count", f"{len(left)} != {len(right)}"
        for number, (one, other) in enumerate(zip(left, right, strict=False)):
            for place, what in _compare(one, other):
                yield f"{topic}#{number}{place}", what


def _compare(one: Any, other: Any) -> Iterator[tuple[str, str]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            if name not in one:
                yield f".{name}", f"(none) != {_short(other[name])}"
            elif name not in other:
                yield f".{name}", f"{_short(one[name])} != (none)"
            else:
                yield from ((f".{name}{place}", what) for place, what in _compare(one[name], other[name]))
    elif _fields(one) and _fields(other):
        names = [field["field"] for field in one], [field["field"] for field in other]
        if names[0] != names[1]:
            yield ".names", f"{_short(names[0])} != {_short(names[1])}"
        by_name = {field["field"]: field for field in other}
        for field in one:
            if field["field"] in by_name:
                found = _compare(field, by_name[field["field"]])
                yield from ((f"[{field['field']}]{place}", what) for place, what in found)
    elif _pairs(one) and _pairs(other):
        names = [name for name, _ in one], [name for name, _ in other]
        if names[0] != names[1]:
            yield ".names", f"{_short(names[0])} != {_short(names[1])}"
        yield from _compare(
            {n: v for n, v in one if n in names[1]}, {n: v for n, v in other if n in names[0]}
        )
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from ((f"[{number}]{place}", what) for place, what in _compare(left, right))
    elif one != other or type(one) is not type(other):
        yield "", f"{_short(one)} != {_short(other)}"


def _fields(node: Any) -> bool:
    return isinstance(node, list) and bool(node) and all(isinstance(m, dict) and "field" in m for m in node)


def _pairs(node: Any) -> bool:
    return isinstance(node, list) and all(
        isinstance(m, list) and len(m) == 2 and isinstance(m[0], str) for m in node
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 200 else f"{text[:200]}..."
