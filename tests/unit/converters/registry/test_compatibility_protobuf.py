"""Pairs of Protobuf schemas and what keeps the second one from reading data of the first."""

import pytest

from replicator.converters.registry.model import PROTOBUF
from tests.unit.converters.registry.schema_pairs import kinds


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
        (proto("optional int32 a = 1;"), proto("repeated int32 a = 1;"), ["FIELD_NUMERIC_LABEL_CHANGED"]),
        (
            proto("int32 a = 1;"),
            proto("repeated int32 a = 1;"),
            [],
        ),  # registries compare labels that are written
        (proto("optional int32 a = 1;"), proto("int32 a = 1;"), []),
        (proto("optional bytes a = 1;"), proto("repeated bytes a = 1;"), []),
        (proto("optional N a = 1;", "message N {}"), proto("repeated N a = 1;", "message N {}"), []),
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
        (
            proto("map<string, int32> a = 1;"),
            proto("N a = 1;", "message N { string key = 1; int32 value = 2; }"),
            ["FIELD_KIND_CHANGED"],
        ),
        (proto("int32 a = 1;"), proto("E a = 1;", "enum E { X = 0; }"), []),
        (proto("E a = 1;", "enum E { X = 0; }"), proto("string a = 1;"), ["FIELD_SCALAR_KIND_CHANGED"]),
        (proto("E a = 1;", "enum E { X = 0; Y = 1; }"), proto("E a = 1;", "enum E { Z = 0; }"), []),
        (proto("fixed32 a = 1;"), proto("sfixed32 a = 1;"), []),
        (proto("float a = 1;"), proto("double a = 1;"), ["FIELD_SCALAR_KIND_CHANGED"]),
        (proto("int32 a = 1;"), proto("int32 b = 1;"), []),
        (proto("int32 a = 1;"), proto("oneof o { int32 a = 1; int32 b = 2; }"), []),
        (proto("oneof o { int32 a = 1; int32 b = 2; }"), proto("oneof p { int32 a = 1; int32 b = 2; }"), []),
        (proto("oneof o { int32 a = 1; }"), proto("int32 a = 1;"), []),
        (proto("oneof o { int32 a = 1; }"), proto("string a = 1;"), ["FIELD_SCALAR_KIND_CHANGED"]),
        (proto("message N { int32 a = 1; }"), proto(""), ["MESSAGE_REMOVED"]),
        (
            proto("N x = 1; message N { int32 a = 1; }"),
            proto("N x = 1; message N { string a = 1; }"),
            ["FIELD_SCALAR_KIND_CHANGED"],
        ),
        (
            proto("N x = 1; message N { int32 a = 1; }"),
            'syntax = "proto3"; package q; message M { .q.M.N x = 1; message N { int32 a = 1; } }',
            [],
        ),
        (
            'syntax = "proto2"; message M { optional int32 a = 1; }',
            'syntax = "proto2"; message M { optional int32 a = 1; required int32 b = 2; }',
            ["REQUIRED_FIELD_ADDED"],
        ),
        (
            'syntax = "proto2"; message M { required int32 a = 1; }',
            'syntax = "proto2"; message M { }',
            ["REQUIRED_FIELD_REMOVED"],
        ),
        (
            'syntax = "proto2"; message M { required int32 a = 1; }',
            'syntax = "proto2"; message M { optional int32 a = 1; }',
            ["FIELD_NUMERIC_LABEL_CHANGED"],
        ),
    ],
)
def test_protobuf(old, new, expected):
    assert kinds(PROTOBUF, old, new) == expected
