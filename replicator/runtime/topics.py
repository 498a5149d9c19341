"""Creates the topics a source writes to, by the rules of `topic.creation.*` (task thread)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from replicator.api.config import split_prefix
from replicator.api.errors import ConfigError
from replicator.broker.admin import Admin, NewTopic

DEFAULT_GROUP = "default"
_MEANINGS = {
    "partitions": "Number of partitions must be positive",
    "replication.factor": "Replication factor must be positive and not larger than the number of brokers in the"
    " Kafka cluster",
}
_COUNTS_KNOWN_FOR = 60.0
_OWN = ("include", "exclude", "replication.factor", "partitions")


@dataclass(frozen=True, slots=True)
class TopicRule:
    """One group of rules; the last one, `default`, matches every topic."""

    include: tuple[re.Pattern[str], ...]
    exclude: tuple[re.Pattern[str], ...]
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)

    def matches(self, topic: str) -> bool:
        """Included and not excluded, by whole name."""
        if any(p.fullmatch(topic) for p in self.exclude):
            return False
        return any(p.fullmatch(topic) for p in self.include)


def rules(config: Mapping[str, str]) -> list[TopicRule]:
    """Rules in order, `default` last; empty when the connector configures none.

    Raises:
        ConfigError: a group lacks an option or has a wrong one.
    """
    options = split_prefix(config, "topic.creation.")
    if not options:
        return []
    groups = [g.strip() for g in str(options.get("groups", "")).split(",") if g.strip()]
    ordered = [g for g in groups if g != DEFAULT_GROUP] + [DEFAULT_GROUP]
    return [_rule(group, split_prefix(options, f"{group}."), options) for group in ordered]


def _rule(group: str, own: Mapping[str, str], options: Mapping[str, str]) -> TopicRule:
    prefix = f"topic.creation.{group}."
    is_default = group == DEFAULT_GROUP
    if not is_default and not own.get("include"):
        raise ConfigError(f'Missing required configuration "{prefix}include" which has no default value.',
                          option=f"{prefix}include")  # fmt: skip
    return TopicRule(
        include=(re.compile(".*"),) if is_default else _patterns(own.get("include", ""), prefix + "include"),
        exclude=() if is_default else _patterns(own.get("exclude", ""), prefix + "exclude"),
        partitions=_number("partitions", own, options, prefix),
        replication_factor=_number("replication.factor", own, options, prefix),
        config={name: str(value) for name, value in own.items() if name not in _OWN},
    )


def _number(name: str, own: Mapping[str, str], options: Mapping[str, str], prefix: str) -> int:
    text = own.get(name, options.get(f"{DEFAULT_GROUP}.{name}"))
    if text is None:
        raise ConfigError(f'Missing required configuration "{prefix}{name}" which has no default value.',
                          option=prefix + name)  # fmt: skip
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number == 0 or number < -1:
        raise ConfigError(f"Invalid value {text} for configuration {prefix}{name}: {_MEANINGS[name]}, or -1 to use"
                          " the broker's default", option=prefix + name)  # fmt: skip
    return number


def _patterns(text: str, option: str) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(part.strip()) for part in text.split(",") if part.strip())
    except re.error as error:
        raise ConfigError(
            f"Invalid value {text} for configuration {option}: {error}", option=option
        ) from None


class TopicCreator:
    """Makes sure that the topics of a batch exist before it is appended."""

    def __init__(
        self, admin: Admin, topic_rules: list[TopicRule], *, enabled: bool, used: Callable[[str], None]
    ) -> None:
        self._admin = admin
        self._rules = topic_rules
        self._enabled = enabled
        self._used = used
        self._known: set[str] = set()
        self._counts: dict[str, tuple[int, float]] = {}

    def ensure(self, topics: set[str]) -> None:
        """Create what is missing; tells the tracker of topics seen for the first time."""
        new = topics - self._known
        if not new:
            return
        if self._enabled:
            existing = self._admin.topics()
            self._admin.create_topics([self._new_topic(t) for t in sorted(new) if t not in existing])
        for topic in sorted(new):
            self._used(topic)
        self._known |= new

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has, as of a minute ago at most."""
        now = time.monotonic()
        count, until = self._counts.get(topic, (0, 0.0))
        if now >= until:
            found = self._admin.topics().get(topic)
            count = 1 if found is None else found.partitions
            self._counts[topic] = (count, now + _COUNTS_KNOWN_FOR)
        return count

    def _new_topic(self, topic: str) -> NewTopic:
        for rule in self._rules:
            if rule.matches(topic):
                return NewTopic(topic, rule.partitions, rule.replication_factor, rule.config)
        # One partition per table by default (C13); nothing a replica still needs is compacted away.
        return NewTopic(topic, 1, -1, {"cleanup.policy": "delete"})
