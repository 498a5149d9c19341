"""Options of the outbox EventRouter, under Debezium's names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from connectors.cdc.smt_options import option, refused
from replicator.api.config import ConfigDef, ConfigKey, Importance, Type, Width

_MISSING: Final = "table.field.additional.missing"
_OLD_MISSING: Final = "table.fields.additional.error.on.missing"
_CHOICES: Final = {
    _MISSING: ("ignore", "error"),
    "table.op.invalid.behavior": ("warn", "error", "fatal"),
    "table.json.payload.null.behavior": ("ignore", "optional_bytes"),
    "table.json.payload.empty.array.behavior": ("optional_string", "ignore"),
}
_SHOWN_MISSING: Final = "Behavior when an additional field is missing in the change data"
_PLACEMENTS: Final = ("header", "envelope", "partition")


class Additional(NamedTuple):
    """One column that is passed on besides the payload."""

    field: str
    placement: str
    name: str


def _key(
    group: str, name: str, order: int, type_: Type, default: Any, shown: str, doc: str, importance: str
) -> ConfigKey:
    level = Importance[importance.upper()]
    return option(
        name, type_, default, shown, doc, importance=level, group=group, order=order, width=Width.MEDIUM
    )


def definition() -> ConfigDef:
    """The options."""
    text, flag = Type.STRING, Type.BOOLEAN

    def table(order: int, name: str, *rest: Any) -> ConfigKey:
        return _key("Table", f"table.{name}", order, *rest)

    def route(order: int, name: str, *rest: Any) -> ConfigKey:
        return _key("Router", f"route.{name}", order, *rest)

    def tracing(order: int, name: str, *rest: Any) -> ConfigKey:
        return _key("Tracing", f"tracing.{name}", order, *rest)

    return ConfigDef(
        table(1, "field.event.id", text, "id", "Event ID Field", "Column with the event's id.", "low"),
        table(2, "field.event.key", text, "aggregateid", "Event Key Field", "Column with the event's key.", "low"),
        table(3, "field.event.type", text, "type", "Event Type Field", "Column with the event's type.", "low"),
        table(4, "field.event.payload", text, "payload", "Event Payload Field", "Column with the payload.", "low"),
        table(
            5, "field.event.timestamp", text, None, "Event Timestamp Field",
            "Column with the record's timestamp; the time of the change event when not set.", "medium",
        ),
        table(
            6, "fields.additional.placement", Type.LIST, None,
            "Settings for each additional column in the outbox table",
            "More columns to pass on: column:header, column:envelope or column:partition; :name behind it renames.",
            "high",
        ),
        table(
            7, "field.additional.missing", text, "error", _SHOWN_MISSING,
            "What to do when such a column is missing: error or ignore.", "medium",
        ),
        table(
            7, "fields.additional.error.on.missing", flag, None,
            "Should an additional field that is missing be an error",
            "Older form of table.field.additional.missing.", "low",
        ),
        table(
            8, "field.event.schema.version", text, None, "Event Schema Version Field",
            "Column with the version of the schema.", "low",
        ),
        table(
            9, "op.invalid.behavior", text, "warn", "Behavior when capturing an unexpected outbox event",
            "What to do with updates: warn, error (both log and drop) or fatal.", "medium",
        ),
        table(
            10, "expand.json.payload", flag, False, "Expand Payload escaped string as real JSON",
            "Whether a payload that is a JSON text becomes a value with a schema.", "medium",
        ),
        table(
            11, "json.payload.null.behavior", text, "ignore", "Behavior when json payload including null value",
            "Nulls of such a payload: ignore leaves them out, optional_bytes keeps them.", "medium",
        ),
        table(
            12, "json.payload.empty.array.behavior", text, "ignore",
            "Behavior when json payload including empty array value",
            "Empty arrays of such a payload: ignore leaves them out, optional_string keeps them.", "medium",
        ),
        route(
            1, "by.field", text, "aggregatetype", "Field to route events by", "Column that decides the topic.", "high"
        ),
        route(
            2, "topic.regex", text, "(?<routedByValue>.*)", "The name of the routed topic",
            "Pattern on that column's value.", "low",
        ),
        route(
            3, "topic.replacement", text, "outbox.event.${routedByValue}", "The name of the routed topic",
            "The topic, with groups of the pattern.", "high",
        ),
        route(
            4, "tombstone.on.empty.payload", flag, False, "Empty payloads cause a tombstone message",
            "Whether an empty payload makes a tombstone.", "high",
        ),
        tracing(
            1, "span.context.field", text, "tracingspancontext", "Serialized tracing span context field",
            "Column with the trace context; taken for compatibility, traces are not written.", "high",
        ),
        tracing(
            2, "operation.name", text, "debezium-read", "Tracing operation name",
            "Name of the trace span; taken for compatibility.", "high",
        ),
        tracing(
            3, "with.context.field.only", flag, False, "Trace only events with context field present",
            "Taken for compatibility.", "high",
        ),
    )  # fmt: skip


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
