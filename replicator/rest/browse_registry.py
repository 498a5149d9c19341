"""Shows records in a schema registry's form (Avro, Protobuf, JSON Schema) as JSON. Belongs to one request at a time.

The registry is the one that the worker's converters use, or the worker's own. Converters are loaded when the first such
record is met. What cannot be read stays as it is: the bytes may only look like the registry's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replicator.api.converter import Converter
from replicator.api.errors import ConnectError, DataError
from replicator.converters.registry import local

_OWN: Final = "embedded://"
_URL: Final = "schema.registry.url"
_MOST_FAILURES: Final = 3
_FRAME: Final = 5


class RegistryReader:
    """Reads values; `options` are a converter's, without the prefix."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = {_URL: _OWN, **options}
        self._converters: list[Converter] = []
        self._json: Converter | None = None
        self._failures = 0

    def text(self, topic: str, data: bytes) -> tuple[str, str] | None:
        """Name of the format and JSON, or None for what is in no such form."""
        if len(data) <= _FRAME or data[0] != 0 or self._failures >= _MOST_FAILURES:
            return None
        if self._options[_URL] == _OWN and local.current() is None:
            return None
        try:
            for converter in self._loaded():
                name = type(converter).__name__.removesuffix("Converter")
                if (found := self._read(converter, topic, data)) is not None:
                    return name, found
        except ConnectError:
            pass  # no registry answers: bytes are shown instead
        self._failures += 1
        return None

    def close(self) -> None:
        """Release connections to the registry."""
        for converter in self._converters:
            converter.close()

    def _read(self, converter: Converter, topic: str, data: bytes) -> str | None:
        try:
            found = converter.to_connect_data(topic, data)
        except DataError:
            return None  # a schema of another format, or none
        assert self._json is not None
        shown = self._json.from_connect_data(topic, found.schema, found.value)
        return "null" if shown is None else bytes(shown).decode()

    def _loaded(self) -> list[Converter]:
        if not self._converters:
            from replicator.converters.avro import AvroConverter
            from replicator.converters.json import JsonConverter
            from replicator.converters.jsonschema import JsonSchemaConverter
            from replicator.converters.protobuf import ProtobufConverter

            self._json = JsonConverter()
            self._json.configure({"schemas.enable": "false", "decimal.format": "NUMERIC"}, is_key=False)
            for kind in (AvroConverter, ProtobufConverter, JsonSchemaConverter):
                made = kind()
                made.configure(self._options, is_key=False)
                self._converters.append(made)
        return self._converters
