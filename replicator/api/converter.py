"""Converters: Connect data <-> bytes of a topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from replicator.api.config import ConfigDef
from replicator.api.schema import Schema


class SchemaAndValue(NamedTuple):
    """A value with its schema; the schema is None for schemaless data."""

    schema: Schema | None
    value: Any


class Converter:
    """Key or value converter. Constructed without arguments, then configured once.

    Called by one task thread. Implementations compile per schema and keep what they compiled,
    keyed by schema identity.
    """

    aliases: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def config_def(cls) -> ConfigDef:
        """The converter's options."""
        return ConfigDef()

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        """Take the options (prefix already removed)."""

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        """Serialise.

        Raises:
            DataError: the value cannot be represented.
        """
        raise NotImplementedError

    def to_connect_data(self, topic: str, data: bytes | None) -> SchemaAndValue:
        """Parse.

        Raises:
            DataError: the bytes are not what this converter writes.
        """
        raise NotImplementedError

    # What follows lets a converter save work that its neighbours would undo; the defaults are right.

    def from_connect_parts(self, topic: str, schema: Schema | None, value: Any) -> tuple[bytes, bytes | None]:
        """Serialise as (prefix, rest); the prefix is one object for all values of a schema."""
        return b"", self.from_connect_data(topic, schema, value)

    def to_connect_parts(self, topic: str, prefix: bytes, rest: bytes | None) -> SchemaAndValue:
        """Parse `prefix + rest`."""
        return self.to_connect_data(topic, prefix + rest if rest is not None else None)

    def to_envelope_parts(self, topic: str, prefix: bytes, rest: bytes | None) -> SchemaAndValue:
        """The same; a change envelope may come as `UnreadEnvelope`."""
        return self.to_connect_parts(topic, prefix, rest)

    def around_json(self, schema: Schema, written: Schema) -> tuple[bytes, bytes] | None:
        """What stands before and after the JSON text of a value, if the text is all there is between them.

        None when it is not, or when values of the schema `written` (the value's own or a part's) have another form
        in JSON than in Connect. Nulls in them are allowed only where their schema allows them.
        """
        return None

    def form(self) -> object | None:
        """A hashable value if `to_connect_data` gives back what a converter with an equal form was given.

        Struct values must list all fields in schema order for that. None: no such promise.
        """
        return None

    def close(self) -> None:
        """Release resources."""


class HeaderConverter:
    """Header values <-> bytes."""

    aliases: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def config_def(cls) -> ConfigDef:
        """The converter's options."""
        return ConfigDef()

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        """Take the options (prefix already removed)."""

    def from_connect_header(self, topic: str, key: str, schema: Schema | None, value: Any) -> bytes | None:
        """Serialise one header value."""
        raise NotImplementedError

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> SchemaAndValue:
        """Parse one header value."""
        raise NotImplementedError

    def close(self) -> None:
        """Release resources."""
