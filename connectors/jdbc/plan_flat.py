"""Plans for flat records (a row per record, as unwrapped envelopes and other producers write) and tombstones.

Pure, task thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.jdbc.change import APPEND, DELETE, PARTIAL, ROW, Change, Row, TablePlan
from connectors.jdbc.config import NO_KEY, RECORD_HEADER, RECORD_KEY
from connectors.jdbc.naming import table_by_record, table_by_topic
from connectors.jdbc.plan_envelope import merged_fields
from connectors.jdbc.plan_rows import (
    Fields,
    KeySource,
    PlanScope,
    header_key,
    kept_fields,
    key_source,
    record_key,
    row_reader,
    unchanged_test,
    values_of,
    without_unchanged,
)
from replicator.api import DataError, Schema, SchemaType, SinkRecord

PlanRecord = Callable[[SinkRecord], Change | None]


def compile_tombstone(scope: PlanScope, topic: str, key_schema: Schema | None) -> PlanRecord:
    """The plan for records with neither value nor value schema."""
    settings = scope.settings
    if settings.pk_mode == NO_KEY and not settings.delete_enabled:
        return _tombstone_or_schemaless(scope, scope.skipping("delete.enabled is false"))
    if settings.pk_mode != RECORD_KEY:
        return _tombstone_or_schemaless(scope, scope.skipping("tombstone without row data"))
    if not settings.delete_enabled:
        return _tombstone_or_schemaless(scope, scope.skipping("delete.enabled is false"))
    key = record_key(settings.pk_fields, key_schema)
    if key.of is None:
        return _tombstone_or_schemaless(scope, scope.skipping("tombstone without key"))
    return _tombstone_or_schemaless(scope, _deleting(scope, topic, key))


def _tombstone_or_schemaless(scope: PlanScope, plan: PlanRecord) -> PlanRecord:
    def checked(record: SinkRecord) -> Change | None:
        if record.value is not None:
            raise DataError("The value has no schema; the sink needs one (schemas.enable=true)")
        return plan(record)

    return checked


def _deleting(scope: PlanScope, topic: str, key: KeySource) -> PlanRecord:
    fixed = table_by_topic(scope.settings, topic)
    plans: dict[Any, TablePlan] = {}
    key_of = key.of
    assert key_of is not None

    def plan(record: SinkRecord) -> Change | None:
        table = fixed if fixed is not None else scope.last_table.get(topic)
        if table is None:
            return scope.skip("no table name")
        table_plan = plans.get(table)
        if table_plan is None:
            table_plan = plans[table] = TablePlan(table, key.names, key.fields, described=False)
        return Change(DELETE, table_plan, key_of(record, {}), {}, None, record)

    return plan


def compile_flat(scope: PlanScope, topic: str, key_schema: Schema | None, value_schema: Schema) -> PlanRecord:
    """The plan for flat records of these schemas."""
    return _FlatPlan(scope, topic, key_schema, value_schema).plan


class _FlatPlan:
    def __init__(self, scope: PlanScope, topic: str, key_schema: Schema | None, value_schema: Schema) -> None:
        settings = scope.settings
        self.scope, self.settings, self.topic = scope, settings, topic
        self.text = value_schema.type is SchemaType.STRING
        struct = _as_struct(settings.string_column, value_schema) if self.text else value_schema
        fields = tuple((f.name, f.schema) for f in struct.fields)
        self.key = key_source(settings, key_schema, fields)
        if settings.pk_mode == RECORD_KEY and self.key.of is None:
            raise DataError(f"Records of topic {topic} have no key, and pk.mode=record_key needs one")
        kept = kept_fields(settings, topic, struct, self.key.names)
        if self.text and settings.string_column in self.key.names:
            raise DataError(f"Column {settings.string_column} is both key and value")
        self.row_of = row_reader(settings, struct, kept)
        self.unchanged = unchanged_test(settings, kept)
        self.fields: Fields = merged_fields(self.key.fields, kept)
        if not self.fields:
            raise DataError(f"No column is left for the records of topic {topic}")
        self.merge_key = settings.pk_mode != NO_KEY
        self.table = table_by_topic(settings, topic)
        self.table_of = table_by_record(settings, topic)
        self.plans: dict[Any, TablePlan] = {}

    def plan(self, record: SinkRecord) -> Change | None:
        """What one record means."""
        if record.value is None:
            return self._delete(record)
        values = {self.settings.string_column: record.value} if self.text else values_of(record.value)
        assert values is not None
        table = self.table if self.table is not None else self.table_of(values)
        if table is None:
            return self._without_table()
        row = self.row_of(values)
        plan, key = self._keyed(record, table, row)
        if not plan.keys:
            return Change(APPEND, plan, (), row, None, record)
        if self.merge_key:
            row = {**row, **dict(zip(plan.keys, key, strict=True))}
        if self.unchanged is not None and self.unchanged(row):
            return Change(PARTIAL, plan, key, without_unchanged(self.settings, row), None, record)
        return Change(ROW, plan, key, row, None, record)

    def _without_table(self) -> Change | None:
        if self.settings.table_naming == "source":
            raise DataError("table.naming=source, but the record is no envelope and names no source table")
        return self.scope.skip("no table name")

    def _delete(self, record: SinkRecord) -> Change | None:
        """A null value under a value schema."""
        if not self.settings.delete_enabled:
            return self.scope.skip("delete.enabled is false")
        table = self.table if self.table is not None else self.scope.last_table.get(self.topic)
        if table is None or self.settings.pk_mode != RECORD_KEY:
            return self.scope.skip("tombstone without row data")
        plan, key = self._keyed(record, table, {})
        return Change(DELETE, plan, key, {}, None, record)

    def _keyed(self, record: SinkRecord, table: Any, row: Row) -> tuple[TablePlan, tuple[Any, ...]]:
        if self.settings.pk_mode == RECORD_HEADER:
            key_fields, key = header_key(self.settings, record)
            names = tuple(n for n, _ in key_fields)
            return TablePlan(table, names, merged_fields(key_fields, self.fields)), key
        plan = self.plans.get(table)
        if plan is None:
            plan = self.plans[table] = TablePlan(table, self.key.names, self.fields)
        return plan, self.key.of(record, row) if self.key.of is not None else ()


def _as_struct(column: str, schema: Schema) -> Schema:
    return Schema(SchemaType.STRUCT, fields=[(column, schema)])
