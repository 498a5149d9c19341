"""DecodeLogicalDecodingMessageContent: JSON in a logical message becomes the row of a change event. Task thread.

So an application that writes its events with `pg_logical_emit_message` needs no outbox table: the event looks
like an insert into one, and the outbox router or any other transform for change events can follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.cdc.outbox_json import JsonRules, expand
from connectors.cdc.schemas import MESSAGE_VALUE_NAME
from connectors.cdc.smt_options import option
from replicator.api.config import ConfigDef, Importance, Width
from replicator.api.errors import DataError
from replicator.api.option_types import Type
from replicator.api.record import ConnectRecord
from replicator.api.schema import Schema, SchemaType, struct_schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_KEPT = ("op", "ts_ms", "source", "transaction")
_MOST = 64


class DecodeLogicalDecodingMessageContent(Transformation):
    """Decodes the content of logical messages; other records pass."""

    aliases: ClassVar[tuple[str, ...]] = (
        "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent",
    )

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            option(
                "fields.null.include",
                Type.BOOLEAN,
                False,
                "Defines whether to include fields with null values to the decoded structure",
                "Whether fields of the JSON that are null are kept, as optional bytes.",
                importance=Importance.MEDIUM,
                width=Width.MEDIUM,
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._rules = JsonRules(nulls=options["fields.null.include"], empty_arrays=False)
        self._rows: dict[Schema, Schema] = {}
        self._values: dict[tuple[Schema, Schema], Schema] = {}

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema = record.value_schema
        if schema is None or schema.name != MESSAGE_VALUE_NAME or not isinstance(record.value, Struct):
            return record
        row = self._row(record.value)
        made = self._value_schema(schema, row.schema)
        fields = {name: record.value.fields.get(name) for name in _KEPT}
        value = Struct(made, {**fields, "op": "c", "after": row})
        return record.evolve(key_schema=None, key=None, value_schema=made, value=value)

    def _row(self, value: Struct) -> Struct:
        message = value.get("message")
        content = message.get("content") if isinstance(message, Struct) else None
        if not isinstance(content, (bytes, bytearray, memoryview)):
            raise DataError("The content of a logical decoding message is non-binary")
        text = bytes(content).decode("utf-8", "replace")
        if not text.startswith(("{", "[")):
            raise DataError(f"Unable to parse logical decoding message content JSON string '{text}'")
        schema, row = expand(text, self._rules, root="")
        if schema.type is not SchemaType.STRUCT:
            raise DataError("Not a struct schema: Schema{ARRAY}")
        if len(self._rows) >= _MOST:
            self._rows.clear()
        # Messages of one shape share one schema, so that what comes behind finds its plans by identity.
        return Struct(self._rows.setdefault(schema, schema), row.fields)

    def _value_schema(self, message: Schema, row: Schema) -> Schema:
        found = self._values.get((message, row))
        if found is None:
            if len(self._values) >= _MOST:
                self._values.clear()
            kept = [(f.name, f.schema) for f in message.fields if f.name in _KEPT]
            found = struct_schema([*kept, ("after", row)], name=f"{message.name}.Envelope")
            self._values[message, row] = found
        return found
