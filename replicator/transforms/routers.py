"""RegexRouter and TimestampRouter: other topics by pattern or by time. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import DataError
from replicator.api.java_regex import compile_java, java_pattern, replacement
from replicator.api.option_types import Type, invalid
from replicator.api.record import ConnectRecord
from replicator.api.transform import Transformation
from replicator.transforms.part import PACKAGE
from replicator.transforms.simple_date_format import SimpleDateFormat

_CACHE_SIZE: Final = 1000


class RegexRouter(Transformation):
    """Renames topics whose whole name matches."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}RegexRouter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return ConfigDef(
            key(
                "regex",
                Type.STRING,
                importance=high,
                validator=java_pattern,
                doc="Regular expression that the whole topic must match.",
            ),
            key(
                "replacement",
                Type.STRING,
                importance=high,
                doc="The new topic; $1 or ${name} stand for groups of the expression.",
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._pattern = compile_java(options["regex"])
        self._replacement: str = options["replacement"]
        self._routes: dict[str, str] = {}

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        topic = record.topic
        new = self._routes.get(topic)
        if new is None:
            if len(self._routes) >= _CACHE_SIZE:
                self._routes.clear()
            new = self._routes[topic] = self._route(topic)
        return record if new == topic else record.evolve(topic=new)

    def _route(self, topic: str) -> str:
        if self._pattern.fullmatch(topic) is None:
            return topic
        return filled(self._pattern.sub(replacement(self._replacement, self._pattern), topic, count=1), topic)


def filled(topic: str, old: str) -> str:
    """The new topic.

    Raises:
        DataError: it is empty; a record without topic would be taken for one without data (INV-6).
    """
    if not topic:
        raise DataError(f"The new topic of a record of topic {old} is empty")
    return topic


class TimestampRouter(Transformation):
    """Makes the topic of the record's topic and timestamp."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}TimestampRouter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        high = Importance.HIGH
        return ConfigDef(
            key(
                "topic.format",
                Type.STRING,
                "${topic}-${timestamp}",
                importance=high,
                doc="The new topic, with ${topic} and ${timestamp} as placeholders.",
            ),
            key(
                "timestamp.format",
                Type.STRING,
                "yyyyMMdd",
                importance=high,
                doc="Pattern of the timestamp as for Java's SimpleDateFormat; the time zone is UTC.",
            ),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._topic_format: str = options["topic.format"]
        pattern = options["timestamp.format"]
        try:
            self._format = SimpleDateFormat(pattern)
        except ValueError as error:
            raise invalid("timestamp.format", pattern, str(error)) from None

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.timestamp is None:
            raise DataError(f"Timestamp missing on record: {record}")
        routed = self._topic_format.replace("${topic}", record.topic)
        try:
            stamp = self._format.format(record.timestamp)
        except OverflowError:
            raise DataError(f"The timestamp {record.timestamp} is outside of the years 1 to 9999") from None
        routed = routed.replace("${timestamp}", stamp)
        return record.evolve(topic=filled(routed, record.topic))
