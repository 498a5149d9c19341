"""Plans for change envelopes: c, r, u, d, t and m, key changes, unchanged TOAST values, tables without key.

Pure, task thread only. Upholds D6 (a placeholder is never written) and C15, C16.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from connectors.jdbc.change import (
    APPEND,
    CHANGE_ONE,
    DELETE,
    MOVE,
    PARTIAL,
    REMOVE_ONE,
    ROW,
    TRUNCATE,
    Change,
    Key,
    Row,
    TablePlan,
)
from connectors.jdbc.config import NO_KEY, RECORD_HEADER
from connectors.jdbc.naming import table_by_record, table_by_topic
from connectors.jdbc.plan_rows import (
    Fields,
    KeySource,
    PlanScope,
    PlanSet,
    getter_of,
    header_key,
    kept_fields,
    key_source,
    row_reader,
    unchanged_test,
    values_of,
    without_unchanged,
)
from replicator.api import (
    ChangeOrigin,
    ChangeSinkRecord,
    DataError,
    Schema,
    SinkRecord,
    Struct,
    UnreadEnvelope,
)
from replicator.api.logical import NEW_KEY_HEADER

PlanOf = Callable[[Mapping[str, Any]], TablePlan | None]


def compile_envelope(
    scope: PlanScope, topic: str, key_schema: Schema | None, value_schema: Schema
) -> Callable[[SinkRecord], Change | None]:
    """The plan for envelopes of these schemas."""
    return _EnvelopePlan(scope, topic, key_schema, value_schema).compiled()


class _EnvelopePlan:
    def __init__(self, scope: PlanScope, topic: str, key_schema: Schema | None, value_schema: Schema) -> None:
        self.scope = scope
        self.settings = scope.settings
        self.topic = topic
        after = _row_schema(value_schema)
        fields = tuple((f.name, f.schema) for f in after.fields)
        self.key: KeySource = key_source(self.settings, key_schema, fields)
        kept = kept_fields(self.settings, topic, after, self.key.names)
        self.row_of = row_reader(self.settings, after, kept)
        self.unchanged = unchanged_test(self.settings, kept)
        self.fields = merged_fields(self.key.fields, kept)
        self.extra_key = len(self.fields) != len(kept)
        if not self.fields:
            raise DataError(f"No column is left for the records of topic {topic}")
        self.needs_source = True
        self.plan_of = self._table_plans(PlanSet(self.key.names, self.fields))

    def _table_plans(self, plans: PlanSet) -> PlanOf:
        fixed = table_by_topic(self.settings, self.topic)
        if fixed is not None:
            only = plans.get(fixed)
            self.needs_source = False
            return lambda fields: only
        table_of, last = table_by_record(self.settings, self.topic), self.scope.last_table
        topic = self.topic

        def by_record(fields: Mapping[str, Any]) -> TablePlan | None:
            table = table_of(fields)
            if table is None:
                return None
            last[topic] = table
            return plans.get(table)

        return _remembering(by_record) if self.settings.table_naming == "source" else by_record

    def compiled(self) -> Callable[[SinkRecord], Change | None]:
        """The usual cases inline; everything else in methods."""
        if self.key.of is None or self.extra_key:
            return self.any_record
        key_of, row_of, unchanged, plan_of = self.key.of, self.row_of, self.unchanged, self.plan_of
        key_of_fields = self.key.of_fields
        other, needs_source = self.any_record, self.needs_source
        origin: ChangeOrigin | None = None
        origin_plan: TablePlan | None = None

        def plan(record: SinkRecord) -> Change | None:
            nonlocal origin, origin_plan
            if type(record) is ChangeSinkRecord:
                change = record.change
                after, key = change.after, change.key_fields
                if after is None or key is None or key_of_fields is None:
                    return other(record)
                if change.origin is not origin:
                    origin, origin_plan = change.origin, plan_of(change.envelope())
                if origin_plan is None:
                    return other(record)
                row = row_of(after)
                # A row that was copied or inserted has all its values; one that only got another key need not.
                whole = change.op in "rc" and change.also is None
                if unchanged is None or whole or not unchanged(row):
                    return Change(ROW, origin_plan, key_of_fields(key), row, None, record)
                return other(record)
            value = record.value
            unread = type(value) is UnreadEnvelope and not needs_source
            fields = value.known if unread else value.fields
            if fields["op"] in "cru":
                after = fields["after"]
                if type(after) is dict and (table_plan := plan_of(fields)) is not None:
                    row = row_of(after)
                    if unchanged is None or not unchanged(row):
                        return Change(ROW, table_plan, key_of(record, row), row, None, record)
            return other(record)

        return plan

    def any_record(self, record: SinkRecord) -> Change | None:
        """Any envelope, without hurry."""
        if record.value is None:
            raise DataError("A null value with an envelope's schema")
        fields = self._fields_of(record.value)
        op = fields.get("op")
        if op == "m":
            return self.scope.skip("logical message")
        table_plan = self.plan_of(fields)
        if table_plan is None:
            return self.scope.skip("no table name")
        if op == "t":
            return self._truncate(record, table_plan)
        if op == "d":
            return self._delete(record, table_plan, fields)
        if op in ("c", "r", "u"):
            return self._row(record, table_plan, fields)
        raise DataError(f"An envelope with the unknown operation {op!r}")

    def _fields_of(self, value: Any) -> Mapping[str, Any]:
        """Values of an envelope; without its source block where that is not needed and still text."""
        if type(value) is UnreadEnvelope and not self.needs_source:
            return value.known
        fields = values_of(value)
        assert fields is not None
        return fields

    def _truncate(self, record: SinkRecord, plan: TablePlan) -> Change | None:
        if not self.settings.truncate_enabled:
            return self.scope.skip("truncate.enabled is false")
        return Change(TRUNCATE, plan, (), {}, None, record)

    def _row(self, record: SinkRecord, plan: TablePlan, fields: Mapping[str, Any]) -> Change:
        after = values_of(fields.get("after"))
        if after is None:
            raise DataError(f"An envelope with operation {fields.get('op')} and no after image")
        row = self.row_of(after)
        plan, key = self._keyed(record, plan, row)
        if not plan.keys:
            return self._keyless_row(record, plan, fields, row)
        if (plan.keys and self.extra_key) or plan.fields is not self.fields:
            row = {**row, **dict(zip(plan.keys, key, strict=True))}
        if self.unchanged is not None and self.unchanged(row):
            return Change(PARTIAL, plan, key, without_unchanged(self.settings, row), None, record)
        return Change(ROW, plan, key, row, None, record)

    def _keyed(self, record: SinkRecord, plan: TablePlan, row: Row) -> tuple[TablePlan, Key]:
        if self.settings.pk_mode == RECORD_HEADER:
            key_fields, key = header_key(self.settings, record)
            names = tuple(n for n, _ in key_fields)
            return TablePlan(plan.table, names, merged_fields(key_fields, self.fields)), key
        return plan, self.key.of(record, row) if self.key.of is not None else ()

    def _keyless_row(
        self, record: SinkRecord, plan: TablePlan, fields: Mapping[str, Any], row: Row
    ) -> Change:
        if fields.get("op") != "u" or self.settings.pk_mode == NO_KEY:
            self._refuse_unchanged(row)
            return Change(APPEND, plan, (), row, None, record)
        before = values_of(fields.get("before"))
        if before is None:
            raise DataError(
                f"An update of {plan.table}, which has no key, came without the old row",
                hint="Give the source table a primary key or REPLICA IDENTITY FULL.",
            )
        changed = without_unchanged(self.settings, row)
        return Change(CHANGE_ONE, plan, (), changed, self._comparable(before), record)

    def _refuse_unchanged(self, row: Row) -> None:
        if self.unchanged is not None and self.unchanged(row):
            raise DataError("A row without key came without some of its values (unchanged TOAST)")

    def _comparable(self, before: Mapping[str, Any]) -> Row:
        return without_unchanged(self.settings, self.row_of(before))

    def _delete(self, record: SinkRecord, plan: TablePlan, fields: Mapping[str, Any]) -> Change | None:
        if not self.settings.delete_enabled:
            return self.scope.skip("delete.enabled is false")
        before = values_of(fields.get("before"))
        row = self.row_of(before) if before is not None else {}
        plan, key = self._keyed(record, plan, row)
        if plan.keys:
            new = self._new_key(record, plan.keys)
            return Change(DELETE if new is None or new == key else MOVE, plan, key, {}, new, record)
        if before is None:
            raise DataError(
                f"A delete from {plan.table}, which has no key, came without the old row",
                hint="Give the source table a primary key or REPLICA IDENTITY FULL.",
            )
        return Change(REMOVE_ONE, plan, (), {}, self._comparable(before), record)

    def _new_key(self, record: SinkRecord, names: tuple[str, ...]) -> Key | None:
        header = record.header(NEW_KEY_HEADER)
        if header is None or header.value is None:
            return None
        value = header.value
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                return None
        if isinstance(value, Struct):
            value = value.fields
        if isinstance(value, Mapping) and "payload" in value and "schema" in value:
            value = value["payload"]
        if not isinstance(value, Mapping) or any(n not in value for n in names):
            return None
        return getter_of(names)(value)


def _remembering(plan_of: PlanOf) -> PlanOf:
    """The same, quick for records of the same source table as the one before."""
    schema: Any = None
    table: Any = None
    plan: TablePlan | None = None

    def remembered(fields: Mapping[str, Any]) -> TablePlan | None:
        nonlocal schema, table, plan
        source = fields.get("source")
        if type(source) is not dict:
            return plan_of(fields)
        if plan is None or source.get("table") != table or source.get("schema") != schema:
            plan = plan_of(fields)
            schema, table = source.get("schema"), source.get("table")
        return plan

    return remembered


def merged_fields(key_fields: Fields, value_fields: Fields) -> Fields:
    """The value's fields, then key fields the value does not have."""
    known = {n for n, _ in value_fields}
    return (*value_fields, *(f for f in key_fields if f[0] not in known))


def _row_schema(value_schema: Schema) -> Schema:
    field = value_schema.field("after") or value_schema.field("before")
    assert field is not None
    return field.schema
