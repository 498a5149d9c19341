"""Which kind of schema a node of a JSON Schema is, as registries see it that load it into classes. Pure, any thread.

A node with several independent demands is one schema with all of them as parts: `{"type": "string", "enum": [...]}` is
an `allOf` of a text and a list of values. Compatibility is decided kind by kind, so this is half of its rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

EMPTY: Final = "empty"
FALSE: Final = "false"
COMBINED: Final = "combined"
_SCALARS: Final = {"integer": "number", "number": "number"}
_CRITERIA: Final = ("allOf", "anyOf", "oneOf")
_SNIFFED: Final = {
    "array": (
        "items", "additionalItems", "prefixItems", "unevaluatedItems", "minItems", "maxItems", "uniqueItems",
        "contains", "minContains", "maxContains",
    ),
    "object": (
        "properties", "required", "minProperties", "maxProperties", "dependencies", "dependentRequired",
        "dependentSchemas", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames",
    ),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
}  # fmt: skip
_CONDITIONS: Final = ("if", "then", "else")


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """One schema.

    Attributes:
        kind: empty, false, combined, string, number, boolean, null, array, object, enum, const, not, conditional.
        node: where its keywords are.
        base: the document that its references are relative to.
        criterion: of a combined one: allOf, anyOf or oneOf.
        parts: of a combined one: nodes that are not looked at yet, or shapes.
        integer: of a number: whether only whole ones are allowed.
        implied: whether nobody wrote the combination: a node has several demands, or a list of types.
    """

    kind: str
    node: dict[str, Any]
    base: Any
    criterion: str = ""
    parts: tuple[Any, ...] = field(default=())
    integer: bool = False
    implied: bool = False

    @property
    def has_default(self) -> bool:
        """Whether a missing value is filled in."""
        return "default" in self.node


def shape_of(node: Any, base: Any) -> Shape:
    """The schema of a node whose reference was followed already."""
    if node is False:
        return Shape(FALSE, {}, base)
    if not isinstance(node, dict):
        return Shape(EMPTY, {}, base)
    found = list(_demands(node, base))
    if not found:
        return Shape(EMPTY, node, base)
    if len(found) == 1:
        return found[0]
    return Shape(COMBINED, node, base, "allOf", tuple(found), implied=True)


def _demands(node: dict[str, Any], base: Any) -> Iterator[Shape]:
    if "enum" in node:
        yield Shape("enum", node, base)
    for criterion in _CRITERIA:
        if isinstance(node.get(criterion), list):
            yield Shape(COMBINED, node, base, criterion, tuple(node[criterion]))
    if "not" in node:
        yield Shape("not", node, base)
    if "const" in node:
        yield Shape("const", node, base)
    typed = node.get("type")
    if isinstance(typed, str):
        yield _typed(typed, node, base)
    elif isinstance(typed, list):
        parts = tuple(_typed(one, node, base) for one in typed)
        yield Shape(COMBINED, node, base, "anyOf", parts, implied=True)
    listed = {_SCALARS.get(t, t) for t in ([typed] if isinstance(typed, str) else typed or ())}
    for kind, keywords in _SNIFFED.items():
        if kind not in listed and any(keyword in node for keyword in keywords):
            yield Shape(kind, node, base)
    if any(keyword in node for keyword in _CONDITIONS):
        yield Shape("conditional", node, base)


def _typed(name: str, node: dict[str, Any], base: Any) -> Shape:
    return Shape(_SCALARS.get(name, name), node, base, integer=name == "integer")
