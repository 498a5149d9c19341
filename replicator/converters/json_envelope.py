"""Reads change envelopes without their source block, which is cut out of the text (task thread).

In valid JSON the text `,"source":{` is the start of an object under that name, since quotes within strings are escaped,
and `},"op":` the end of one before `op`. Where rows and source block hold no objects themselves, these are the
envelope's own. Whatever is not as expected is read in the usual way, which also finds the words for errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType
from replicator.api.unread import UnreadEnvelope

Fields = Callable[[Any], dict[str, Any]]

_SOURCE: Final = "source"
_BEGIN: Final = b',"source":{'
_WITH_OBJECTS: Final = (SchemaType.STRUCT, SchemaType.MAP)


class EnvelopeReader:
    """Reads envelopes of one schema."""

    def __init__(self, schema: Schema, known: Fields, source: Fields, end: bytes) -> None:
        """Take what was compiled.

        Args:
            schema: the envelope's schema.
            known: makes the fields without the source block from their JSON.
            source: makes the source block from its JSON.
            end: the text between the source block's last member and the value of the next field.
        """
        self._schema = schema
        self._known = known
        self._source = source
        self._end = end

    def read(self, text: bytes) -> UnreadEnvelope | None:
        """The envelope from its JSON with one character behind it; None when it has to be read in the usual way.

        Raises:
            orjson.JSONDecodeError: it is no JSON, but for the source block, which is not looked at.
            DataError: its parts do not fit the schema.
        """
        begin = text.find(_BEGIN)
        end = text.find(self._end, begin) if begin > 0 else -1
        if end < 0:
            return None
        known = self._known(orjson.loads(text[:begin] + text[end + 1 : -1]))
        return UnreadEnvelope(self._schema, known, text, self._read_source)

    def _read_source(self, text: bytes) -> dict[str, Any]:
        begin = text.find(_BEGIN)
        try:
            return self._source(orjson.loads(text[begin + len(_BEGIN) - 1 : text.find(self._end, begin) + 1]))
        except orjson.JSONDecodeError as error:
            raise DataError(
                f"Converting byte[] to Kafka Connect data failed due to serialization error: {error}"
            ) from error


def envelope_reader(schema: Schema, compiled: Callable[[Schema], Fields]) -> EnvelopeReader | None:
    """A reader for this schema; None when it is no envelope, or one that cannot be cut.

    Args:
        schema: of the values.
        compiled: compiles a struct's schema.
    """
    names = [field.name for field in schema.fields]
    if not {"before", "after", "op", _SOURCE} <= set(names):
        return None
    at = names.index(_SOURCE)
    source = schema.fields[at].schema
    if not 0 < at < len(names) - 1 or source.type is not SchemaType.STRUCT:
        return None
    if any(_has_objects(part.schema) for field in schema.fields for part in field.schema.fields):
        return None
    if any(field.schema.type in (SchemaType.MAP, SchemaType.ARRAY) for field in schema.fields):
        return None
    rest = schema.evolve(fields=[(f.name, f.schema) for f in schema.fields if f.name != _SOURCE])
    end = b"}," + orjson.dumps(names[at + 1]) + b":"
    return EnvelopeReader(schema, compiled(rest), compiled(source), end)


def _has_objects(schema: Schema) -> bool:
    inner = schema.value_schema if schema.type is SchemaType.ARRAY else None
    return schema.type in _WITH_OBJECTS or (inner is not None and _has_objects(inner))
