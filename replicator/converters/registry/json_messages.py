"""What is wrong, in a registry's words: by the kind of difference. Pure, any thread."""

from __future__ import annotations

from typing import Final

from replicator.converters.registry.differences import Difference

_KEYWORD: Final = "The keyword at path '{path}' in the {reader} schema is not present in the {writer} schema"
_MORE: Final = (
    "The value at path '{path}' in the {reader} schema is more than its value in the {writer} schema"
)
_LESS: Final = (
    "The value at path '{path}' in the {reader} schema is less than its value in the {writer} schema"
)
_VALUE: Final = "The value at path '{path}' is different between the {reader} and {writer} schema"
_FEWER: Final = (
    "An array or combined type at path '{path}' has fewer elements in the {reader} schema than the"
    " {writer} schema"
)
_LONGER: Final = (
    "An array or combined type at path '{path}' has more elements in the {reader} schema than the"
    " {writer} schema"
)
_TYPE: Final = "A type at path '{path}' is different between the {reader} schema and the {writer} schema"
_OPEN: Final = (
    "The {reader} schema has an open content model and has a property or item at path '{path}' which is missing"
    " in the {writer} schema"
)
_UNOPEN: Final = (
    "The {reader} schema has an unopen content model and has a required property at path '{path}' which is missing"
    " in the {writer} schema"
)
_CLOSED: Final = (
    "The {reader} schema has a closed content model and is missing a property or item present at path '{path}'"
    " in the {writer} schema"
)
_REMOVED_UNCOVERED: Final = (
    "A property or item is missing in the {reader} schema but present at path '{path}' in the {writer} schema and is"
    " not covered by its partially open content model"
)
_ADDED_UNCOVERED: Final = (
    "The {reader} schema has a property or item at path '{path}' which is missing in the {writer} schema and is not"
    " covered by its partially open content model"
)
_EXACT: Final = {
    "ADDITIONAL_ITEMS_REMOVED": _KEYWORD,
    "ADDITIONAL_PROPERTIES_REMOVED": _KEYWORD,
    "UNEVALUATED_PROPERTIES_REMOVED": _KEYWORD,
    "UNEVALUATED_ITEMS_REMOVED": _KEYWORD,
    "MULTIPLE_OF_EXPANDED": _MORE,
    "PATTERN_CHANGED": _VALUE,
    "MULTIPLE_OF_CHANGED": _VALUE,
    "DEPENDENCY_ARRAY_CHANGED": _VALUE,
    "TYPE_CHANGED": _TYPE,
    "TYPE_NARROWED": _TYPE,
    "COMBINED_TYPE_CHANGED": _TYPE,
    "COMBINED_TYPE_SUBSCHEMAS_CHANGED": _TYPE,
    "ENUM_ARRAY_CHANGED": _TYPE,
    "DEPENDENCY_ARRAY_EXTENDED": _LONGER,
    "PRODUCT_TYPE_EXTENDED": _LONGER,
    "NOT_TYPE_EXTENDED": _LONGER,
    "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL": _UNOPEN,
    "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL": _CLOSED,
    "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL": _CLOSED,
    "SCHEMA_ADDED": "",
}
_ENDINGS: Final = (
    ("_ADDED_TO_OPEN_CONTENT_MODEL", _OPEN),
    ("_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", _REMOVED_UNCOVERED),
    ("_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", _ADDED_UNCOVERED),
    ("_INCREASED", _MORE),
    ("_DECREASED", _LESS),
    ("_NARROWED", _FEWER),
    ("_ADDED", _KEYWORD),
)


def difference(kind: str, path: tuple[str, ...]) -> Difference:
    """One that makes schemas incompatible."""
    text = _EXACT.get(kind)
    if text is None:
        text = next(words for ending, words in _ENDINGS if kind.endswith(ending))
    where = "#/" + "/".join(path)
    return Difference(kind, where, text.replace("{path}", where), None)
