"""ExtractNewRecordState: turns change events into the rows they lead to (event flattening).

Runs on a task's thread. What depends on a schema only is computed once per value schema and kept,
found again by identity. Records that are no change events pass unchanged; events without a row, such as
truncations, are dropped. A delete without a before image has no row either, but its key says what to delete:
it is kept where a tombstone is made of it (Debezium drops it), and fails where the before image is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import ConfigError, DataError
from replicator.api.option_types import Type
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord, Header
from replicator.api.schema import OPTIONAL_STRING, STRING, Schema, SchemaType
from replicator.api.struct import Struct
from replicator.api.transform import Transformation
from replicator.api.validators import one_of

DELETED_FIELD: Final = "__deleted"
_MODES: Final = ("drop", "tombstone", "delete-to-tombstone", "rewrite", "rewrite-with-tombstone")
_REWRITING: Final = ("rewrite", "rewrite-with-tombstone")
_CACHE_SIZE: Final = 64
_ON_TOP: Final = frozenset(("op", "ts_ms", "ts_us", "ts_ns"))
_OF_TRANSACTION: Final = frozenset(("id", "total_order", "data_collection_order"))


class Reference(NamedTuple):
    """One entry of `add.fields` or `add.headers`.

    Attributes:
        path: the structs to search, each with the field's name there; the first that has it wins.
        name: name of the added field or header.
    """

    path: tuple[tuple[str, ...], ...]
    name: str


def parse_reference(text: str, prefix: str) -> Reference:
    """Read `op`, `source.ts_ms` or `op:NEW_NAME`.

    Raises:
        ConfigError: the entry has another form.
    """
    path, _, renamed = (part.strip() for part in text.partition(":"))
    parts = tuple(path.split("."))
    if not all(parts) or len(parts) > 2 or ":" in renamed:
        raise ConfigError(f"Unexpected field name: {text}", option="add.fields")
    name = prefix + (renamed or "_".join(parts))
    if len(parts) == 2:
        return Reference((parts,), name)
    if path in _ON_TOP:
        return Reference(((path,),), name)
    if path in _OF_TRANSACTION:
        return Reference((("transaction", path),), name)
    return Reference((("source", path), (path,)), name)


class _Added(NamedTuple):
    """A reference resolved for one value schema."""

    path: tuple[str, ...]
    name: str
    schema: Schema


class _Plan(NamedTuple):
    """What one envelope schema leads to."""

    envelope: Schema
    added: tuple[_Added, ...]
    headers: tuple[_Added, ...]
    row: Schema | None
    defaults: Mapping[str, Any]
    built: Schema | None
    """Schema of the row with what is added: required, whatever that of the image in the envelope is."""


class ExtractNewRecordState(Transformation):
    """Replaces an envelope by its row."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.ExtractNewRecordState",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        low, text, flag = Importance.LOW, Type.STRING, Type.BOOLEAN
        return ConfigDef(
            key(
                "delete.tombstone.handling.mode",
                text,
                "tombstone",
                validator=one_of(*_MODES, ignore_case=True),
                doc="What becomes of delete events and tombstones.",
            ),
            key("add.fields", Type.LIST, [], importance=low, doc="Metadata to add as fields of the row."),
            key("add.fields.prefix", text, "__", importance=low, doc="Prefix of added fields."),
            key("add.headers", Type.LIST, [], importance=low, doc="Metadata to add as headers."),
            key("add.headers.prefix", text, "__", importance=low, doc="Prefix of added headers."),
            key("route.by.field", text, None, importance=low, doc="Row field whose value is the topic."),
            key(
                "drop.fields.header.name",
                text,
                None,
                importance=low,
                doc="Header with a list of the fields to leave out.",
            ),
            key("drop.fields.from.key", flag, False, importance=low, doc="Leave the fields out of keys too."),
            key(
                "drop.fields.keep.schema.compatible",
                flag,
                True,
                importance=low,
                doc="Leave out only optional fields.",
            ),
            key(
                "replace.null.with.default",
                flag,
                True,
                importance=low,
                doc="Whether a null in a field that has a default value is replaced by the default where rows are "
                "rewritten (the modes rewrite and rewrite-with-tombstone, and dropped fields).",
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._mode = str(options["delete.tombstone.handling.mode"]).lower()
        self._rewrite = self._mode in _REWRITING
        self._fields = [parse_reference(f, options["add.fields.prefix"] or "") for f in options["add.fields"]]
        self._headers = [
            parse_reference(f, options["add.headers.prefix"] or "") for f in options["add.headers"]
        ]
        self._route: str | None = options["route.by.field"] or None
        self._drop_header: str | None = options["drop.fields.header.name"] or None
        self._drop_from_key: bool = options["drop.fields.from.key"]
        self._drop_compatible: bool = options["drop.fields.keep.schema.compatible"]
        self._replace_null: bool = options["replace.null.with.default"]
        self._plans = PlanCache(self._make_plan)
        self._shortened: dict[tuple[int, tuple[str, ...]], tuple[Schema, Schema]] = {}

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None:
            return self._tombstone(record)
        if not is_envelope(record):
            return record
        plan = self._plans(record.value.schema)
        deleted = record.value.fields.get("op") == "d"
        row = record.value.get_without_default("before" if deleted else "after")
        if row is None and not deleted:
            return None
        headers = self._with_headers(record, plan)
        topic = self._topic(record, row)
        if deleted and not self._rewrite:
            if self._mode == "drop":
                return None
            schema = plan.row if self._mode == "tombstone" else None
            made = record.evolve(topic=topic, headers=headers, value_schema=schema, value=None)
        else:
            value = self._row(record.value, row, plan, deleted=deleted)
            made = record.evolve(topic=topic, headers=headers, value_schema=value.schema, value=value)
        return self._without_dropped(made)

    def _tombstone(self, record: ConnectRecord) -> ConnectRecord | None:
        if self._mode != "rewrite-with-tombstone":
            return None
        added = [Header(r.name, STRING, "d") for r in self._headers if r.path == (("op",),)]
        return record.evolve(headers=[*(record.headers or ()), *added]) if added else record

    def _row(self, envelope: Struct, row: Struct | None, plan: _Plan, *, deleted: bool) -> Struct:
        if row is None:
            raise DataError("The delete event has no before image, which mode rewrite needs")
        if plan.built is None:
            return row
        if not plan.added and not self._rewrite:
            return Struct(plan.built, row.fields)
        fields = {f.name: row.fields.get(f.name) for f in row.schema.fields}
        for name, default in plan.defaults.items():
            if fields[name] is None:
                fields[name] = default
        if self._rewrite:
            fields[DELETED_FIELD] = "true" if deleted else "false"
        for added in plan.added:
            fields[added.name] = look_up(envelope, added.path)
        return Struct(plan.built, fields)

    def _with_headers(self, record: ConnectRecord, plan: _Plan) -> list[Header] | None:
        if not plan.headers:
            return record.headers
        added = [Header(a.name, a.schema, look_up(record.value, a.path)) for a in plan.headers]
        return [*(record.headers or ()), *added]

    def _topic(self, record: ConnectRecord, row: Struct | None) -> str:
        if self._route is None or row is None:
            return record.topic
        field = row.schema.field(self._route)
        if field is None:
            raise DataError(f"{self._route} is not a valid field name")
        if field.schema.type is not SchemaType.STRING:
            raise DataError(f"Field '{self._route}' is not of type STRING")
        value = row.get_without_default(self._route)
        if value == "":
            raise DataError(f"Field {self._route} is empty, so the record has no topic")
        return record.topic if value is None else str(value)

    def _make_plan(self, envelope: Schema) -> _Plan:
        after = envelope.field("after")
        row = after.schema if after is not None else None
        added = _resolve(self._fields, envelope)
        headers = _resolve(self._headers, envelope)
        defaults: dict[str, Any] = {}
        built = None
        if row is not None:
            if self._replace_null and self._rewrite:
                defaults = self._defaults(row)
            built = self._built_schema(row, added)
        return _Plan(envelope, added, headers, row, defaults, built)

    @staticmethod
    def _defaults(schema: Schema) -> dict[str, Any]:
        return {f.name: f.schema.default for f in schema.fields if f.schema.default is not None}

    def _built_schema(self, row: Schema, added: tuple[_Added, ...]) -> Schema:
        fields = {f.name: f.schema for f in row.fields}
        if self._rewrite:
            fields[DELETED_FIELD] = OPTIONAL_STRING
        fields.update({a.name: a.schema for a in added})
        return row.evolve(fields=list(fields.items()), optional=False, default=None)

    def _without_dropped(self, record: ConnectRecord) -> ConnectRecord:
        header = record.header(self._drop_header) if self._drop_header is not None else None
        if header is None or not header.value:
            return record
        if not isinstance(header.value, (list, tuple)):
            raise DataError(f"Header {self._drop_header} must hold a list of field names")
        names = tuple(str(name) for name in header.value)
        changes: dict[str, Any] = {}
        if isinstance(record.value, Struct):
            shorter = self._shorter(record.value, names)
            changes |= {"value": shorter, "value_schema": shorter.schema}
        if self._drop_from_key and isinstance(record.key, Struct):
            shorter = self._shorter(record.key, names)
            changes |= {"key": shorter, "key_schema": shorter.schema}
        return record.evolve(**changes)

    def _shorter(self, value: Struct, names: tuple[str, ...]) -> Struct:
        known = self._shortened.get((id(value.schema), names))
        if known is None:
            may_drop: Callable[[Schema], bool] = lambda s: s.optional or not self._drop_compatible  # noqa: E731
            kept = [
                (f.name, f.schema)
                for f in value.schema.fields
                if f.name not in names or not may_drop(f.schema)
            ]
            if len(self._shortened) >= _CACHE_SIZE:
                self._shortened.clear()
            known = value.schema, value.schema.evolve(fields=kept)
            self._shortened[id(value.schema), names] = known
        fields = {f.name: value.fields.get(f.name) for f in known[1].fields}
        if self._drop_compatible and len(fields) == len(value.schema.fields):
            return value  # none of the named fields may be dropped
        if self._replace_null:
            for name, default in self._defaults(known[1]).items():
                if fields[name] is None:
                    fields[name] = default
        return Struct(known[1], fields)


def is_envelope(record: ConnectRecord) -> bool:
    """Whether a record is a change event."""
    schema = record.value_schema
    return (
        schema is not None
        and schema.name is not None
        and schema.name.endswith(".Envelope")
        and isinstance(record.value, Struct)
    )


def look_up(envelope: Struct, path: tuple[str, ...]) -> Any:
    """The value at a path of field names; None where a struct on the way is null."""
    value: Any = envelope
    for name in path:
        if value is None:
            return None
        value = value.get_without_default(name)
    return value


def _resolve(references: list[Reference], envelope: Schema) -> tuple[_Added, ...]:
    """The references that this schema can answer; the others are left out."""
    found = []
    for reference in references:
        for path in reference.path:
            schema = _schema_at(envelope, path)
            if schema is not None:
                found.append(_Added(path, reference.name, schema.evolve(optional=True, default=None)))
                break
    return tuple(found)


def _schema_at(schema: Schema, path: tuple[str, ...]) -> Schema | None:
    for name in path:
        field = schema.field(name)
        if field is None:
            return None
        schema = field.schema
    return schema
