"""Pairs of Avro schemas and what keeps the second one from reading data of the first; the wording of differences."""

import json

import pytest

from replicator.converters.registry import formats
from replicator.converters.registry.model import AVRO, JSON, PROTOBUF, SchemaText
from tests.unit.converters.registry.schema_pairs import INT, TEXT, kinds, open_, record

A = ("a", "int")
B = ("b", "string")
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


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        (
            JSON,
            json.dumps(open_(a=INT)),
            json.dumps(open_(a=TEXT)),
            '{errorType:"TYPE_CHANGED", description:"A type at path \'#/properties/a\' is different between the new '
            'schema and the old schema"}',
        ),
        (
            PROTOBUF,
            'syntax = "proto3"; message M { oneof o { int32 a = 1; int32 b = 2; } }',
            'syntax = "proto3"; message M { oneof o { int32 a = 1; } }',
            '{errorType:"ONEOF_FIELD_REMOVED", description:"The new schema is missing a oneof field at path '
            "'#/M/o/2' in the old schema\"}",
        ),
    ],
)
def test_wording(kind, old, new, expected):
    writer, reader = (formats.parse(SchemaText(kind, text), {}) for text in (old, new))
    found = formats.differences(kind, reader=reader, writer=writer)
    assert [d.describe(reader="new", writer="old") for d in found] == [expected]
