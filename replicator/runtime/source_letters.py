"""Source records that failed, as messages for the dead letter queue (task thread, slow path only)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from replicator.api.converter import Converter
from replicator.api.record import Header, SourceRecord
from replicator.broker.message import MessageHeaders, NewMessage

CONVERTER = "converter"
JSON = "json"


class LetterEncoder:
    """Uses the connector's converters, and plain JSON for what they cannot encode."""

    def __init__(
        self, key: Converter, value: Converter, headers: Callable[[str, list[Header]], MessageHeaders]
    ) -> None:
        self._key = key
        self._value = value
        self._headers = headers

    def encode(self, record: SourceRecord) -> tuple[NewMessage, str]:
        """The polled record as a message, and whether converters or JSON made it."""
        topic = record.topic
        try:
            key = self._key.from_connect_data(topic, record.key_schema, record.key)
            value = self._value.from_connect_data(topic, record.value_schema, record.value)
            headers = self._headers(topic, record.headers) if record.headers else None
            return NewMessage(topic, key, value, None, record.timestamp, headers), CONVERTER
        except Exception:  # noqa: BLE001 - the converter may be the very thing that failed
            key, value = _plain(record.key), _plain(record.value)
            headers = [(h.key, _plain(h.value)) for h in record.headers or ()]
            return NewMessage(topic, key, value, None, record.timestamp, headers), JSON


def _plain(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value
    return json.dumps(value, ensure_ascii=False, default=_fallback).encode("utf-8", "replace")


def _fallback(value: Any) -> Any:
    fields = getattr(value, "fields", None)
    if isinstance(fields, Mapping):
        return dict(fields)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
