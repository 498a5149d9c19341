"""Pairs of JSON Schemas and what keeps the second one from reading data of the first."""

import pytest

from replicator.converters.registry.model import JSON
from tests.unit.converters.registry.schema_pairs import INT, TEXT, closed, kinds, open_


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (INT, {"type": "number"}, []),
        ({"type": "number"}, INT, ["TYPE_NARROWED"]),
        (INT, TEXT, ["TYPE_CHANGED"]),
        (open_(a=INT), open_(a=INT, b=TEXT), ["OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"]),
        (closed(a=INT), closed(a=INT, b=TEXT), []),
        (
            closed(a=INT),
            {**closed(a=INT, b=TEXT), "required": ["b"]},
            ["REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"],
        ),
        (closed(a=INT), {**closed(a=INT, b={**TEXT, "default": ""}), "required": ["b"]}, []),
        (open_(a=INT, b=TEXT), open_(a=INT), []),
        (closed(a=INT, b=TEXT), closed(a=INT), ["PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"]),
        (open_(a=INT), closed(a=INT), ["ADDITIONAL_PROPERTIES_REMOVED"]),
        (open_(a=INT), {**open_(a=INT), "required": ["a"]}, ["REQUIRED_ATTRIBUTE_ADDED"]),
        (open_(a=INT), open_(a={"oneOf": [{"type": "null"}, INT]}), []),
        (open_(a={"oneOf": [{"type": "null"}, INT]}), open_(a=INT), ["TYPE_CHANGED"]),
        ({"type": ["null", "string"]}, {"oneOf": [{"type": "null"}, TEXT]}, ["COMBINED_TYPE_CHANGED"]),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, []),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, ["ENUM_ARRAY_NARROWED"]),
        (TEXT, {**TEXT, "maxLength": 5}, ["MAX_LENGTH_ADDED"]),
        ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 5}, ["MAX_LENGTH_DECREASED"]),
        ({**TEXT, "maxLength": 5}, {**TEXT, "maxLength": 9}, []),
        ({**INT, "minimum": 1}, {**INT, "minimum": 2}, ["MINIMUM_INCREASED"]),
        ({"type": "array", "items": INT}, {"type": "array", "items": TEXT}, ["TYPE_CHANGED"]),
        ({"definitions": {"x": INT}, **open_(a={"$ref": "#/definitions/x"})}, open_(a=INT), []),
        (
            {"definitions": {"x": INT}, **open_(a={"$ref": "#/definitions/x"})},
            open_(a=TEXT),
            ["TYPE_CHANGED"],
        ),
    ],
)
def test_json(old, new, expected):
    assert kinds(JSON, old, new) == expected


ARRAY = {"type": "array"}
NUMBER = {"type": "number"}
NULL = {"type": "null"}
PARTLY = "NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"


def one_of(*parts, kind="oneOf"):
    return {kind: list(parts)}


def depends(*names):
    return {**open_(), "dependencies": {"a": list(names)}}


def matching(text, schema, **properties):
    return {**closed(**properties), "patternProperties": {text: schema}}


def places(*items, **more):
    return {**ARRAY, "items": list(items), **more}


def limited(kind, name, less, more, *, upper):
    """The four changes of a limit, and which of them are incompatible."""
    upper_name = "".join(f"_{c}" if c.isupper() else c for c in name).upper()
    narrower, wider = ({name: less}, {name: more}) if upper else ({name: more}, {name: less})
    base = {"type": kind}
    changed = f"{upper_name}_{'DECREASED' if upper else 'INCREASED'}"
    return [
        (base, {**base, **narrower}, [f"{upper_name}_ADDED"]),
        ({**base, **narrower}, base, []),
        ({**base, **wider}, {**base, **narrower}, [changed]),
        ({**base, **narrower}, {**base, **wider}, []),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        *limited("string", "maxLength", 5, 9, upper=True),
        *limited("string", "minLength", 5, 9, upper=False),
        *limited("number", "maximum", 1.5, 9, upper=True),
        *limited("number", "minimum", 1.5, 9, upper=False),
        *limited("integer", "exclusiveMaximum", 5, 9, upper=True),
        *limited("integer", "exclusiveMinimum", 5, 9, upper=False),
        *limited("object", "maxProperties", 5, 9, upper=True),
        *limited("object", "minProperties", 5, 9, upper=False),
        *limited("array", "maxItems", 5, 9, upper=True),
        *limited("array", "minItems", 5, 9, upper=False),
        # without a type the keywords tell it
        ({"maxLength": 9}, {"maxLength": 5}, ["MAX_LENGTH_DECREASED"]),
        ({"properties": {}}, {}, []),
        ({}, {"properties": {}}, ["TYPE_CHANGED"]),
        (False, INT, []),
        (INT, False, ["TYPE_CHANGED"]),
        (INT, True, []),
        # texts and numbers
        (TEXT, {**TEXT, "pattern": "a"}, ["PATTERN_ADDED"]),
        ({**TEXT, "pattern": "a"}, {**TEXT, "pattern": "b"}, ["PATTERN_CHANGED"]),
        ({**TEXT, "pattern": "a"}, TEXT, []),
        (NUMBER, {**NUMBER, "multipleOf": 2}, ["MULTIPLE_OF_ADDED"]),
        ({**NUMBER, "multipleOf": 10}, {**NUMBER, "multipleOf": 2}, []),
        ({**NUMBER, "multipleOf": 2}, {**NUMBER, "multipleOf": 10}, ["MULTIPLE_OF_EXPANDED"]),
        ({**NUMBER, "multipleOf": 10}, {**NUMBER, "multipleOf": 11}, ["MULTIPLE_OF_CHANGED"]),
        # lists of values
        ({"enum": ["a"]}, {"enum": ["b"]}, ["ENUM_ARRAY_CHANGED"]),
        ({**TEXT, "enum": ["a"]}, TEXT, []),
        (TEXT, {**TEXT, "enum": ["a"]}, ["TYPE_CHANGED"]),
        ({**TEXT, "enum": ["a"]}, {**TEXT, "enum": ["a", "b"]}, []),
        ({**TEXT, "enum": ["a", "b"]}, {**TEXT, "enum": ["a"]}, ["COMBINED_TYPE_SUBSCHEMAS_CHANGED"]),
        ({"const": 1}, {"const": 2}, []),  # registries look at the kind only
        # not
        ({"not": NUMBER}, {"not": INT}, []),
        ({"not": INT}, {"not": NUMBER}, ["NOT_TYPE_EXTENDED"]),
        # objects
        (open_(a=INT), open_(a=INT, b={}), []),
        (open_(a=INT), {**open_(a=INT, b=TEXT), "required": ["b"]}, ["REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"]),
        (open_(a=INT), {**open_(a=INT), "required": ["zz"]}, []),  # of what is no property, nothing is said
        ({**open_(a=INT), "required": ["a"]}, open_(a=INT), []),
        (open_(a=INT), {**open_(a={**INT, "default": 1}), "required": ["a"]}, []),
        (closed(a=INT, b=False), closed(a=INT), []),
        (closed(a=INT, b=TEXT), {**open_(a=INT), "additionalProperties": TEXT}, []),
        (
            closed(a=INT, b=INT),
            {**open_(a=INT), "additionalProperties": TEXT},
            ["PROPERTY_REMOVED_" + PARTLY, "TYPE_CHANGED"],
        ),
        (closed(i_1=INT), matching("^i_", NUMBER), []),
        (matching("^i_", INT), matching("^i_", INT, i_1=NUMBER), []),
        (
            {**open_(a=INT), "additionalProperties": TEXT},
            {**open_(a=INT, b=INT), "additionalProperties": TEXT},
            ["PROPERTY_ADDED_" + PARTLY, "TYPE_CHANGED"],
        ),
        (
            {**open_(a=INT), "additionalProperties": TEXT},
            {**open_(a=INT, b=TEXT), "additionalProperties": TEXT, "required": ["b"]},
            ["REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"],
        ),
        (open_(), {**open_(), "additionalProperties": TEXT}, ["ADDITIONAL_PROPERTIES_NARROWED"]),
        ({**open_(), "additionalProperties": TEXT}, open_(), []),
        (closed(), {**open_(), "additionalProperties": TEXT}, []),
        ({**open_(), "additionalProperties": TEXT}, {**open_(), "additionalProperties": INT}, ["TYPE_CHANGED"]),
        (open_(), depends("b"), ["DEPENDENCY_ARRAY_ADDED"]),
        (depends("b"), depends("b", "c"), ["DEPENDENCY_ARRAY_EXTENDED"]),
        (depends("b"), depends("c"), ["DEPENDENCY_ARRAY_CHANGED"]),
        (depends("b", "c"), depends("b"), []),
        (open_(), {**open_(), "dependencies": {"a": TEXT}}, ["DEPENDENCY_SCHEMA_ADDED"]),
        ({**open_(), "dependencies": {"a": TEXT}}, {**open_(), "dependencies": {"a": INT}}, ["TYPE_CHANGED"]),
        # arrays
        (ARRAY, {**ARRAY, "items": INT}, ["SCHEMA_ADDED"]),
        ({**ARRAY, "items": INT}, ARRAY, []),
        (ARRAY, {**ARRAY, "uniqueItems": True}, ["UNIQUE_ITEMS_ADDED"]),
        (places(INT, TEXT), places(INT), []),
        (places(INT), places(INT, TEXT), ["ITEM_ADDED_TO_OPEN_CONTENT_MODEL"]),
        (places(INT), places(INT, {}), []),
        (places(INT, additionalItems=False), places(INT, TEXT, additionalItems=False), []),
        (
            places(INT, TEXT, additionalItems=False),
            places(INT, additionalItems=False),
            ["ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL"],
        ),
        (places(INT, TEXT, additionalItems=False), places(INT, additionalItems=TEXT), []),
        (places(INT, additionalItems=TEXT), places(INT, TEXT, additionalItems=TEXT), []),
        (
            places(INT, additionalItems=TEXT),
            places(INT, INT, additionalItems=TEXT),
            ["ITEM_ADDED_" + PARTLY, "TYPE_CHANGED"],
        ),
        (places(INT), places(INT, additionalItems=False), ["ADDITIONAL_ITEMS_REMOVED"]),
        (places(INT), places(INT, additionalItems=TEXT), ["ADDITIONAL_ITEMS_NARROWED"]),
        (places(INT), places(TEXT), ["TYPE_CHANGED"]),
        ({**ARRAY, "prefixItems": [INT], "items": False}, {**ARRAY, "prefixItems": [INT, TEXT], "items": False}, []),
        # combinations
        (INT, one_of(NULL, INT), []),
        (INT, one_of(NULL, INT, kind="anyOf"), []),
        (INT, one_of(NULL, TEXT), ["TYPE_CHANGED"]),
        (one_of(INT), NUMBER, []),
        (NUMBER, one_of(NUMBER, kind="allOf"), []),
        (INT, one_of(INT, {"maximum": 5}, kind="allOf"), ["TYPE_CHANGED"]),
        (one_of(INT, TEXT), one_of(TEXT, NUMBER), []),
        (one_of(INT, TEXT), one_of(INT), ["SUM_TYPE_NARROWED"]),
        (one_of(INT), one_of(TEXT), ["COMBINED_TYPE_SUBSCHEMAS_CHANGED"]),
        (one_of(INT, INT), one_of(INT), []),
        (one_of(TEXT, {"maxLength": 5}, kind="allOf"), one_of(TEXT, kind="allOf"), []),
        (one_of(TEXT, kind="allOf"), one_of(TEXT, {"maxLength": 5}, kind="allOf"), ["PRODUCT_TYPE_EXTENDED"]),
        (one_of(INT, TEXT), one_of(INT, TEXT, kind="anyOf"), []),
        (one_of(INT, TEXT, kind="anyOf"), one_of(INT, TEXT), ["COMBINED_TYPE_CHANGED"]),
        (one_of(INT, kind="anyOf"), one_of(INT, TEXT), []),
        (one_of(INT), one_of(INT, kind="allOf"), []),
        (one_of(INT), one_of(INT, TEXT, kind="allOf"), ["COMBINED_TYPE_CHANGED"]),
        ({"type": ["object"]}, {"type": ["object", "array"]}, []),
        ({"type": ["null", "string"]}, {"type": ["string"]}, ["SUM_TYPE_NARROWED"]),
        # references in circles
        (
            open_(a=INT, next={"$ref": "#"}, no={"not": {"$ref": "#"}}),
            open_(a=NUMBER, next={"$ref": "#"}, no={"not": {"$ref": "#"}}),
            ["NOT_TYPE_EXTENDED"],
        ),
    ],
)  # fmt: skip
def test_json_rules(old, new, expected):
    assert kinds(JSON, old, new) == expected
