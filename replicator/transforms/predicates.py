"""Connect's predicates. Task thread."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from replicator.api.config import ConfigDef, key
from replicator.api.java_regex import compile_java
from replicator.api.option_types import Type, invalid
from replicator.api.record import ConnectRecord
from replicator.api.transform import Predicate
from replicator.api.validators import non_empty

_PACKAGE: Final = "org.apache.kafka.connect.transforms.predicates."


class RecordIsTombstone(Predicate):
    """True for records whose value is null."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}RecordIsTombstone",)

    def test(self, record: ConnectRecord) -> bool:
        return record.value is None


def _is_pattern(name: str, value: Any) -> None:
    try:
        compile_java(value)
    except re.error as error:
        raise invalid(name, value, f"entry must be a regular expression: {error}") from error


class TopicNameMatches(Predicate):
    """True for records whose whole topic name matches a regular expression."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}TopicNameMatches",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(
            key(
                "pattern",
                Type.STRING,
                validator=_is_pattern,
                doc="A regular expression for matching against the name of a record's topic.",
            )
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        self._pattern = compile_java(self.config_def().parse(config)["pattern"])

    def test(self, record: ConnectRecord) -> bool:
        topic: str | None = record.topic
        return topic is not None and self._pattern.fullmatch(topic) is not None


class HasHeaderKey(Predicate):
    """True for records with at least one header of a name."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_PACKAGE}HasHeaderKey",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return ConfigDef(key("name", Type.STRING, validator=non_empty, doc="The header name."))

    def configure(self, config: Mapping[str, Any]) -> None:
        self._name = str(self.config_def().parse(config)["name"])

    def test(self, record: ConnectRecord) -> bool:
        return record.header(self._name) is not None
