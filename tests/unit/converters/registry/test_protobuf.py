"""ProtobufConverter and the texts of Protobuf schemas."""

from decimal import Decimal

import pytest

from replicator.api import schema as s
from replicator.api.errors import DataError, SchemaError
from replicator.api.logical import decimal_schema
from replicator.api.struct import Struct
from replicator.converters.protobuf import ProtobufConverter
from replicator.converters.registry.model import PROTOBUF, Reference, SchemaText
from replicator.converters.registry.proto_text import canonical, known_files, normalised, parse, serialized
from tests.unit.converters.registry.rows import ENVELOPE, VALUE, event, row


def converter(scope, **options):
    made = ProtobufConverter()
    made.configure({"schema.registry.url": scope, **options}, is_key=False)
    return made


TEXT = """syntax = "proto3";
package a.b;

import "confluent/meta.proto";
import "google/protobuf/timestamp.proto";

option java_package = "x.y";
option (my.opt).a = {q: 1, r: [1, 2]};

message M {
  option deprecated = true;
  reserved 7, 9 to 12, 100 to max;
  reserved "foo";
  int32 id = 1 [deprecated = true, (confluent.field_meta) = {doc: "x", params: [{key: "scale", value: "2"}]}];
  optional string s = 2;
  repeated N ns = 3;
  map<string, int64> m = 4;
  oneof u {
    string x = 5;
    E y = 6;
  }
  google.protobuf.Timestamp ts = 13;

  message N {
    M parent = 2;
    bytes message = 3;
  }

  enum E {
    A = 0;
    B = -1;
  }
}

service S {
  rpc Get (a.b.M) returns (stream a.b.M.N);
}
"""


def test_a_file_is_printed_as_it_was_read():
    assert canonical(parse(TEXT, {})) == TEXT


def test_comments_spaces_and_quotes_mean_nothing():
    other = TEXT.replace("message M", "// note\n/* more\n lines */ message   M").replace('"foo"', "'foo'")
    assert canonical(parse(other.replace("  ", "\t"), {})) == TEXT


def test_the_descriptor_is_another_form_of_the_text():
    coded = serialized(TEXT, {})
    assert canonical(parse(coded, {})) == TEXT


def test_normalising_sorts_what_has_no_order():
    first = 'syntax = "proto3"; message M { int32 a = 1; int32 b = 2; }'
    second = 'syntax = "proto3"; message M { int32 b = 2; int32 a = 1; }'
    assert canonical(parse(first, {})) != canonical(parse(second, {}))
    assert normalised(parse(first, {})) == normalised(parse(second, {}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "message M {",
        'syntax = "proto4"; message M {}',
        "message M { int32 a = 1 }",
        "message M { int32 = 1; }",
        'syntax = "proto3"; message M { int32 a = 1; int32 b = 1; }',
        'syntax = "proto3"; message M { N a = 1; }',
        'syntax = "proto3"; import "none.proto";',
        "message M { required group G = 1 {} }",
        "AAAA",
        "message M { int32 a = 0; }",
    ],
)
def test_what_is_no_schema_is_refused(text):
    if text:
        with pytest.raises(SchemaError):
            parse(text, {})
    else:
        assert not parse(text, {}).file.message_type


def test_known_files_need_no_registration():
    assert {
        "confluent/meta.proto",
        "confluent/type/decimal.proto",
        "google/type/date.proto",
    } <= known_files().keys()


def test_an_event_comes_back_as_protobuf_can_hold_it(scope):
    made = converter(scope, **{"optional.for.nullables": "true", "enhanced.protobuf.schema.support": "true"})
    data = made.from_connect_data("t", ENVELOPE, event(after=row(name=None, ok=None)))
    assert data[:6] == b"\x00\x00\x00\x00\x01\x00"
    back = made.to_connect_data("t", data)
    assert back.schema.name == "srv.public.t.Envelope"
    assert back.schema.version == 1
    assert back.value.plain() == event(after=row(name=None, ok=None)).plain()


def test_without_optional_a_null_becomes_the_zero_of_its_type(scope):
    made = converter(scope)
    back = made.to_connect_data(
        "t", made.from_connect_data("t", VALUE, Struct(VALUE, row(name=None, seen=None)))
    )
    assert (back.value.get("name"), back.value.get("seen")) == ("", None)


def test_wrappers_keep_nulls(scope):
    made = converter(scope, **{"wrapper.for.nullables": "true"})
    value = row(name=None, ok=None, double=0.0)
    back = made.to_connect_data("t", made.from_connect_data("t", VALUE, Struct(VALUE, value)))
    assert back.value.plain() == value
    assert "google.protobuf.StringValue name = 5;" in made.client.by_id(1).text


def test_the_text_that_is_registered(scope):
    made = converter(scope)
    schema = s.struct_schema(
        [("d", decimal_schema(2, precision=9)), ("n", s.INT8), ("l", s.array_schema(s.STRING))], name="x.R"
    )
    made.from_connect_data("t", schema, Struct(schema, {"d": Decimal("1.00"), "n": 1, "l": ["a"]}))
    assert made.client.by_id(1).text == (
        'syntax = "proto3";\npackage x;\n\nimport "confluent/type/decimal.proto";\nimport "confluent/meta.proto";\n\n'
        "message R {\n"
        '  confluent.type.Decimal d = 1 [(confluent.field_meta) = {params: [{key: "precision", value: "9"}, '
        '{key: "scale", value: "2"}]}];\n'
        '  int32 n = 2 [(confluent.field_meta) = {params: [{key: "connect.type", value: "int8"}]}];\n'
        "  repeated string l = 3;\n}\n"
    )


def test_messages_within_files_are_found_by_their_position(scope):
    made = converter(scope)
    text = 'syntax = "proto3"; message A {} message B { message C { string x = 1; } int32 y = 1; }'
    made.client.register("t-value", SchemaText(PROTOBUF, text))
    head = b"\x00\x00\x00\x00\x01"
    assert made.to_connect_data("t", head + b"\x02\x02\x08\x05").value.plain() == {"y": 5}
    assert made.to_connect_data("t", head + b"\x04\x02\x00\x0a\x01q").value.plain() == {"x": "q"}
    assert made.to_connect_data("t", head + b"\x00").value.plain() == {}
    for wrong in (b"", b"\x02", b"\x02\x0a\x00", b"\x80"):
        with pytest.raises(DataError):
            made.to_connect_data("t", head + wrong)


def test_oneofs_keep_their_branch(scope):
    made = converter(scope)
    text = """syntax = "proto3";
        message M { oneof u { string x = 1; N n = 2; E e = 4; } int32 y = 3;
            message N { int32 z = 1; } enum E { A = 0; B = 1; } }"""
    made.client.register("t-value", SchemaText(PROTOBUF, text))
    head = b"\x00\x00\x00\x00\x01\x00"
    found = made.to_connect_data("t", head + b"\x12\x02\x08\x07\x18\x05")
    assert found.value.plain() == {"u_0": {"n": {"z": 7}}, "y": 5}
    again = made.from_connect_data("copy", found.schema, found.value)
    assert made.to_connect_data("copy", again).value.plain() == {"u_0": {"n": {"z": 7}}, "y": 5}
    assert made.to_connect_data("t", head + b"\x20\x01").value.plain() == {"u_0": {"e": "B"}, "y": 0}


def test_imports_are_found_through_references(scope):
    made = converter(scope)
    made.client.register(
        "used", SchemaText(PROTOBUF, 'syntax = "proto3"; package u; message U { int32 a = 1; }')
    )
    text = 'syntax = "proto3"; import "u.proto"; message M { u.U inner = 1; }'
    number = made.client.register("t-value", SchemaText(PROTOBUF, text, (Reference("u.proto", "used", 1),)))
    data = b"\x00" + number.to_bytes(4, "big") + b"\x00\x0a\x02\x08\x05"
    assert made.to_connect_data("t", data).value.plain() == {"inner": {"a": 5}}


@pytest.mark.parametrize(
    ("schema", "value", "why"),
    [
        (None, {"a": 1}, "Protobuf needs a schema"),
        (s.INT32, 5, "Unsupported root schema of type INT32"),
        (
            s.struct_schema([("a", s.array_schema(s.array_schema(s.INT32)))], name="R"),
            {"a": []},
            "Array cannot be nested",
        ),
        (s.struct_schema([("a", s.INT32)], name="R"), {"a": "x"}, "Invalid type for INT32: str"),
        (s.struct_schema([("a", s.INT32)], name="R"), {"a": 1 << 31}, "does not fit"),
        (
            s.struct_schema([("a", s.array_schema(s.OPTIONAL_INT32))], name="R"),
            {"a": [None]},
            "cannot hold nulls",
        ),
        (s.struct_schema([("a b", s.INT32)], name="R"), {"a b": 1}, "Expected '='|Error registering"),
    ],
)
def test_what_has_no_protobuf_form_is_refused(scope, schema, value, why):
    value = Struct(schema, value) if isinstance(value, dict) and schema is not None else value
    with pytest.raises(DataError, match=why):
        converter(scope).from_connect_data("t", schema, value)


def test_broken_bytes_are_refused(scope):
    made = converter(scope)
    made.from_connect_data("t", VALUE, Struct(VALUE, row()))
    with pytest.raises(DataError, match="Error deserializing Protobuf message"):
        made.to_connect_data("t", b"\x00\x00\x00\x00\x01\x00\x08")


def test_unsigned_numbers_beyond_int64_are_refused(scope):
    made = converter(scope)
    made.client.register("t-value", SchemaText(PROTOBUF, 'syntax = "proto3"; message M { uint64 a = 1; }'))
    head = b"\x00\x00\x00\x00\x01\x00\x08"
    assert made.to_connect_data("t", head + b"\xff" * 8 + b"\x7f").value.get("a") == (1 << 63) - 1
    with pytest.raises(DataError, match="18446744073709551615 does not fit"):
        made.to_connect_data("t", head + b"\xff" * 9 + b"\x01")


def test_a_message_that_contains_itself_is_refused(scope):
    made = converter(scope)
    made.client.register("t-value", SchemaText(PROTOBUF, 'syntax = "proto3"; message M { M a = 1; }'))
    with pytest.raises(DataError, match="M contains itself"):
        made.to_connect_data("t", b"\x00\x00\x00\x00\x01\x00")
