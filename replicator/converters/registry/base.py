"""RegistryConverter: what the Avro, Protobuf and JSON Schema converters have in common. Task thread.

A message is a zero byte, the schema's id in four bytes, and the payload. Writers are kept per topic and
schema identity, readers per topic and id, so the registry is asked once per schema.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef
from replicator.api.converter import Converter, SchemaAndValue
from replicator.api.errors import ConfigError, ConnectError, DataError, RetriableError, SchemaError
from replicator.api.schema import Schema
from replicator.converters.registry import local, options, subjects
from replicator.converters.registry.client import RegistryClient
from replicator.converters.registry.http import HttpTransport, request_headers
from replicator.converters.registry.model import Registered, RegistryError, SchemaText, Transport

MAGIC: Final = b"\x00"
_HEAD: Final = struct.Struct(">bI")
_NOTHING: Final = SchemaAndValue(None, None)

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], SchemaAndValue]


@dataclass(slots=True)
class Prepared:
    """A Connect schema in the format's own terms.

    Attributes:
        text: what is registered.
        record: full name of the record, for subjects; None when it is no record.
        native: the converter's own form of the schema.
    """

    text: SchemaText
    record: str | None
    native: Any = None


class RegistryConverter(Converter):
    """See the module. A subclass says how schemas and payloads look."""

    format_name: ClassVar[str]
    schema_type: ClassVar[str]

    # What a format defines

    def prepare(self, schema: Schema | None) -> Prepared:
        """The schema that values of this Connect schema are written with."""
        raise NotImplementedError

    def encoder(self, schema: Schema | None, prepared: Prepared, written: SchemaText) -> Encode:
        """The writer of payloads; `written` is the schema readers will use."""
        raise NotImplementedError

    def decoder(self, found: SchemaText, version: int | None) -> Decode:
        """The reader of whole messages of a schema."""
        raise NotImplementedError

    def incompatibilities(self, newest: SchemaText, ours: SchemaText) -> list[str]:
        """Why readers of `newest` could not read what is written as `ours`."""
        raise NotImplementedError

    def record_of(self, found: SchemaText) -> str | None:
        """Full name of the record that a schema describes."""
        raise NotImplementedError

    # The converter

    @classmethod
    def config_def(cls) -> ConfigDef:
        return options.CONVERTER

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        raw = options.unprefixed(config)
        parsed = self.options = self.config_def().parse(raw)
        self.is_key = is_key
        part = "key" if is_key else "value"
        option = f"{part}.subject.name.strategy"
        self._strategy = subjects.strategy(str(parsed[option]), option)
        ttl = float(parsed["latest.cache.ttl.sec"])
        size = int(parsed["max.schemas.per.subject"])
        self.client = RegistryClient(_transport(parsed, raw), cache_size=size, latest_ttl=ttl)
        self._cache_size: int = parsed["schemas.cache.config"]
        # With a time to live, writers are looked up again after it.
        self._ttl = ttl if parsed["use.latest.version"] and ttl >= 0 else None
        self._writers: dict[tuple[str, int], tuple[Schema | None, Encode, float]] = {}
        self._readers: dict[tuple[str, bytes], Decode] = {}
        self._last: tuple[str, Schema | None, Encode] | None = None

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if value is None and (schema is None or schema.optional):
            return None
        try:
            last = self._last
            if last is not None and last[1] is schema and last[0] == topic:
                return last[2](value)
            return self._writer(topic, schema)(value)
        except (RetriableError, ConfigError):
            raise
        except DataError as error:
            raise DataError(
                f"Failed to serialize {self.format_name} data from topic {topic}: {error}"
            ) from error

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        if data is None:
            return _NOTHING
        try:
            read = self._readers.get((topic, data[:5]))
            return read(data) if read is not None else self._reader(topic, data)(data)
        except (RetriableError, ConfigError):
            raise
        except DataError as error:
            raise DataError(
                f"Failed to deserialize data for topic {topic} to {self.format_name}: {error}"
            ) from error

    def close(self) -> None:
        self.client.close()

    def _writer(self, topic: str, schema: Schema | None) -> Encode:
        key = (topic, id(schema))
        known = self._writers.get(key)
        now = time.monotonic() if self._ttl is not None else 0.0
        if known is None or (self._ttl is not None and now >= known[2]):
            prepared = self.prepare(schema)
            registered = self._registered(self._strategy(topic, self.is_key, prepared.record), prepared.text)
            payload = self.encoder(schema, prepared, registered.schema)
            head = _HEAD.pack(0, registered.id)
            known = (schema, lambda value: head + payload(value), now + (self._ttl or 0.0))
            make_room(self._writers, self._cache_size)
            self._writers[key] = known
        if self._ttl is None:
            self._last = (topic, schema, known[1])
        return known[1]

    def _registered(self, subject: str, ours: SchemaText) -> Registered:
        """The schema that is written with, and its id."""
        normalize = bool(self.options["normalize.schemas"])
        try:
            if self.options["auto.register.schemas"]:
                return Registered(self.client.register(subject, ours, normalize=normalize), ours)
            if self.options["use.schema.id"] >= 0:
                return self._fixed(subject, ours)
            if self.options["use.latest.version"]:
                return self._newest(subject, ours)
            found = self.client.lookup(subject, ours, normalize=normalize)
            return Registered(found.id, ours)
        except RegistryError as error:
            doing = "registering" if self.options["auto.register.schemas"] else "retrieving"
            raise DataError(f"Error {doing} {self.format_name} schema{ours.text}: {error}") from error

    def _fixed(self, subject: str, ours: SchemaText) -> Registered:
        number = int(self.options["use.schema.id"])
        found = self.client.by_id(number, subject)
        self._check(found, ours, "id.compatibility.strict")
        return Registered(number, found)

    def _newest(self, subject: str, ours: SchemaText) -> Registered:
        found = self.client.latest(subject)
        self._check(found.schema, ours, "latest.compatibility.strict")
        return found

    def _check(self, newest: SchemaText, ours: SchemaText, option: str) -> None:
        if not self.options[option]:
            return
        reasons = self.incompatibilities(newest, ours)
        if reasons:
            raise DataError(
                f"Incompatible schema {newest.text} with refs "
                f"{[r.to_json() for r in newest.references]} of type {newest.type} for schema {ours.text}. "
                f"Set {option}=false to disable this check: {'; '.join(reasons)}"
            )

    def _reader(self, topic: str, data: bytes) -> Decode:
        if len(data) < 5 or data[:1] != MAGIC:
            raise DataError("Unknown magic byte!" if data[:1] != MAGIC else "The message has no schema id")
        number = _HEAD.unpack_from(data)[1]
        try:
            found = self.client.by_id(number)
        except RegistryError as error:
            raise DataError(f"Error retrieving {self.format_name} schema for id {number}: {error}") from error
        if found.type != self.schema_type:
            raise DataError(f"The schema of id {number} is of type {found.type}, not {self.schema_type}")
        try:
            made = self.decoder(found, self._version(topic, found))
        except SchemaError as error:
            raise DataError(f"The schema of id {number} cannot be used: {error}") from error
        make_room(self._readers, self._cache_size)
        self._readers[topic, data[:5]] = made
        return made

    def _version(self, topic: str, found: SchemaText) -> int | None:
        """The version that the schema has under the topic's subject, if it is registered there."""
        try:
            subject = self._strategy(topic, self.is_key, self.record_of(found))
            return self.client.lookup(subject, found, deleted=True).version
        except RetriableError:
            raise
        except ConnectError:
            return None


def make_room(cache: dict[Any, Any], size: int) -> None:
    """Empty a cache that is full."""
    if len(cache) >= size:
        cache.clear()


def _transport(parsed: Mapping[str, Any], raw: Mapping[str, Any]) -> Transport:
    urls = [str(url).strip() for url in parsed[options.URL] if str(url).strip()]
    if not urls:
        raise ConfigError(
            f'Missing required configuration "{options.URL}" which has no default value.', option=options.URL
        )
    schemes = {url.partition("://")[0] for url in urls}
    if schemes == {"embedded"}:
        return local.EmbeddedTransport()
    if schemes == {"mock"}:
        from replicator.converters.registry.server import in_memory

        return local.scope(urls[0], in_memory)
    return HttpTransport(urls, parsed, request_headers(raw))
