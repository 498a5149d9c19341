"""ByLogicalTableRouter: tables that belong together, such as shards, sent to one topic. Task thread.

The schemas of key and value are renamed after the new topic, and the key gains a field that tells the tables apart.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from connectors.cdc.naming import SCHEMA_ADJUSTMENTS
from connectors.cdc.smt_options import option, pattern, refused, require
from connectors.cdc.unwrap import is_envelope
from replicator.api.config import ConfigDef, Width
from replicator.api.errors import DataError, SchemaError
from replicator.api.java_regex import replacement
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord
from replicator.api.schema import STRING, Schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_PURPOSE: Final = "Updating schema"
_IMAGES: Final = ("before", "after")

log = logging.getLogger(__name__)


class ByLogicalTableRouter(Transformation):
    """Routes by a pattern on the whole topic name; other topics pass."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.ByLogicalTableRouter",)
    key_field: ClassVar[str] = "__dbz__physicalTableIdentifier"

    @classmethod
    def config_def(cls) -> ConfigDef:
        text = Type.STRING
        return ConfigDef(
            option(
                "topic.regex", text, None, "Topic regex", "Pattern that the whole name of a topic must match."
            ),
            option(
                "topic.replacement",
                text,
                None,
                "Topic replacement",
                "The new topic; $1 or ${name} stand for groups of topic.regex.",
            ),
            option(
                "key.enforce.uniqueness",
                Type.BOOLEAN,
                True,
                "Add source topic name into key",
                "Whether keys get a field with the original topic, as rows of several tables may have equal keys.",
                width=Width.SHORT,
            ),
            option(
                "key.field.regex",
                text,
                None,
                "Key field regex",
                "Pattern on the original topic for what goes into the added field of the key.",
            ),
            option(
                "key.field.name",
                text,
                cls.key_field,
                "Key field name",
                "Name of the added field of the key.",
            ),
            option(
                "key.field.replacement",
                text,
                None,
                "Key field replacement",
                "What goes into the added field, with groups of key.field.regex.",
            ),
            option(
                "schema.name.adjustment.mode",
                text,
                "none",
                "Schema Name Adjustment",
                "How schema names are made legal: none, avro or avro_unicode.",
                width=Width.SHORT,
            ),
            option(
                "logical.destination.cache.size",
                Type.INT,
                16,
                "Logical destination cache size",
                "How many topics and schemas are remembered.",
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        require(options, "topic.regex", "topic.replacement")
        self._pattern = pattern(options, "topic.regex")
        self._replacement: str = options["topic.replacement"]
        self._unique: bool = options["key.enforce.uniqueness"]
        self._field: str = options["key.field.name"]
        self._field_pattern = None
        self._field_text = ""
        if options["key.field.regex"]:
            self._field_pattern = pattern(options, "key.field.regex")
            if not options["key.field.replacement"]:
                why = "must be non-empty if key.field.regex is set."
                raise refused("key.field.replacement", options["key.field.replacement"], why)
            self._field_text = options["key.field.replacement"]
        mode = str(options["schema.name.adjustment.mode"]).lower()
        if mode not in SCHEMA_ADJUSTMENTS:
            why = f"Value must be one of {', '.join(SCHEMA_ADJUSTMENTS)}"
            raise refused("schema.name.adjustment.mode", mode, why)
        self._adjust = SCHEMA_ADJUSTMENTS[mode]
        self._most: int = max(options["logical.destination.cache.size"], 1)
        self._topics: dict[str, tuple[str, str]] = {}
        self._keys: dict[str, PlanCache[Schema]] = {}
        self._values: dict[str, PlanCache[Schema]] = {}

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        routed = self._topics.get(record.topic)
        if routed is None:
            if len(self._topics) >= self._most:
                self._topics.clear()
            routed = self._topics[record.topic] = self._route(record.topic)
        topic, identifier = routed
        if not topic:
            return record
        changes: dict[str, Any] = {"topic": topic}
        if record.key is not None:
            key = self._new_key(record, topic, identifier)
            changes |= {"key_schema": key.schema, "key": key}
        if record.value is not None and is_envelope(record):
            value = self._new_value(record.value, topic)
            changes |= {"value_schema": value.schema, "value": value}
        return record.evolve(**changes)

    def _route(self, topic: str) -> tuple[str, str]:
        """New topic, empty where it stays, and the identifier for the key."""
        if self._pattern.fullmatch(topic) is None:
            return "", ""
        new = self._pattern.sub(replacement(self._replacement, self._pattern), topic, count=1)
        if not new:
            log.warning("The routing pattern makes an empty topic of %s: its records stay there", topic)
        identifier = topic
        if self._field_pattern is not None and self._field_pattern.fullmatch(topic) is not None:
            text = replacement(self._field_text, self._field_pattern)
            identifier = self._field_pattern.sub(text, topic, count=1)
        return new, identifier

    def _new_key(self, record: ConnectRecord, topic: str, identifier: str) -> Struct:
        if not isinstance(record.key, Struct):
            found = "java.lang.String" if isinstance(record.key, str) else type(record.key).__name__
            raise DataError(f"Only Struct objects supported for [{_PURPOSE}], found: {found}")
        schema = self._plans(self._keys, topic, self._key_schema)(record.key.schema)
        fields = dict(record.key.fields)
        if self._unique:
            fields[self._field] = identifier
        return Struct(schema, fields)

    def _plans(self, into: dict[str, PlanCache[Schema]], topic: str, make: Any) -> PlanCache[Schema]:
        plans = into.get(topic)
        if plans is None:
            if len(into) >= self._most:
                into.clear()
            plans = into[topic] = PlanCache(lambda schema: make(schema, topic))
        return plans

    def _key_schema(self, schema: Schema, topic: str) -> Schema:
        fields = [(f.name, f.schema) for f in schema.fields]
        if self._unique:
            if schema.field(self._field) is not None:
                raise SchemaError(f"Cannot create field because of field name duplication {self._field}")
            fields.append((self._field, STRING))
        return schema.evolve(name=self._adjust(f"{topic}.Key"), fields=fields)

    def _new_value(self, envelope: Struct, topic: str) -> Struct:
        schema = self._plans(self._values, topic, self._value_schema)(envelope.schema)
        fields = dict(envelope.fields)
        for name in _IMAGES:
            image = fields.get(name)
            if isinstance(image, Struct):
                fields[name] = image.fields  # of the schema that is replaced
        return Struct(schema, fields)

    def _value_schema(self, schema: Schema, topic: str) -> Schema:
        row = self._adjust(f"{topic}.Value")
        fields = [
            (f.name, f.schema.evolve(name=row) if f.name in _IMAGES else f.schema) for f in schema.fields
        ]
        return schema.evolve(name=self._adjust(f"{topic}.Envelope"), fields=fields)


class ToLogicalTopicRouter(ByLogicalTableRouter):
    """The same under its newer name, with another name for the added field."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.ToLogicalTopicRouter",)
    key_field: ClassVar[str] = "__dbz__sourceIdentifier"
