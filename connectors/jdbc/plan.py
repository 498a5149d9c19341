"""Records -> changes: compiles, per topic and schemas, a function that says what a record means.

Pure, task thread only. The usual record (an envelope with a whole row) costs a few dict look-ups;
no Struct is made. Records that are no data (heartbeats, schema changes, transaction marks, logical
messages) and those an option switches off are counted, never dropped unseen (INV-6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from connectors.jdbc.change import Change
from connectors.jdbc.config import SinkSettings
from connectors.jdbc.plan_envelope import compile_envelope
from connectors.jdbc.plan_flat import compile_flat, compile_tombstone
from connectors.jdbc.plan_rows import PlanScope
from replicator.api import DataError, Schema, SchemaType, SinkRecord

PlanRecord = Callable[[SinkRecord], Change | None]

_NO_DATA: Final = {
    "io.debezium.connector.common.Heartbeat": "heartbeat",
    "io.debezium.connector.common.TransactionMetadataValue": "transaction metadata",
}
_MOST_IDENTITIES: Final = 4096


class Planner:
    """Compiled plans of a task, found by topic and schema identity.

    Attributes:
        skipped: reason -> number of records that were not applied.
    """

    def __init__(self, settings: SinkSettings) -> None:
        self._scope = PlanScope(settings)
        self.skipped: Counter[str] = self._scope.skipped
        self._by_identity: dict[tuple[str, int, int], tuple[PlanRecord, Schema | None, Schema | None]] = {}
        self._by_value: dict[tuple[str, Schema | None, Schema | None], PlanRecord] = {}

    def plan(self, record: SinkRecord) -> Change | None:
        """What the record means, or None when it is skipped.

        Raises:
            DataError: the record has no form this sink understands.
        """
        return self.plan_for(record)(record)

    def plan_for(self, record: SinkRecord) -> PlanRecord:
        """The compiled function for records of this topic and these schemas."""
        identity = (record.topic, id(record.key_schema), id(record.value_schema))
        known = self._by_identity.get(identity)
        if known is not None:
            return known[0]
        schemas = (record.topic, record.key_schema, record.value_schema)
        plan = self._by_value.get(schemas)
        if plan is None:
            plan = self._by_value[schemas] = self._compile(*schemas)
        if len(self._by_identity) >= _MOST_IDENTITIES:
            self._by_identity.clear()
        # The schemas are kept alive so that their identities stay theirs.
        self._by_identity[identity] = (plan, record.key_schema, record.value_schema)
        return plan

    def _compile(self, topic: str, key_schema: Schema | None, value_schema: Schema | None) -> PlanRecord:
        if value_schema is None:
            return compile_tombstone(self._scope, topic, key_schema)
        reason = _no_data(value_schema)
        if reason is not None:
            return self._scope.skipping(reason)
        if is_envelope(value_schema):
            return compile_envelope(self._scope, topic, key_schema, value_schema)
        if value_schema.type not in (SchemaType.STRUCT, SchemaType.STRING):
            raise DataError(
                f"Values must be a struct or a string, not {value_schema.type.value} (topic {topic})"
            )
        return compile_flat(self._scope, topic, key_schema, value_schema)


def is_envelope(schema: Schema) -> bool:
    """Whether values are change envelopes."""
    if schema.type is not SchemaType.STRUCT or schema.field("op") is None or schema.field("after") is None:
        return False
    return schema.name is None or schema.name.endswith("Envelope")


def _no_data(schema: Schema) -> str | None:
    name = schema.name or ""
    if name.endswith("SchemaChangeValue"):
        return "schema change"
    if (
        schema.type is SchemaType.STRUCT
        and schema.field("op")
        and schema.field("message")
        and schema.field("source")
    ):
        return "logical message"
    return _NO_DATA.get(name)
