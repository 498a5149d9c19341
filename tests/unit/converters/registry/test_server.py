"""The registry's answers: bodies, codes and texts that its clients depend on."""

import json

import pytest

from replicator.converters.registry.server import Registry, State, in_memory

INT = {"schema": '"int"'}
R1 = {"schema": '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'}
R2 = {
    "schema": '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}'
}
R3 = {
    "schema": '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},'
    '{"name":"b","type":"string","default":""}]}'
}

ONLY_A = {"schema": '{"type":"record","name":"R","doc":"d","fields":[{"name":"a","type":"int"}]}'}


class Caller:
    def __init__(self, registry=None):
        self.registry = registry or in_memory()

    def __call__(self, request, body=None, **query):
        method, path = request.split()
        answer = self.registry.call(method, path, query, body)
        return (
            answer.body
            if answer.status == 200
            else (answer.status, answer.body["error_code"], answer.body["message"])
        )


@pytest.fixture
def call():
    return Caller()


def test_a_schema_gets_one_id_under_all_subjects(call):
    assert call("POST /subjects/a/versions", INT) == {"id": 1}
    assert call("POST /subjects/a/versions", INT) == {"id": 1}
    assert call("POST /subjects/b/versions", INT) == {"id": 1}
    assert call("POST /subjects/b%2Fc/versions", R1) == {"id": 2}
    assert call("GET /subjects") == ["a", "b", "b/c"]
    assert call("GET /subjects", subjectPrefix="b") == ["b", "b/c"]
    assert call("GET /subjects/a/versions") == [1]
    assert call("GET /subjects/a/versions/latest") == {
        "subject": "a",
        "version": 1,
        "id": 1,
        "schema": '"int"',
    }
    assert call("GET /subjects/a/versions/1/schema") == '"int"'
    assert call("GET /schemas/ids/1") == {"schema": '"int"'}
    assert call("GET /schemas/ids/1", fetchMaxId="true") == {"schema": '"int"', "maxId": 2}
    assert call("GET /schemas/ids/1/schema") == '"int"'
    assert call("GET /schemas/ids/1/versions") == [
        {"subject": "a", "version": 1},
        {"subject": "b", "version": 1},
    ]
    assert call("GET /schemas/ids/1/subjects") == ["a", "b"]
    assert call("POST /subjects/a", INT) == {"subject": "a", "version": 1, "id": 1, "schema": '"int"'}
    assert call("GET /schemas/types") == ["JSON", "PROTOBUF", "AVRO"]
    assert [e["subject"] for e in call("GET /schemas")] == ["a", "b", "b/c"]


def test_other_forms_of_a_text_are_the_same_schema(call):
    assert call("POST /subjects/a/versions", R1) == {"id": 1}
    spaced = {"schema": json.dumps(json.loads(R1["schema"]), indent=2)}
    assert call("POST /subjects/a/versions", spaced) == {"id": 1}
    moved = {"schema": '{"name":"R","fields":[{"type":"int","name":"a"}],"type":"record","z":1,"b":2}'}
    assert call("POST /subjects/n/versions", moved, normalize="true") == {"id": 2}
    assert call("GET /subjects/n/versions/1/schema").endswith('"b":2,"z":1}')


@pytest.mark.parametrize(
    ("request_", "body", "query", "expected"),
    [
        ("GET /subjects/x/versions", None, {}, (404, 40401, "Subject 'x' not found.")),
        ("GET /subjects/a/versions/9", None, {}, (404, 40402, "Version 9 not found.")),
        (
            "GET /subjects/a/versions/0",
            None,
            {},
            (
                422,
                42202,
                "The specified version '0' is not a valid version id. "
                'Allowed values are between [1, 2^31-1] and the string "latest"',
            ),
        ),
        ("GET /schemas/ids/9", None, {}, (404, 40403, "Schema 9 not found")),
        ("POST /subjects/a", R1, {}, (404, 40403, "Schema not found")),
        ("POST /subjects/x", R1, {}, (404, 40401, "Subject 'x' not found.")),
        (
            "PUT /config",
            {"compatibility": "SOME"},
            {},
            (
                422,
                42203,
                "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
                "forward_transitive, and full_transitive",
            ),
        ),
        (
            "PUT /mode",
            {"mode": "SOME"},
            {},
            (
                422,
                42204,
                "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT, and FORWARD",
            ),
        ),
        (
            "GET /config/a",
            None,
            {},
            (404, 40408, "Subject 'a' does not have subject-level compatibility configured"),
        ),
        ("GET /mode/a", None, {}, (404, 40409, "Subject 'a' does not have subject-level mode configured")),
        (
            "DELETE /subjects/a",
            None,
            {"permanent": "true"},
            (404, 40405, "Subject 'a' was not deleted first before being permanently deleted"),
        ),
        (
            "DELETE /subjects/a/versions/1",
            None,
            {"permanent": "true"},
            (404, 40407, "Subject 'a' Version 1 was not deleted first before being permanently deleted"),
        ),
        ("GET /nothing", None, {}, (404, 404, "HTTP 404 Not Found")),
        ("PUT /subjects", None, {}, (405, 405, "HTTP 405 Method Not Allowed")),
    ],
)
def test_refusals(call, request_, body, query, expected):
    call("POST /subjects/a/versions", INT)
    assert call(request_, body, **query) == expected


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"schema": ""},
        {"schema": "{"},
        {"schema": '{"type":"nope"}'},
        {"schema": '{"type":"record","name":"1R","fields":[]}'},
        {
            "schema": '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}'
        },
        {"schema": '["int","int"]'},
        {"schema": '{"type":"record","name":"R","fields":[{"name":"a","type":"string","default":3}]}'},
        {
            "schema": '{"type":"record","name":"R","fields":[{"name":"a","type":["int","string"],"default":null}]}'
        },
        {"schema": '{"type":"record","name":"R","fields":[{"name":"a","default":[],"type":["null","int"]}]}'},
        {"schema": "{}", "schemaType": "XML"},
        {"schema": '{"type":5}', "schemaType": "JSON"},
        {"schema": '{"$ref":"#/nowhere"}', "schemaType": "JSON"},
        {"schema": "message M {", "schemaType": "PROTOBUF"},
        {"schema": 'syntax = "proto3"; message M { N n = 1; }', "schemaType": "PROTOBUF"},
        {"schema": 'syntax = "proto3"; import "no.proto"; message M {}', "schemaType": "PROTOBUF"},
        {"schema": '"n.U"', "references": [{"name": "n.U", "subject": "no", "version": 1}]},
    ],
)
def test_what_is_no_schema_is_refused(call, body):
    status, code, _ = call("POST /subjects/a/versions", body)
    assert (status, code) == (422, 42201)


def test_incompatible_schemas_are_refused_with_the_reason(call):
    call("POST /subjects/a/versions", R1)
    status, code, message = call("POST /subjects/a/versions", R2)
    assert (status, code) == (409, 409)
    assert message.startswith(
        'Schema being registered is incompatible with an earlier schema for subject "a", details: '
        "[{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' in the "
        "new schema has no default value and is missing in the old schema', additionalInfo:'b'}, "
        "{oldSchemaVersion: 1}, {oldSchema: '"
    )
    assert message.endswith("{compatibility: 'BACKWARD'}]")
    assert call("POST /compatibility/subjects/a/versions/latest", R2) == {"is_compatible": False}
    assert call("POST /compatibility/subjects/a/versions", R3, verbose="true") == {
        "is_compatible": True,
        "messages": [],
    }
    assert len(call("POST /compatibility/subjects/a/versions/1", R2, verbose="true")["messages"]) == 4


@pytest.mark.parametrize(
    ("level", "second", "third", "accepted"),
    [
        ("NONE", R2, INT, (True, True)),
        ("BACKWARD", R3, R2, (True, True)),
        ("BACKWARD_TRANSITIVE", R3, R2, (True, False)),
        ("FORWARD", R2, ONLY_A, (True, False)),
        ("FULL", R3, R2, (True, True)),
        ("FULL", R2, R1, (False, True)),
        ("FULL_TRANSITIVE", R3, R2, (True, False)),
    ],
)
def test_levels(call, level, second, third, accepted):
    assert call("PUT /config/a", {"compatibility": level.lower()}) == {"compatibility": level}
    call("POST /subjects/a/versions", R1)
    assert tuple(isinstance(call("POST /subjects/a/versions", s), dict) for s in (second, third)) == accepted


def test_settings(call):
    assert call("GET /config") == {"compatibilityLevel": "BACKWARD"}
    assert call("PUT /config", {"compatibility": "FULL"}) == {"compatibility": "FULL"}
    assert call("GET /config") == {"compatibilityLevel": "FULL"}
    assert call("GET /config/a", defaultToGlobal="true") == {"compatibilityLevel": "FULL"}
    call("PUT /config/a", {"compatibility": "NONE"})
    assert call("GET /config/a") == {"compatibilityLevel": "NONE"}
    assert call("DELETE /config/a") == {"compatibilityLevel": "NONE"}
    assert call("DELETE /config") == {"compatibilityLevel": "FULL"}
    assert call("GET /config") == {"compatibilityLevel": "BACKWARD"}
    assert call("GET /mode") == {"mode": "READWRITE"}
    assert call("PUT /mode/a", {"mode": "READONLY"}) == {"mode": "READONLY"}
    assert call("POST /subjects/a/versions", INT) == (422, 42205, "Subject a is in read-only mode")
    assert call("DELETE /mode/a") == {"mode": "READONLY"}
    assert call("POST /subjects/a/versions", INT) == {"id": 1}


def test_import_mode_takes_ids_as_they_are(call):
    assert call("PUT /mode/a", {"mode": "IMPORT"}) == {"mode": "IMPORT"}
    assert call("POST /subjects/a/versions", {**R1, "id": 77, "version": 5}) == {"id": 77}
    assert call("GET /subjects/a/versions/5")["id"] == 77
    assert call("PUT /mode/a", {"mode": "READWRITE"}) == {"mode": "READWRITE"}
    assert call("POST /subjects/a/versions", {**R3, "id": 99})[1] == 42205
    assert call("POST /subjects/a/versions", R3) == {"id": 78}


def test_deleting_softly_then_for_good(call):
    call("POST /subjects/a/versions", R1)
    call("POST /subjects/a/versions", R3)
    assert call("DELETE /subjects/a/versions/1") == 1
    assert call("DELETE /subjects/a/versions/1")[1] == 40406
    assert call("GET /subjects/a/versions") == [2]
    assert call("GET /subjects/a/versions", deleted="true") == [1, 2]
    assert call("GET /subjects/a/versions", deletedOnly="true") == [1]
    assert call("GET /schemas/ids/1") == R1
    assert call("DELETE /subjects/a/versions/1", permanent="true") == 1
    assert call("GET /schemas/ids/1")[1] == 40403
    assert call("DELETE /subjects/a") == [2]
    assert call("DELETE /subjects/a")[1] == 40404
    assert call("GET /subjects") == []
    assert call("GET /subjects", deleted="true") == ["a"]
    assert call("POST /subjects/a/versions", R3) == {"id": 2}
    assert call("GET /subjects/a/versions") == [3]
    call("DELETE /subjects/a")
    assert call("DELETE /subjects/a", permanent="true") == [2, 3]
    assert call("GET /subjects", deleted="true") == []
    assert call("POST /subjects/a/versions", INT) == {"id": 3}


def test_what_others_refer_to_is_not_deleted(call):
    call("POST /subjects/u/versions", {"schema": '{"type":"record","name":"n.U","fields":[]}'})
    user = {
        "schema": '{"type":"array","items":"n.U"}',
        "references": [{"name": "n.U", "subject": "u", "version": 1}],
    }
    assert call("POST /subjects/a/versions", user) == {"id": 2}
    assert call("GET /schemas/ids/2")["references"] == user["references"]
    assert call("GET /subjects/u/versions/1/referencedby") == [2]
    assert call("DELETE /subjects/u")[1] == 42206
    assert call("DELETE /subjects/a") == [1]
    assert call("DELETE /subjects/u") == [1]


def test_protobuf_texts_and_descriptors_are_one_schema(call):
    text = 'syntax = "proto3"; package p; message M { int32 a = 1; }'
    assert call("POST /subjects/p/versions", {"schema": text, "schemaType": "PROTOBUF"}) == {"id": 1}
    kept = call("GET /schemas/ids/1")
    assert kept == {
        "schemaType": "PROTOBUF",
        "schema": 'syntax = "proto3";\npackage p;\n\nmessage M {\n  int32 a = 1;\n}\n',
    }
    coded = call("GET /schemas/ids/1", format="serialized")["schema"]
    assert call("POST /subjects/p", {"schema": coded, "schemaType": "PROTOBUF"})["id"] == 1


class Log:
    """A journal that can be read again from its start."""

    def __init__(self, records=()):
        self.state = State()
        self.records = list(records)
        for key, value in self.records:
            self.state.apply(key, value)

    def refresh(self):
        pass

    def append(self, records):
        for key, value in records:
            self.records.append((key, value))
            self.state.apply(key, value)

    def close(self):
        pass


def test_the_records_give_the_same_registry_again():
    log = Log()
    call = Caller(Registry(log.state, log))
    call("POST /subjects/a/versions", R1)
    call("POST /subjects/a/versions", R3)
    call("POST /subjects/b/versions", INT)
    call("DELETE /subjects/b")
    call("DELETE /subjects/b", permanent="true")
    call("PUT /config/a", {"compatibility": "FULL"})
    call("PUT /mode/c", {"mode": "READONLY"})
    call("DELETE /subjects/a")
    first = json.loads(log.records[0][0])
    assert first == {"keytype": "SCHEMA", "subject": "a", "version": 1, "magic": 1}
    assert json.loads(log.records[0][1]) == {"subject": "a", "version": 1, "id": 1, **R1, "deleted": False}
    kept = Log(dict(log.records).items())  # as compaction leaves them
    again = Caller(Registry(kept.state, kept))
    assert again("GET /subjects", deleted="true") == ["a"]
    assert again("GET /subjects/a/versions", deleted="true") == [1, 2]
    assert again("GET /subjects") == []
    assert again("GET /config/a") == {"compatibilityLevel": "FULL"}
    assert again("GET /mode/c") == {"mode": "READONLY"}
    # The id of what is gone for good is not given to another schema.
    assert again("POST /subjects/d/versions", {"schema": '"bytes"'}) == {"id": 4}


def test_records_that_mean_nothing_are_passed_over():
    state = State()
    for key, value in (
        (None, None),
        (b"x", b"y"),
        (b"{}", b"{}"),
        (b'{"keytype":"SCHEMA","subject":"a"}', b"{}"),
    ):
        state.apply(key, value)
    assert state.subjects() == []
