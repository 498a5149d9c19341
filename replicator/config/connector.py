"""Options that every connector has, in Kafka Connect's order, groups and words.

The sets of names are exactly Connect's, so that `/config/validate` answers alike; client
overrides (`consumer.override.*` ...) are not declared here and pass through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from replicator.api.config import ConfigDef, ConfigKey, Importance, Width, key
from replicator.api.option_types import Type, invalid
from replicator.api.validators import Validator, at_least, non_empty, one_of

COMMON_GROUP: Final = "Common"
TRANSFORMS_GROUP: Final = "Transforms"
PREDICATES_GROUP: Final = "Predicates"
ERROR_GROUP: Final = "Error Handling"
TOPIC_CREATION_GROUP: Final = "Topic Creation"
EXACTLY_ONCE_GROUP: Final = "Exactly Once Support"
OFFSETS_TOPIC_GROUP: Final = "offsets.topic"

DLQ_TOPIC: Final = "errors.deadletterqueue.topic.name"
DLQ_REPLICATION: Final = "errors.deadletterqueue.topic.replication.factor"
DLQ_HEADERS: Final = "errors.deadletterqueue.context.headers.enable"


def _name(option: str, value: Any) -> None:
    if not value:
        raise invalid(option, value, "String may not be empty")
    if found := re.findall(r"[\x00-\x1f\x7f-\x9f]", value):
        codes = ", ".join(str(ord(char)) for char in found)
        raise invalid(
            option,
            value,
            f"String may not contain control sequences but had the following ASCII chars: {codes}",
        )


def _unique(option: str, value: Any) -> None:
    if value is not None and len(set(value)) != len(value):
        raise invalid(option, value, "Duplicate alias provided.")


def _regex(option: str, value: Any) -> None:
    try:
        re.compile(value or "")
    except re.error as error:
        raise invalid(option, value, f"Invalid regex: {error}") from None


def _not_below(low: int) -> Validator:
    """A bound that Connect does not have: apart from `Range`, which it would report twice."""

    def check(option: str, value: Any) -> None:
        at_least(low)(option, value)

    return check


def _keys(group: str, *specs: tuple[str, Type, Any, dict[str, Any]], first: int = 1) -> list[ConfigKey]:
    return [
        key(name, type_, default, group=group, order=number, **attributes)
        for number, (name, type_, default, attributes) in enumerate(specs, first)
    ]


def _spec(
    name: str,
    type_: Type,
    default: Any,
    importance: Importance,
    width: Width,
    display_name: str,
    doc: str,
    **attributes: Any,
) -> tuple[str, Type, Any, dict[str, Any]]:
    attributes |= {"importance": importance, "width": width, "display_name": display_name, "doc": doc}
    return name, type_, default, attributes


_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW


def _converter(what: str) -> tuple[tuple[str, Type, Any, dict[str, Any]], ...]:
    title = what.capitalize()
    return (
        _spec(f"{what}.converter", Type.CLASS, None, _LOW, Width.SHORT, f"{title} converter class",
              f"Converter of {what}s; the worker's when not set."),
        _spec(f"{what}.converter.plugin.version", Type.STRING, None, _LOW, Width.SHORT, f"{title} converter version",
              f"Version of the converter of {what}s that is wanted; not set: the installed one."),
    )  # fmt: skip


def _common() -> ConfigDef:
    from replicator.api.option_types import NO_DEFAULT

    common = _keys(
        COMMON_GROUP,
        _spec("name", Type.STRING, NO_DEFAULT, _HIGH, Width.MEDIUM, "Connector name",
              "Globally unique name to use for this connector.", validator=_name),
        _spec("connector.class", Type.STRING, NO_DEFAULT, _HIGH, Width.LONG, "Connector class",
              "Name or alias of the connector's class; Java class names are understood."),
        _spec("connector.plugin.version", Type.STRING, None, _MEDIUM, Width.MEDIUM, "Connector version",
              "Version of the connector that is wanted; not set: the installed one."),
        _spec("tasks.max", Type.INT, 1, _HIGH, Width.SHORT, "Tasks max",
              "Maximum number of tasks to use for this connector.", validator=at_least(1)),
        _spec("tasks.max.enforce", Type.BOOLEAN, True, _LOW, Width.SHORT, "Enforce tasks max",
              "Whether a connector that generates more tasks than tasks.max fails."),
        *(spec for what in ("key", "value", "header") for spec in _converter(what)),
    )  # fmt: skip
    transforms = _keys(
        TRANSFORMS_GROUP,
        _spec("transforms", Type.LIST, [], _LOW, Width.LONG, "Transforms",
              "Aliases of the transformations to apply to records, in order.", validator=_unique),
        first=12,
    )  # fmt: skip
    predicates = _keys(
        PREDICATES_GROUP,
        _spec("predicates", Type.LIST, [], _LOW, Width.LONG, "Predicates",
              "Aliases of the predicates used by transformations.", validator=_unique),
        first=13,
    )  # fmt: skip
    reload = _keys(
        COMMON_GROUP,
        _spec("config.action.reload", Type.STRING, "restart", _LOW, Width.MEDIUM, "Reload Action",
              "What happens when a config provider reports a changed value.",
              validator=one_of("none", "restart")),
        first=14,
    )  # fmt: skip
    errors = _keys(
        ERROR_GROUP,
        _spec("errors.retry.timeout", Type.LONG, 0, _MEDIUM, Width.MEDIUM, "Retry Timeout for Errors",
              "How long, in milliseconds, a failed operation is tried again; -1: for ever.",
              validator=_not_below(-1)),
        _spec("errors.retry.delay.max.ms", Type.LONG, 60000, _MEDIUM, Width.MEDIUM,
              "Maximum Delay Between Retries for Errors",
              "Longest wait between two tries; beyond it the wait is random.", validator=_not_below(0)),
        _spec("errors.tolerance", Type.STRING, "none", _MEDIUM, Width.SHORT, "Error Tolerance",
              "none: an error fails the task. all: records with errors are skipped.",
              validator=one_of("none", "all")),
        _spec("errors.log.enable", Type.BOOLEAN, False, _MEDIUM, Width.SHORT, "Log Errors",
              "Whether each error, its operation and its record are logged."),
        _spec("errors.log.include.messages", Type.BOOLEAN, False, _MEDIUM, Width.SHORT, "Log Error Details",
              "Whether the log shows the record that failed."),
    )  # fmt: skip
    return ConfigDef(*common, *transforms, *predicates, *reload, *errors)


def _sink() -> ConfigDef:
    topics = _keys(
        COMMON_GROUP,
        _spec("topics", Type.LIST, [], _HIGH, Width.LONG, "Topics", "Topics to consume, comma separated."),
        _spec("topics.regex", Type.STRING, "", _HIGH, Width.LONG, "Topics regex",
              "Regular expression of the topics to consume.", validator=_regex),
    )  # fmt: skip
    # Both have number 4, and so has tasks.max: as in Connect.
    return ConfigDef(*(replace(k, order=4) for k in topics), *_queue())


def _queue() -> list[ConfigKey]:
    return _keys(
        ERROR_GROUP,
        _spec(DLQ_TOPIC, Type.STRING, "", _MEDIUM, Width.MEDIUM, "Dead Letter Queue Topic Name",
              "Topic of records that result in an error; empty: none."),
        _spec(DLQ_REPLICATION, Type.SHORT, 3, _MEDIUM, Width.MEDIUM,
              "Dead Letter Queue Topic Replication Factor",
              "Replication factor used to create the dead letter queue topic."),
        _spec(DLQ_HEADERS, Type.BOOLEAN, False, _MEDIUM, Width.MEDIUM, "Enable Error Context Headers",
              "Whether headers describing the error are added to dead letters."),
        first=6,
    )  # fmt: skip


def _source() -> ConfigDef:
    topics = _keys(
        TOPIC_CREATION_GROUP,
        _spec("topic.creation.groups", Type.LIST, [], _LOW, Width.LONG, "Topic Creation Groups",
              "Groups of rules for topics created by source connectors.", validator=_unique),
    )  # fmt: skip
    once = _keys(
        EXACTLY_ONCE_GROUP,
        _spec("exactly.once.support", Type.STRING, "requested", _MEDIUM, Width.SHORT, "Exactly once support",
              "Whether to fail when exactly-once delivery cannot be had.",
              validator=one_of("required", "requested", ignore_case=True)),
        _spec("transaction.boundary", Type.STRING, "poll", _MEDIUM, Width.SHORT, "Transaction Boundary",
              "What makes one producer transaction.",
              validator=one_of("interval", "poll", "connector", ignore_case=True)),
        _spec("transaction.boundary.interval.ms", Type.LONG, None, _LOW, Width.SHORT,
              "Transaction boundary interval", "Length of interval transactions.", validator=_at_least_one),
        first=2,
    )  # fmt: skip
    offsets = _keys(
        OFFSETS_TOPIC_GROUP,
        _spec("offsets.storage.topic", Type.STRING, None, _LOW, Width.LONG, "Offsets topic",
              "A separate offsets topic for this connector.", validator=non_empty),
    )  # fmt: skip
    return ConfigDef(*topics, *once, *offsets)


def _at_least_one(option: str, value: Any) -> None:
    if value is not None and value < 1:
        raise invalid(option, value, "Value must be at least 1")


COMMON_DEF: Final = _common()
SINK_DEF: Final = COMMON_DEF.merged(_sink())
SOURCE_DEF: Final = COMMON_DEF.merged(_source())
QUEUE_DEF: Final = ConfigDef(*_queue())
"""Options of the dead letter queue. Sources understand them, too, unlike Connect's; they are part of a source's
declared options only where its configuration names a queue, so that `/config/validate` answers alike otherwise."""


def framework_def(kind: str, config: Mapping[str, Any]) -> ConfigDef:
    """What the runtime declares for a connector of this kind (`source` or `sink`) with these options."""
    if kind == "sink":
        return SINK_DEF
    return SOURCE_DEF.merged(QUEUE_DEF) if config.get(DLQ_TOPIC) else SOURCE_DEF
