"""Options of CloudEventsConverter, and what they mean. Pure; any thread."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import ConfigError
from replicator.api.option_types import Type
from replicator.api.validators import one_of

_HIGH, _LOW = Importance.HIGH, Importance.LOW
_DEFAULT_METADATA: Final = (
    "value", "id:generate", "type:generate", "traceparent:header", "dataSchemaName:generate"
)  # fmt: skip
_FIELDS: Final = ("id", "type", "traceparent", "dataSchemaName")
_SERIALIZERS: Final = one_of("json", "avro", ignore_case=True)

OPTIONS: Final = ConfigDef(
    key(
        "serializer.type",
        Type.STRING,
        "json",
        importance=_HIGH,
        doc="Form of the events: json or avro.",
        validator=_SERIALIZERS,
    ),
    key(
        "data.serializer.type",
        Type.STRING,
        "json",
        importance=_HIGH,
        doc="Form of the data in them: json, or avro.",
        validator=_SERIALIZERS,
    ),
    key(
        "opentelemetry.tracing.attributes.enable",
        Type.BOOLEAN,
        False,
        importance=_HIGH,
        doc="Add the attribute traceparent, which is null.",
    ),
    key(
        "extension.attributes.enable",
        Type.BOOLEAN,
        True,
        importance=_HIGH,
        doc="Add the source block and the transaction as attributes whose names begin with iodebezium.",
    ),
    key(
        "schema.name.adjustment.mode",
        Type.STRING,
        "avro",
        importance=_LOW,
        doc="avro replaces what Avro does not allow in the names of schemas, avro_unicode escapes it, none leaves it.",
        validator=one_of("avro", "avro_unicode", "none", ignore_case=True),
    ),
    key("schema.cloudevents.name", Type.STRING, None, importance=_LOW, doc="Name of the schema of events."),
    key(
        "schema.data.name.source.header.enable",
        Type.BOOLEAN,
        False,
        importance=_LOW,
        doc="Not supported: converters do not see headers.",
    ),
    key(
        "metadata.source",
        Type.LIST,
        list(_DEFAULT_METADATA),
        importance=_HIGH,
        doc="Where metadata come from: the value. `header` is refused, but for a traceparent that is not asked for.",
    ),
)


@dataclass(frozen=True, slots=True)
class Options:
    """See OPTIONS.

    Attributes:
        event: form of events.
        data: form of their data.
        tracing: whether events have the attribute traceparent.
        extensions: whether they have extension attributes.
        schema_name: name of their schema, if it was given.
        mode: how names of schemas are adjusted.
    """

    event: str
    data: str
    tracing: bool
    extensions: bool
    schema_name: str | None
    mode: str

    def adjusted(self, name: str) -> str:
        """A name of a schema as Avro allows it, unless that is not wanted."""
        if self.mode == "none":
            return name

        def replaced(found: re.Match[str]) -> str:
            return "_" if self.mode == "avro" else f"_u{ord(found[0]):04x}"

        return ".".join(re.sub(r"^[^A-Za-z_]|[^A-Za-z0-9_]", replaced, part) for part in name.split("."))


def options_of(config: Mapping[str, Any]) -> Options:
    """Parse and check.

    Raises:
        ConfigError: an option is wrong, or cannot be had.
    """
    given = OPTIONS.parse(config)
    event, data = given["serializer.type"].lower(), given["data.serializer.type"].lower()
    if event == "avro" and data == "json":
        raise ConfigError(
            "Cannot use 'application/json' data content type within Avro events",
            option="data.serializer.type",
        )
    tracing = given["opentelemetry.tracing.attributes.enable"]
    _check_sources(given["metadata.source"] or ["value"], tracing=tracing)
    if given["schema.data.name.source.header.enable"]:
        raise _from_headers("schema.data.name.source.header.enable")
    mode = given["schema.name.adjustment.mode"].lower()
    return Options(
        event, data, tracing, given["extension.attributes.enable"], given["schema.cloudevents.name"], mode
    )


def _check_sources(sources: list[str], *, tracing: bool) -> None:
    if sources[0] != "value":
        if sources[0] == "header":
            raise _from_headers("metadata.source")
        raise ConfigError(f"Global metadata source can't be {sources[0].upper()}", option="metadata.source")
    for entry in sources[1:]:
        name, _, source = entry.partition(":")
        if source not in ("header", "generate"):
            raise ConfigError(f"Field source `{source}` is not valid", option="metadata.source")
        if name not in _FIELDS:
            raise ConfigError(f"Field `{name}` is not allowed to set custom source", option="metadata.source")
        if source == "header" and (name in ("id", "type") or (name == "traceparent" and tracing)):
            raise _from_headers("metadata.source")


def _from_headers(option: str) -> ConfigError:
    return ConfigError(
        f"Metadata of CloudEvents cannot come from headers here ({option}).",
        option=option,
        hint="Use value and generate; headers become fields with io.debezium.transforms.HeaderToValue.",
    )
