"""The topics of a sink: exactly one of the options that name them, and none that is a queue of its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from replicator.api.errors import ConfigError
from replicator.config.connector import DLQ_TOPIC


def check_topics(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Errors over several sink options, as (option, message)."""
    topics = [t.strip() for t in str(config.get("topics") or "").split(",") if t.strip()]
    regex = str(config.get("topics.regex") or "").strip()
    queue = str(config.get(DLQ_TOPIC) or "").strip()
    found: list[tuple[str, str]] = []
    if not topics and not regex:
        message = "Must configure one of topics or topics.regex"
        return [("topics", message), ("topics.regex", message)]
    if topics and regex:
        message = "topics and topics.regex are mutually exclusive options, but both are set."
        return [("topics", message), ("topics.regex", message)]
    if queue and queue in topics:
        found.append(("topics", f"The DLQ topic '{queue}' may not be included in the list of topics"
                      f" ('topics=[{', '.join(topics)}]') consumed by the connector"))  # fmt: skip
    if queue and regex and _matches(regex, queue):
        found.append(("topics.regex", f"The DLQ topic '{queue}' may not be matched by the regex for the topics"
                      f" ('topics.regex={regex}') consumed by the connector"))  # fmt: skip
    return found


def topic_pattern(regex: str) -> re.Pattern[str]:
    """Compile `topics.regex` for whole-name matching, as Java matches it.

    Raises:
        ConfigError: it is not a regular expression.
    """
    try:
        return re.compile(rf"(?:{regex})\Z")
    except re.error as error:
        raise ConfigError(f"{regex} is not a regular expression: {error}", option="topics.regex") from None


def _matches(regex: str, topic: str) -> bool:
    try:
        return re.fullmatch(regex, topic) is not None
    except re.error:
        return False
