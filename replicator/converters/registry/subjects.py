"""Subject names: under what name the schema of a topic's keys or values is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from replicator.api.errors import ConfigError, DataError

Strategy = Callable[[str, bool, str | None], str]
"""(topic, is_key, full name of the record or None) -> subject."""


def topic_name(topic: str, is_key: bool, record: str | None) -> str:
    """`<topic>-key` or `<topic>-value`."""
    return f"{topic}-key" if is_key else f"{topic}-value"


def record_name(topic: str, is_key: bool, record: str | None) -> str:
    """The full name of the record."""
    if record is None:
        part = "key" if is_key else "value"
        raise DataError(
            f"In configuration {part}.subject.name.strategy = RecordNameStrategy, "
            f"the message {part} must only be a record schema"
        )
    return record


def topic_record_name(topic: str, is_key: bool, record: str | None) -> str:
    """`<topic>-<full name of the record>`."""
    return f"{topic}-{record_name(topic, is_key, record)}"


_STRATEGIES: Final[dict[str, Strategy]] = {
    "TopicNameStrategy": topic_name,
    "RecordNameStrategy": record_name,
    "TopicRecordNameStrategy": topic_record_name,
}


def strategy(name: str, option: str) -> Strategy:
    """The strategy of a Java class name or its simple name.

    Raises:
        ConfigError: there is none of this name.
    """
    found = _STRATEGIES.get(name.rpartition(".")[2])
    if found is None:
        raise ConfigError(
            f"Invalid value {name} for configuration {option}: Class {name} could not be found.",
            option=option,
            hint=f"Known: {', '.join(_STRATEGIES)}.",
        )
    return found
