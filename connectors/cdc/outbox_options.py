"""Options of the outbox EventRouter, under Debezium's names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from connectors.cdc.smt_options import option, refused
from replicator.api.config import ConfigDef, ConfigKey, Importance, Width
from replicator.api.option_types import Type

_MISSING: Final = "table.field.additional.missing"
_OLD_MISSING: Final = "table.fields.additional.error.on.missing"
_CHOICES: Final = {
    _MISSING: ("ignore", "error"),
    "table.op.invalid.behavior": ("warn", "error", "fatal"),
    "table.json.payload.null.behavior": ("ignore", "optional_bytes"),
    "table.json.payload.empty.array.behavior": ("optional_string", "ignore"),
}
_PLACEMENTS: Final = ("header", "envelope", "partition")


class Additional(NamedTuple):
    """One column that is passed on besides the payload."""

    field: str
    placement: str
    name: str


class _Row(NamedTuple):
    order: int
    name: str
    default: str | bool | None
    importance: str
    shown: str
    doc: str
    type: Type | None = None  # where the default does not tell


_GROUPS: Final = {"table": "Table", "route": "Router", "tracing": "Tracing"}
_ROWS: Final = (
    _Row(1, "table.field.event.id", "id", "low", "Event ID Field", "Column with the event's id."),
    _Row(2, "table.field.event.key", "aggregateid", "low", "Event Key Field", "Column with the event's key."),
    _Row(3, "table.field.event.type", "type", "low", "Event Type Field", "Column with the event's type."),
    _Row(4, "table.field.event.payload", "payload", "low", "Event Payload Field", "Column with the payload."),
    _Row(
        5, "table.field.event.timestamp", None, "medium",
        "Event Timestamp Field",
        "Column with the record's timestamp; the time of the change event when not set.",
    ),
    _Row(
        6, "table.fields.additional.placement", None, "high",
        "Settings for each additional column in the outbox table",
        "More columns to pass on: column:header, column:envelope or column:partition; :name behind it renames.",
        Type.LIST,
    ),
    _Row(
        7, "table.field.additional.missing", "error", "medium",
        "Behavior when an additional field is missing in the change data",
        "What to do when such a column is missing: error or ignore.",
    ),
    _Row(
        7, "table.fields.additional.error.on.missing", None, "low",
        "Should an additional field that is missing be an error",
        "Older form of table.field.additional.missing.",
        Type.BOOLEAN,
    ),
    _Row(
        8, "table.field.event.schema.version", None, "low",
        "Event Schema Version Field", "Column with the version of the schema.",
    ),
    _Row(
        9, "table.op.invalid.behavior", "warn", "medium",
        "Behavior when capturing an unexpected outbox event",
        "What to do with updates: warn, error (both log and drop) or fatal.",
    ),
    _Row(
        10, "table.expand.json.payload", False, "medium",
        "Expand Payload escaped string as real JSON",
        "Whether a payload that is a JSON text becomes a value with a schema.",
    ),
    _Row(
        11, "table.json.payload.null.behavior", "ignore", "medium",
        "Behavior when json payload including null value",
        "Nulls of such a payload: ignore leaves them out, optional_bytes keeps them.",
    ),
    _Row(
        12, "table.json.payload.empty.array.behavior", "ignore", "medium",
        "Behavior when json payload including empty array value",
        "Empty arrays of such a payload: ignore leaves them out, optional_string keeps them.",
    ),
    _Row(
        1, "route.by.field", "aggregatetype", "high",
        "Field to route events by", "Column that decides the topic.",
    ),
    _Row(
        2, "route.topic.regex", "(?<routedByValue>.*)", "low",
        "The name of the routed topic", "Pattern on that column's value.",
    ),
    _Row(
        3, "route.topic.replacement", "outbox.event.${routedByValue}", "high",
        "The name of the routed topic", "The topic, with groups of the pattern.",
    ),
    _Row(
        4, "route.tombstone.on.empty.payload", False, "high",
        "Empty payloads cause a tombstone message", "Whether an empty payload makes a tombstone.",
    ),
    _Row(
        1, "tracing.span.context.field", "tracingspancontext", "high",
        "Serialized tracing span context field",
        "Column with the trace context; taken for compatibility, traces are not written.",
    ),
    _Row(
        2, "tracing.operation.name", "debezium-read", "high",
        "Tracing operation name", "Name of the trace span; taken for compatibility.",
    ),
    _Row(
        3, "tracing.with.context.field.only", False, "high",
        "Trace only events with context field present", "Taken for compatibility.",
    ),
)  # fmt: skip


def definition() -> ConfigDef:
    """The options."""
    return ConfigDef(*map(_key, _ROWS))


def _key(row: _Row) -> ConfigKey:
    return option(
        row.name,
        row.type or (Type.BOOLEAN if isinstance(row.default, bool) else Type.STRING),
        row.default,
        row.shown,
        row.doc,
        importance=Importance[row.importance.upper()],
        group=_GROUPS[row.name.partition(".")[0]],
        order=row.order,
        width=Width.MEDIUM,
    )


def check(options: Mapping[str, Any]) -> None:
    """Check the options that are chosen from a few words.

    Raises:
        ConfigError: one is wrong.
    """
    for name, allowed in _CHOICES.items():
        if str(options[name]).lower() not in allowed:
            raise refused(name, options[name], f"Value must be one of {', '.join(allowed)}")


def ignores_missing(options: Mapping[str, Any]) -> bool:
    """Whether additional columns may be missing."""
    if options[_OLD_MISSING] is not None:
        return not options[_OLD_MISSING]
    return str(options[_MISSING]).lower() == "ignore"


def additional(entries: list[str] | None) -> list[Additional]:
    """The additional columns.

    Raises:
        ConfigError: an entry is wrong.
    """
    found = []
    name = "table.fields.additional.placement"
    for entry in entries or []:
        parts = [part.strip() for part in entry.split(":")]
        if not 2 <= len(parts) <= 3 or not all(parts):
            shown = ", ".join(entries or [])
            why = f"A comma-separated list of valid String pairs or trios is expected but got: [{shown}]"
            raise refused(name, entries, why)
        if parts[1].lower() not in _PLACEMENTS:
            raise refused(name, entries, f"Value must be one of {', '.join(_PLACEMENTS)}")
        found.append(Additional(parts[0], parts[1].lower(), parts[-1] if len(parts) == 3 else parts[0]))
    return found
