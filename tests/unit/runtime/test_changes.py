"""Changes through the source's record writer: what is stored is the converter's text, whether handed over or not."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from replicator.api import ChangeRecord, Header, SourceRecord
from replicator.api.schema import STRING
from replicator.converters.json import JsonConverter
from replicator.converters.text import StringConverter
from replicator.runtime.chain import Chain
from replicator.runtime.clock import SystemClock
from replicator.runtime.source_records import RecordWriter
from replicator.runtime.tolerance import ErrorHandler, ErrorPolicy
from tests.unit.converters.test_json_change import converter, origin


def writer(json: JsonConverter) -> RecordWriter:
    errors = ErrorHandler(ErrorPolicy(), [], SystemClock(), threading.Event())
    return RecordWriter(Chain(), json, json, StringConverter(), errors)


def changes(headers: list[Header]) -> list[SourceRecord]:
    first, second = origin(headers=headers), origin(headers=headers)
    row: dict[str, Any] = {"id": 1, "note": "a"}
    return [
        ChangeRecord(first, "r", None, row, {"id": 1}, 5, 0, True),
        ChangeRecord(first, "r", None, {"id": 2, "note": None}, {"id": 2}, 5, 1, True),
        ChangeRecord(second, "u", row, {"id": 1, "note": "b"}, {"id": 1}, 6, 0),
        ChangeRecord(second, "d", row, None, {"id": 1}, 7, 1, True),
        ChangeRecord(second, "t", None, None, None, 8, 2, True),
    ]


@pytest.mark.parametrize("headers", [[], [Header("task", STRING, "7")]], ids=["", "with headers"])
@pytest.mark.parametrize("options", [{}, {"schemas.enable": "false"}, {"replace.null.with.default": "true"}])
def test_what_is_written(options: dict[str, str], headers: list[Header]) -> None:
    json = converter(**options)
    records = changes(headers)
    messages = writer(json).convert(records)
    assert len(messages) == len(records)
    for message, record in zip(messages, records, strict=True):
        assert message.topic == record.topic
        assert message.key == json.from_connect_data(record.topic, record.key_schema, record.key)
        assert message.value == json.from_connect_data(record.topic, record.value_schema, record.value)
        position, *more = message.headers or []
        assert isinstance(record, ChangeRecord)
        assert position == ("__replicator.position", record.position_text.encode())
        assert more == [(h.key, str(h.value).encode()) for h in headers]
        assert (message.data is record) is (not options and not headers)
