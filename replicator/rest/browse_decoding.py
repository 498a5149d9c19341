"""Bytes of records as people read them: JSON, text, or hexadecimal digits. Pure; any thread.

JSON is passed on as the text that it is, so that no number loses digits on its way. What looks like the stored
configuration of a connector is hidden, whatever its topic is called: it may hold passwords.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from replicator.api.option_types import HIDDEN
from replicator.broker.message import Message
from replicator.rest.browse_registry import RegistryReader

FORMATS: Final = ("auto", "json", "text", "hex")
_STORED: Final = (
    (re.compile(rb"(connector|task)-"), re.compile(rb'\{"properties":\{')),
    (re.compile(rb"session-key"), re.compile(rb'.*"key":', re.DOTALL)),
)
"""Forms of key and value in which Connect stores options, and the key of a group's signatures."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MAGIC: Final = 0
_FRAME: Final = 5


class Decoder:
    """Shows keys, values and headers.

    `form` is json, text or hex for everything, or auto: what fits best. At most `size` bytes of each are shown.
    """

    def __init__(self, form: str, size: int, registry: RegistryReader | None = None) -> None:
        self._form = form
        self._size = size
        self._registry = registry

    def record(self, message: Message) -> dict[str, Any]:
        """A record."""
        value = message.value
        secret = value is not None and is_configuration(message.key, value)
        return {
            "partition": message.partition,
            "offset": message.offset,
            "timestamp": message.timestamp,
            "key": self.shown(message.key, message.topic),
            "value": {"type": "text", "text": HIDDEN, "bytes": len(value or b"")}
            if secret
            else self.shown(value, message.topic),
            "headers": [{"key": name, **self.shown(data)} for name, data in message.headers or ()],
        }

    def shown(self, data: bytes | None, topic: str | None = None) -> dict[str, Any]:
        """`{"type", "text", "bytes"}`, with `cut` when there is more.

        What may be in a registry's form has its `schema_id`, and the `format` when it could be read.
        """
        if data is None:
            return {"type": "null", "text": None, "bytes": 0}
        framed = len(data) > _FRAME and data[0] == _MAGIC
        read = self._registry.text(topic, data) if self._registry and topic and framed else None
        kind, text = self._text(data) if read is None else ("json", read[1])
        shown: dict[str, Any] = {"type": kind, "text": text, "bytes": len(data)}
        if framed and (kind == "hex" or read is not None):
            shown["schema_id"] = int.from_bytes(data[1:_FRAME])
        if read is not None:
            shown["format"] = read[0]
        most = self._size * 2 if kind == "hex" else self._size
        if len(text) > most:
            shown |= {"text": text[:most], "cut": True}
        return shown

    def _text(self, data: bytes) -> tuple[str, str]:
        if self._form == "hex":
            return "hex", data[: self._size + 1].hex()
        if self._form == "text":
            return "text", data.decode("utf-8", "replace")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return "hex", data[: self._size + 1].hex()
        if _is_json(data):
            return "json", text
        if self._form == "auto" and _CONTROL.search(text):
            return "hex", data[: self._size + 1].hex()
        return "text", text


def is_configuration(key: bytes | None, value: bytes) -> bool:
    """Whether this is how Connect stores a connector's options, or the key of a group's signatures."""
    return key is not None and any(name.match(key) and form.match(value) for name, form in _STORED)


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except ValueError:
        return False
    return True
