"""Names: topics of tables, and what schema and field names become under the adjustment modes.

Pure functions and one class with a memory, used by the task's thread. The memory finds tables whose
names become the same topic: their rows would be mixed up without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from replicator.api import ConfigError

LONGEST_TOPIC: Final = 249

Adjust = Callable[[str], str]

_NOT_TOPIC = re.compile(r"[^A-Za-z0-9._-]")
_NOT_AVRO = re.compile(r"[^A-Za-z0-9_]")
_NOT_AVRO_UNICODE = re.compile(r"[^A-Za-z0-9]")
_NOT_TOPIC_UNICODE = re.compile(r"[^A-Za-z0-9.-]")


def topic_name(name: str, *, unicode: bool = False) -> str:
    """A legal topic name: foreign characters become `_` (or `_uXXXX`), the length stays within 249."""
    name = _NOT_TOPIC_UNICODE.sub(_escape, name) if unicode else _NOT_TOPIC.sub("_", name)
    name = name[:LONGEST_TOPIC]
    return name.replace(".", "_") if name in (".", "..") else name


def _escape(match: re.Match[str]) -> str:
    """Each UTF-16 unit as `_uXXXX`, so that different names stay different."""
    units = match[0].encode("utf-16-be")
    return "".join(f"_u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _avro(name: str) -> str:
    adjusted = _NOT_AVRO.sub("_", name)
    return "_" + adjusted if adjusted[:1].isdigit() else adjusted


def _avro_unicode(name: str) -> str:
    adjusted = _NOT_AVRO_UNICODE.sub(_escape, name)
    return f"_u{ord(adjusted[0]):04x}{adjusted[1:]}" if adjusted[:1].isdigit() else adjusted


def _dotted(adjust: Adjust) -> Adjust:
    def adjusted(name: str) -> str:
        first, *rest = name.split(".")
        # As in Debezium, only the very first character must not be a digit.
        return ".".join([adjust(first), *(adjust(f"a{part}")[1:] for part in rest)])

    return adjusted


def _same(name: str) -> str:
    return name


FIELD_ADJUSTMENTS: Final[dict[str, Adjust]] = {"none": _same, "avro": _avro, "avro_unicode": _avro_unicode}
"""What `field.name.adjustment.mode` does to a field name."""

SCHEMA_ADJUSTMENTS: Final[dict[str, Adjust]] = {
    "none": _same,
    "avro": _dotted(_avro),
    "avro_unicode": _dotted(_avro_unicode),
}
"""What `schema.name.adjustment.mode` does to a schema name; its dots stay."""


class TopicNaming:
    """Topics of one source.

    Attributes:
        transaction: topic of transaction metadata.
        heartbeat: topic of heartbeats.
        message: topic of logical messages.
    """

    def __init__(
        self,
        prefix: str,
        *,
        delimiter: str = ".",
        heartbeat_prefix: str = "__debezium-heartbeat",
        heartbeat_name: str | None = None,
        transaction: str = "transaction",
        unicode: bool = False,
    ) -> None:
        self._prefix = prefix
        self._delimiter = delimiter
        self._unicode = unicode
        self._tables: dict[str, tuple[str, str]] = {}
        self.transaction = self._name(prefix, transaction)
        self.heartbeat = heartbeat_name or self._name(heartbeat_prefix, prefix)
        self.message = f"{prefix}.message"  # whatever the other topics are called

    def table(self, schema: str, name: str) -> str:
        """Topic of a table.

        Raises:
            ConfigError: another table already has this topic.
        """
        topic = self._name(self._prefix, schema, name)
        owner = self._tables.setdefault(topic, (schema, name))
        if owner != (schema, name):
            raise ConfigError(
                f"Tables {'.'.join(owner)} and {schema}.{name} would share the topic {topic}",
                option="topic.naming.strategy",
                hint="Exclude one, or use io.debezium.schema.SchemaUnicodeTopicNamingStrategy.",
            )
        return topic

    def identifier(self, schema: str, name: str) -> tuple[str, str] | None:
        """Name and value of a further field of the table's keys, if they are to have one."""
        return None

    def _name(self, *parts: str) -> str:
        return topic_name(self._delimiter.join(parts), unicode=self._unicode)
