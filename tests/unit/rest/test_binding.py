"""Bodies that are no JSON, or of another shape: every complaint that a Java worker was seen to make."""

from __future__ import annotations

from typing import Any

import pytest

from replicator.rest.binding import (
    CONNECTOR_OFFSETS,
    CREATE_REQUEST,
    TASK_CONFIGS,
    anything,
    read_body,
    text_map,
)
from replicator.rest.errors import RestError
from tests.differential.rest import golden

ENTITIES = "org.apache.kafka.connect.runtime.rest.entities."
UNLIKE = {'PUT /connectors/a/config {"a":ünï}', "PUT /connectors/a/config a=b&c=d"}
"""Java's complaint is about its own decoding; ours has a hint for who sends a file of properties."""


def complaints() -> list[tuple[str, str]]:
    found = []
    for call, answer in golden.read(golden.FOLDER / "distributed.jsonl"):
        body = answer["body"]
        message = body.get("message", "") if isinstance(body, dict) else ""
        if "REDACTED" in message and "column" in message and call not in UNLIKE:
            found.append((call, message))
    return found


@pytest.mark.parametrize(("call", "message"), complaints())
def test_complaints(call: str, message: str) -> None:
    _, path, body = call.split(" ", 2)
    reader, bound = text_map, "java.util.Map"
    if path == "/connectors":
        reader, bound = CREATE_REQUEST, f"{ENTITIES}CreateConnectorRequest"
    elif path.endswith("/offsets"):
        reader, bound = CONNECTOR_OFFSETS, f"{ENTITIES}ConnectorOffsets"
    elif path.endswith("/tasks"):
        reader = TASK_CONFIGS
    with pytest.raises(RestError) as raised:
        read_body(body.encode(), reader, bound)
    assert (raised.value.status, raised.value.message) == (500, message)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        (" null ", None),
        ("{}", {}),
        (
            '{"a":1,"b":1.50,"c":true,"d":null,"e":"x"}',
            {"a": "1", "b": "1.50", "c": "true", "d": None, "e": "x"},
        ),
        ('{"a":1e5,"b":-0.0}', {"a": "1e5", "b": "-0.0"}),
        ('\n{\r\n\t"a" :\n"\\u00e9\\ud83d\\ude00\\n/"\n}\n', {"a": "é😀\n/"}),
        ('{"a":"1","a":"2"}', {"a": "2"}),
    ],
)
def test_configurations(text: str, value: Any) -> None:
    assert read_body(text.encode(), text_map) == value


def test_anything() -> None:
    text = '[1,-2.5,1e3,true,null,"é",{"a":[{},[]]},12345678901234567890]'
    assert read_body(text.encode(), anything) == [
        1, -2.5, 1000.0, True, None, "é", {"a": [{}, []]}, 12345678901234567890
    ]  # fmt: skip


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(RestError) as raised:
        read_body(b"[" * 100_000, anything)
    assert raised.value.status == 500


def test_lines_are_counted() -> None:
    with pytest.raises(RestError, match="line: 3, column: 5"):
        read_body(b'{"a":"b",\n\n    b}', text_map)
