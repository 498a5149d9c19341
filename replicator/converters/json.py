"""JsonConverter: Connect's JSON format with or without embedded schemas.

Runs on a task's thread. Hot path: for each schema one writer and one reader are compiled and
found again by identity (writing) or by the bytes in front of the payload (reading), so that the
schema's text is neither written nor parsed again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import orjson

from replicator.api.config import ConfigDef
from replicator.api.converter import SchemaAndValue
from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_envelope import EnvelopeReader, envelope_reader
from replicator.converters.json_logical import NeedsExactNumbersError
from replicator.converters.json_native import (
    JSON_OPTIONS,
    has_defaults,
    is_native,
    nullable_with_default,
    unwrap_struct,
)
from replicator.converters.json_options import OPTIONS
from replicator.converters.json_parse import parse, parse_exactly, parse_schemaless
from replicator.converters.json_read import Decode, ReadCompiler
from replicator.converters.json_schema_text import schema_from_json, schema_to_json
from replicator.converters.json_write import WriteCompiler, encode_schemaless
from replicator.converters.text import DataAsHeader

Write = Callable[[Any], bytes]

ENVELOPE_ERROR: Final = (
    'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain '
    "additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false "
    "in your converter configuration."
)
log = logging.getLogger(__name__)

_BEFORE: Final = b'{"schema":'
_BETWEEN: Final = b',"payload":'
_new = tuple.__new__  # makes a named tuple in two thirds of the time
_NOTHING: Final = SchemaAndValue(None, None)


class _Writer:
    """What is kept for one schema: the bytes in front of every payload and the payload's writer."""

    __slots__ = ("prefix", "write")

    def __init__(self, prefix: bytes, write: Write) -> None:
        self.prefix = prefix
        self.write = write


class _Reader:
    """What is kept for one schema text: the bytes in front of the payload and the compiled readers."""

    __slots__ = ("decode", "envelope", "prefix", "schema", "skip")

    def __init__(
        self, prefix: bytes, schema: Schema | None, decode: Decode, envelope: EnvelopeReader | None
    ) -> None:
        self.prefix = prefix
        self.skip = len(prefix)
        self.schema = schema
        self.decode = decode
        self.envelope = envelope


class JsonConverter(DataAsHeader):
    """Reads and writes Connect's JSON."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.json.JsonConverter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def __init__(self) -> None:
        self.configure({}, is_key=False)

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        options = OPTIONS.parse(config)
        self._schemas: bool = options["schemas.enable"]
        self._cache_size: int = options["schemas.cache.size"]
        replace = self._replace = bool(options["replace.null.with.default"])
        numeric = self._numeric = str(options["decimal.format"]).upper() == "NUMERIC"
        self._write_compiler = WriteCompiler(numeric=numeric, replace_null=replace)
        self._read_compiler = ReadCompiler(replace_null=replace)
        self._last_schema: Schema | None = None
        self._last_writer: _Writer | None = None
        # Keyed by id: the schema is kept beside its writer so that the id stays its own.
        self._writers_by_id: dict[int, tuple[Schema, _Writer]] = {}
        self._writers: dict[Schema, _Writer] = {}
        self._readers_by_topic: dict[str, _Reader] = {}
        self._readers: dict[bytes, _Reader] = {}
        content = str(options["schema.content"] or "").strip()
        self._content = self._content_reader(content) if self._schemas and content else None

    # Writing

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        prefix, rest = self.from_connect_parts(topic, schema, value)
        return prefix + rest if rest is not None and prefix else rest

    def from_connect_parts(self, topic: str, schema: Schema | None, value: Any) -> tuple[bytes, bytes | None]:
        if schema is None:
            return b"", self._write_schemaless(value)
        writer = self._last_writer if schema is self._last_schema else self._writer(schema)
        try:
            return writer.prefix, writer.write(value)  # type: ignore[union-attr]
        except (TypeError, ValueError, RecursionError) as error:
            raise DataError(
                f"Converting Kafka Connect data to byte[] failed due to serialization error: {error}"
            ) from error

    def form(self) -> object | None:
        # With schemas and without defaults in place of nulls, reading undoes writing exactly.
        exact = self._schemas and not self._replace and self._content is None
        return ("json", self._numeric) if exact else None

    def around_json(self, schema: Schema, written: Schema) -> tuple[bytes, bytes] | None:
        if not is_native(written) or (self._replace and has_defaults(written)):
            return None
        return self._writer(schema).prefix, b"}" if self._schemas else b""

    def _writer(self, schema: Schema) -> _Writer:
        known = self._writers_by_id.get(id(schema))
        if known is not None:
            writer = known[1]
        else:
            found = self._writers.get(schema)
            if found is None:
                _make_room(self._writers, self._cache_size)
                found = self._writers[schema] = self._compile_writer(schema)
            writer = found
            _make_room(self._writers_by_id, self._cache_size)
            self._writers_by_id[id(schema)] = (schema, writer)
        self._last_schema, self._last_writer = schema, writer
        return writer

    def _compile_writer(self, schema: Schema) -> _Writer:
        replaced = nullable_with_default(schema) if self._replace else []
        if replaced:
            log.warning(
                "Nulls in %s of %s are written as the default of the field, as in Kafka Connect; to keep them set"
                " replace.null.with.default=false for the converter (value.converter.replace.null.with.default).",
                ", ".join(replaced),
                schema.name or "a schema without a name",
            )
        of_null = self._write_compiler.nullable(schema)
        encode = self._write_compiler.value(schema)
        prefix, suffix = b"", b""
        if self._schemas:
            text = orjson.dumps(schema_to_json(schema, self._write_compiler), default=unwrap_struct)
            prefix, suffix = _BEFORE + text + _BETWEEN, b"}"
        dumps = orjson.dumps

        def write(value: Any) -> bytes:
            if value is None:
                value = of_null(None)
            elif encode is not None:
                value = encode(value)
            return dumps(value, unwrap_struct, JSON_OPTIONS) + suffix

        return _Writer(prefix, write)

    def _write_schemaless(self, value: Any) -> bytes | None:
        if value is None:
            return None
        try:
            payload = orjson.dumps(encode_schemaless(value), option=JSON_OPTIONS)
        except (TypeError, RecursionError) as error:
            raise DataError(
                f"Converting Kafka Connect data to byte[] failed due to serialization error: {error}"
            ) from error
        return b'{"schema":null,"payload":%b}' % payload if self._schemas else payload

    # Reading

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        if data is None:
            return _NOTHING
        if not self._schemas:
            return SchemaAndValue(None, parse_schemaless(data))
        if self._content is not None:
            return self._read_content(self._content, data)
        reader = self._readers_by_topic.get(topic)
        if reader is None or not data.startswith(reader.prefix):
            reader = self._known_reader(topic, data)
        if reader is not None and data[-1] == 125:  # "}"
            try:
                payload = orjson.loads(data[reader.skip : -1])
            except orjson.JSONDecodeError:
                # Not the end of the message after all (or not JSON): the thorough way tells.
                return self._read_whole(topic, data)
            try:
                return _new(SchemaAndValue, (reader.schema, reader.decode(payload)))
            except NeedsExactNumbersError:
                return SchemaAndValue(reader.schema, reader.decode(parse_exactly(data)["payload"]))
        return self._read_whole(topic, data)

    def to_connect_parts(self, topic: str, prefix: bytes, rest: bytes | None) -> SchemaAndValue:
        reader = self._readers.get(prefix) if prefix and self._schemas else None
        if reader is None or not rest or rest[-1] != 125:
            return self.to_connect_data(topic, prefix + rest if rest is not None else None)
        try:
            payload = orjson.loads(rest[:-1])
            return _new(SchemaAndValue, (reader.schema, reader.decode(payload)))
        except (orjson.JSONDecodeError, NeedsExactNumbersError):
            return self.to_connect_data(topic, prefix + rest)

    def to_envelope_parts(self, topic: str, prefix: bytes, rest: bytes | None) -> SchemaAndValue:
        reader = self._readers.get(prefix) if prefix and self._schemas else None
        if reader is None or reader.envelope is None or not rest or rest[-1] != 125:
            return self.to_connect_parts(topic, prefix, rest)
        try:
            value = reader.envelope.read(rest)
        except (orjson.JSONDecodeError, NeedsExactNumbersError, DataError):
            value = None
        if value is None:
            return self.to_connect_parts(topic, prefix, rest)
        return _new(SchemaAndValue, (reader.schema, value))

    def _known_reader(self, topic: str, data: bytes) -> _Reader | None:
        """A reader whose prefix starts the data.

        The text between could also be inside a schema's default, therefore only whole prefixes
        that were verified once are looked up.
        """
        end = data.find(_BETWEEN)
        reader = self._readers.get(data[: end + len(_BETWEEN)]) if end > 0 else None
        if reader is not None:
            self._readers_by_topic[topic] = reader
        return reader

    def _read_whole(self, topic: str, data: bytes) -> SchemaAndValue:
        message = parse(data) if data.strip() else None
        if not (
            isinstance(message, dict) and len(message) == 2 and "schema" in message and "payload" in message
        ):
            raise DataError(ENVELOPE_ERROR)
        prefix = _BEFORE + orjson.dumps(message["schema"]) + _BETWEEN
        reader = self._readers.get(prefix)
        if reader is None:
            reader = self._compile_reader(prefix, message["schema"])
        if data.startswith(prefix):
            self._readers_by_topic[topic] = reader
        try:
            return SchemaAndValue(reader.schema, reader.decode(message["payload"]))
        except NeedsExactNumbersError:
            return SchemaAndValue(reader.schema, reader.decode(parse_exactly(data)["payload"]))

    def _content_reader(self, text: str) -> _Reader | None:
        """The reader of plain payloads for `schema.content`; None if that is `null`."""
        try:
            node = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise DataError(
                f"Failed to parse schema in converter config due to serialization error: {error}"
            ) from error
        return (
            self._compile_reader(_BEFORE + orjson.dumps(node) + _BETWEEN, node) if node is not None else None
        )

    def _read_content(self, reader: _Reader, data: bytes) -> SchemaAndValue:
        try:
            return SchemaAndValue(reader.schema, reader.decode(parse(data)))
        except NeedsExactNumbersError:
            return SchemaAndValue(reader.schema, reader.decode(parse_exactly(data)))

    def _compile_reader(self, prefix: bytes, node: Any) -> _Reader:
        try:
            schema = schema_from_json(node, self._read_compiler)
        except NeedsExactNumbersError:
            schema = schema_from_json(
                parse_exactly(prefix[len(_BEFORE) : -len(_BETWEEN)]), self._read_compiler
            )
        decode = _as_is if schema is None else self._decoder(schema)
        envelope = None if schema is None else envelope_reader(schema, self._read_compiler.struct)
        _make_room(self._readers, self._cache_size)
        reader = self._readers[prefix] = _Reader(prefix, schema, decode, envelope)
        return reader

    def _decoder(self, schema: Schema) -> Decode:
        nullable = self._read_compiler.nullable(schema)
        fields = self._read_compiler.value(schema)
        if schema.type is not SchemaType.STRUCT or fields is None:
            return nullable

        def decode(value: Any) -> Any:
            return nullable(None) if value is None else Struct(schema, fields(value))

        return decode


def _make_room(cache: dict[Any, Any], size: int) -> None:
    if len(cache) >= size:
        cache.clear()


def _as_is(value: Any) -> Any:
    return value
