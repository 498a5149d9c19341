"""Parts of compiled plans: where a row's values and its key come from. Pure, task thread only."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final

from connectors.jdbc.change import Change, Key, Row, TablePlan
from connectors.jdbc.config import (
    KAFKA,
    KAFKA_COLUMNS,
    NO_KEY,
    RECORD_HEADER,
    RECORD_KEY,
    RECORD_VALUE,
    SinkSettings,
)
from connectors.jdbc.dialects.model import TableName
from replicator.api import DataError, Schema, SchemaType, SinkRecord, Struct
from replicator.api.position import INTERNAL_HEADER_PREFIX
from replicator.api.schema import INT32, INT64, STRING

log = logging.getLogger(__name__)

Fields = tuple[tuple[str, Schema], ...]
RowOf = Callable[[Mapping[str, Any]], Row]

_KAFKA_SCHEMAS: Final = (STRING, INT32, INT64)
_MAY_BE_UNCHANGED: Final = frozenset({SchemaType.STRING, SchemaType.BYTES, SchemaType.ARRAY, SchemaType.MAP})


class PlanScope:
    """What all plans of a task share.

    Attributes:
        settings: the sink's settings.
        skipped: counts of records that are not applied, by reason.
        last_table: the last table seen per topic, for tombstones of topics named by their records.
    """

    def __init__(self, settings: SinkSettings) -> None:
        self.settings = settings
        self.skipped: Counter[str] = Counter()
        self.last_table: dict[str, TableName] = {}

    def skip(self, reason: str) -> Change | None:
        """Count a record that is not applied; the plan's answer for it."""
        self.skipped[reason] += 1
        return None

    def skipping(self, reason: str) -> Callable[[SinkRecord], Change | None]:
        """A plan that skips every record."""

        def plan(record: SinkRecord) -> Change | None:
            self.skipped[reason] += 1
            return None

        return plan


class KeySource:
    """Key columns of a plan and how to read their values.

    Attributes:
        names: key fields; empty for none.
        fields: those with their schemas that are not fields of the value.
        of: key from (record, row); None when the plan has no key.
        of_fields: the same from the fields of the record's key, where that is where it comes from.
    """

    __slots__ = ("fields", "names", "of", "of_fields")

    def __init__(
        self,
        names: tuple[str, ...],
        fields: Fields,
        of: Callable[[SinkRecord, Row], Key] | None,
        of_fields: Callable[[Mapping[str, Any]], Key] | None = None,
    ) -> None:
        self.names = names
        self.fields = fields
        self.of = of
        self.of_fields = of_fields


def values_of(value: Any) -> dict[str, Any] | None:
    """A nested struct's values, whichever form it has."""
    if value is None or type(value) is dict:
        return value
    if isinstance(value, Struct):
        return value.fields
    raise DataError(f"A struct was expected, not {type(value).__name__}")


def key_source(settings: SinkSettings, key_schema: Schema | None, value_fields: Fields) -> KeySource:
    """How keys of these records are read.

    Raises:
        DataError: the key's schema does not fit pk.mode and pk.fields.
    """
    mode = settings.pk_mode
    if mode == NO_KEY:
        return KeySource((), (), None)
    if mode == KAFKA:
        return _kafka_key(settings.pk_fields or KAFKA_COLUMNS)
    if mode == RECORD_VALUE:
        return _value_key(settings.pk_fields, value_fields)
    if mode == RECORD_HEADER:
        return KeySource(settings.pk_fields, (), None)
    assert mode == RECORD_KEY
    return record_key(settings.pk_fields, key_schema)


def _kafka_key(names: tuple[str, ...]) -> KeySource:
    def of(record: SinkRecord, row: Row) -> Key:
        return (record.original_topic, record.original_kafka_partition, record.original_kafka_offset)

    return KeySource(names, tuple(zip(names, _KAFKA_SCHEMAS, strict=True)), of)


def _value_key(wanted: tuple[str, ...], value_fields: Fields) -> KeySource:
    known = dict(value_fields)
    names = wanted or tuple(known)
    _require(names, known, "value")
    getter = getter_of(names)
    return KeySource(names, tuple((n, known[n]) for n in names), lambda record, row: getter(row))


def record_key(wanted: tuple[str, ...], schema: Schema | None) -> KeySource:
    """The key from the record's key: a struct's fields, or a primitive named by pk.fields."""
    if schema is None:
        return KeySource((), (), None)
    if schema.type is SchemaType.STRUCT:
        known = {f.name: f.schema for f in schema.fields}
        names = wanted or tuple(known)
        _require(names, known, "key")
        getter = getter_of(names)

        def of(record: SinkRecord, row: Row) -> Key:
            key = record.key
            if key is None:
                raise DataError("The record has no key, and pk.mode=record_key needs one")
            return getter(key.fields)

        return KeySource(names, tuple((n, known[n]) for n in names), of, getter)
    if schema.type in (SchemaType.ARRAY, SchemaType.MAP):
        raise DataError("A key must be a struct or a primitive value")
    if len(wanted) != 1:
        raise DataError("A primitive key needs exactly one name in pk.fields")

    def of_primitive(record: SinkRecord, row: Row) -> Key:
        if record.key is None:
            raise DataError("The record has no key, and pk.mode=record_key needs one")
        return (record.key,)

    return KeySource(wanted, ((wanted[0], schema),), of_primitive)


def header_key(settings: SinkSettings, record: SinkRecord) -> tuple[Fields, Key]:
    """Key columns and values from the record's headers (pk.mode=record_header)."""
    found = {h.key: h for h in record.headers or () if not h.key.startswith(INTERNAL_HEADER_PREFIX)}
    names = settings.pk_fields or tuple(found)
    _require(names, found, "headers")
    if not names:
        raise DataError("pk.mode=record_header, but the record has no headers")
    return tuple((n, found[n].schema or STRING) for n in names), tuple(found[n].value for n in names)


def _require(names: tuple[str, ...], known: Mapping[str, Any], where: str) -> None:
    missing = [n for n in names if n not in known]
    if missing:
        raise DataError(f"pk.fields names {', '.join(missing)}, which the record's {where} does not have")


def getter_of(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Key]:
    """Reads these fields as a tuple; absent ones are None."""
    if len(names) == 1:
        only = names[0]
        return lambda fields: (fields.get(only),)
    read = itemgetter(*names) if names else tuple

    def get(fields: Mapping[str, Any]) -> Key:
        try:
            return read(fields)
        except KeyError:
            return tuple([fields.get(n) for n in names])

    return get


def kept_fields(settings: SinkSettings, topic: str, schema: Schema, keys: tuple[str, ...]) -> Fields:
    """The value's fields that are written; key fields stay whatever the lists say (K3)."""
    fields = tuple((f.name, f.schema) for f in schema.fields)
    if settings.include:
        fields = tuple(f for f in fields if f[0] in keys or _listed(settings.include, topic, f[0]))
    if settings.exclude:
        fields = tuple(f for f in fields if f[0] in keys or not _listed(settings.exclude, topic, f[0]))
    return fields


def _listed(names: frozenset[str], topic: str, field: str) -> bool:
    return field in names or f"{topic}:{field}" in names


def row_reader(settings: SinkSettings, schema: Schema, fields: Fields) -> RowOf:
    """Values of a row from the values of a record; the usual case hands the dict on as it is."""
    names = tuple(name for name, _ in fields)
    width = len(names)
    whole = width == len(schema.fields)
    defaults = _defaults(settings, fields)

    def select(values: Mapping[str, Any]) -> Row:
        return {n: values.get(n) for n in names}

    def with_defaults(values: Mapping[str, Any]) -> Row:
        row = select(values)
        for name, default in defaults:
            if row[name] is None:
                row[name] = default
        return row

    def as_it_is(values: Mapping[str, Any]) -> Row:
        return values if len(values) == width else select(values)  # type: ignore[return-value]

    if defaults:
        return with_defaults
    return as_it_is if whole else select


def _defaults(settings: SinkSettings, fields: Fields) -> list[tuple[str, Any]]:
    if settings.null_becomes_default == "never":
        return []
    required_only = settings.null_becomes_default == "required"
    found = [
        (n, s.default) for n, s in fields if s.default is not None and not (required_only and s.optional)
    ]
    replaced = [n for n, s in fields if s.optional and s.default is not None]
    if replaced and not required_only:
        log.warning(
            "Nulls in %s are written as the default of the field; to keep them set replace.null.with.default=false.",
            ", ".join(replaced),
        )
    return found


def unchanged_test(settings: SinkSettings, fields: Fields) -> Callable[[Row], bool] | None:
    """Tells rows with unchanged TOAST values; None when no field can have one."""
    types = {schema.type for _, schema in fields}
    if not types & _MAY_BE_UNCHANGED:
        return None
    text = settings.placeholder
    forms: list[Any] = []
    if SchemaType.BYTES in types:
        forms.append(text.encode())
    if SchemaType.ARRAY in types:
        forms += [[text], list(text.encode())]
    if SchemaType.MAP in types:
        forms.append({text: text})
    if not forms:
        return lambda row: text in row.values()

    def test(row: Row) -> bool:
        values = row.values()
        return text in values or any(form in values for form in forms)

    return test


def without_unchanged(settings: SinkSettings, row: Row) -> Row:
    """The row without its unchanged TOAST columns (C15)."""
    text = settings.placeholder
    data = text.encode()
    forms = (text, data, [text], list(data), {text: text})
    return {n: v for n, v in row.items() if v not in forms}


class PlanSet:
    """The table plans of one compiled record plan: usually one, several when records name their table."""

    def __init__(self, keys: tuple[str, ...], fields: Fields) -> None:
        self._keys = keys
        self._fields = fields
        self._plans: dict[TableName, TablePlan] = {}

    def get(self, table: TableName) -> TablePlan:
        """The plan for a table."""
        plan = self._plans.get(table)
        if plan is None:
            plan = self._plans[table] = TablePlan(table, self._keys, self._fields)
        return plan
