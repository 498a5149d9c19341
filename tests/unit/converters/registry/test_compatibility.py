"""Pairs of schemas and what keeps the second one from reading data of the first."""

import json

import pytest

from replicator.converters.registry import formats
from replicator.converters.registry.model import AVRO, JSON, PROTOBUF, SchemaText


def kinds(kind, old, new):
    as_text = (lambda v: v) if kind == PROTOBUF else json.dumps
    writer, reader = (formats.parse(SchemaText(kind, as_text(v)), {}) for v in (old, new))
    return sorted({d.kind for d in formats.differences(kind, reader=reader, writer=writer)})


def record(*fields, name="R", **more):
    return {
        "type": "record",
        "name": name,
        "fields": [dict(zip(("name", "type", "default"), f, strict=False)) for f in fields],
        **more,
    }


A, B = ("a", "int"), ("b", "string")
ENUM = {"type": "enum", "name": "E", "symbols": ["X"]}
MORE = {"type": "enum", "name": "E", "symbols": ["X", "Y"]}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (record(A), record(A, B), ["READER_FIELD_MISSING_DEFAULT_VALUE"]),
        (record(A), record(A, (*B, "x")), []),
        (record(A, B), record(A), []),
        (record(A), record(("a", "long")), []),
        (record(("a", "long")), record(A), ["TYPE_MISMATCH"]),
        (record(A), record(("a", "string")), ["TYPE_MISMATCH"]),
        (record(A), record(("a", ["null", "int"])), []),
        (record(("a", ["null", "int"])), record(A), ["TYPE_MISMATCH"]),
        (record(("a", ["null", "int"])), record(("a", ["null", "string"])), ["MISSING_UNION_BRANCH"]),
        (record(A), record(A, name="S"), ["NAME_MISMATCH"]),
        (record(A), record(A, name="S", aliases=["R"]), []),
        (record(A, name="x.R"), record(A, name="y.R"), []),
        (ENUM, MORE, []),
        (MORE, ENUM, ["MISSING_ENUM_SYMBOLS"]),
        (MORE, {**ENUM, "default": "X"}, []),
        (
            {"type": "fixed", "name": "F", "size": 2},
            {"type": "fixed", "name": "F", "size": 3},
            ["FIXED_SIZE_MISMATCH"],
        ),
        ({"type": "array", "items": "int"}, {"type": "array", "items": "string"}, ["TYPE_MISMATCH"]),
        ({"type": "map", "values": "int"}, {"type": "map", "values": "double"}, []),
        ("string", "bytes", []),
        (
            record(("n", ["null", "R"], None)),
            record(("n", ["null", "R"], None), B),
            ["READER_FIELD_MISSING_DEFAULT_VALUE"],
        ),
    ],
)
def test_avro(old, new, expected):
    assert kinds(AVRO, old, new) == expected


def closed(**properties):
    return {"type": "object", "properties": properties, "additionalProperties": False}


def open_(**properties):
    return {"type": "object", "properties": properties}


INT, TEXT = {"type": "integer"}, {"type": "string"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (INT, {"type": "number"}, []),
        ({"type": "number"}, INT, ["TYPE_NARROWED"]),
        (INT, TEXT, ["TYPE_CHANGED"]),
        (open_(a=INT), open_(a=INT, b=TEXT), ["PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"]),
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
        (open_(a={"oneOf": [{"type": "null"}, INT]}), open_(a=INT), ["SUM_TYPE_NARROWED"]),
        ({"type": ["null", "string"]}, {"oneOf": [{"type": "null"}, TEXT]}, []),
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


def proto(body, extra=""):
    return f'syntax = "proto3"; package p; message M {{ {body} }} {extra}'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (proto("int32 a = 1;"), proto("int32 a = 1; string b = 2;"), []),
        (proto("int32 a = 1; string b = 2;"), proto("int32 a = 1;"), []),
        (proto("int32 a = 1;"), proto("int64 a = 1;"), []),
        (proto("int64 a = 1;"), proto("string a = 1;"), ["FIELD_SCALAR_KIND_CHANGED"]),
        (proto("int32 a = 1;"), proto("sint32 a = 1;"), ["FIELD_SCALAR_KIND_CHANGED"]),
        (proto("string a = 1;"), proto("bytes a = 1;"), []),
        (proto("int32 a = 1;"), proto("repeated int32 a = 1;"), ["FIELD_NUMERIC_LABEL_CHANGED"]),
        (proto("string a = 1;"), proto("repeated string a = 1;"), []),
        (proto("", "message N {}"), proto(""), ["MESSAGE_REMOVED"]),
        (
            proto("N a = 1;", "message N {}"),
            proto("O a = 1;", "message N {} message O {}"),
            ["FIELD_NAMED_TYPE_CHANGED"],
        ),
        (proto("N a = 1;", "message N {}"), proto("int32 a = 1;", "message N {}"), ["FIELD_KIND_CHANGED"]),
        (
            proto("int32 a = 1; int32 b = 2;"),
            proto("oneof o { int32 a = 1; int32 b = 2; }"),
            ["MULTIPLE_FIELDS_MOVED_TO_ONEOF"],
        ),
        (
            proto("oneof o { int32 a = 1; int32 b = 2; }"),
            proto("oneof o { int32 a = 1; }"),
            ["ONEOF_FIELD_REMOVED"],
        ),
        (
            proto("int32 a = 1; oneof o { int32 b = 2; }"),
            proto("oneof o { int32 b = 2; int32 a = 1; }"),
            ["FIELD_MOVED_TO_EXISTING_ONEOF"],
        ),
        (proto("map<string, int32> a = 1;"), proto("map<string, int64> a = 1;"), []),
        (
            proto("map<string, int32> a = 1;"),
            proto("map<string, string> a = 1;"),
            ["FIELD_SCALAR_KIND_CHANGED"],
        ),
        (proto("M next = 1;"), proto("M next = 1; int32 b = 2;"), []),
    ],
)
def test_protobuf(old, new, expected):
    assert kinds(PROTOBUF, old, new) == expected
