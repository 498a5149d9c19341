"""Names of target tables: from the topic, a format, or the envelope's source block. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.jdbc.config import SinkSettings
from connectors.jdbc.dialects.model import TableName
from replicator.api import DataError, Struct

TableOf = Callable[[Mapping[str, Any]], TableName | None]
"""The table of an envelope, by its fields; None when the envelope does not say."""

_SOURCE_FIELD: Final = re.compile(r"\$\{source\.([^}]+)\}")
_DEFAULT_SCHEMA: Final = "public"


def source_block(fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The envelope's `source`, as a mapping."""
    source = fields.get("source")
    if isinstance(source, Struct):
        return source.fields
    return source if isinstance(source, Mapping) else None


def table_by_source(fields: Mapping[str, Any]) -> TableName | None:
    """`public.users` -> `users`, `sales.users` -> `sales_users`."""
    source = source_block(fields)
    table = source.get("table") if source else None
    if not source or not table:
        return None
    schema = source.get("schema")
    return TableName(None, str(table) if schema in (None, "", _DEFAULT_SCHEMA) else f"{schema}_{table}")


def is_dynamic(settings: SinkSettings) -> bool:
    """Whether the table depends on the record and not on its topic alone."""
    return settings.table_naming == "source" or bool(_SOURCE_FIELD.search(settings.table_format))


def table_by_topic(settings: SinkSettings, topic: str) -> TableName | None:
    """The table of a topic; None when the name depends on the record."""
    return None if is_dynamic(settings) else _qualified(settings.table_format, _topic_part(settings, topic))


def table_by_record(settings: SinkSettings, topic: str) -> TableOf:
    """A function from envelope fields to the table."""
    if settings.table_naming == "source":
        return table_by_source
    topic_part = _topic_part(settings, topic)

    def by_format(fields: Mapping[str, Any]) -> TableName | None:
        source = source_block(fields)
        if source is None:
            return None

        def value_of(match: re.Match[str]) -> str:
            value = source.get(match[1])
            if value is None:
                raise DataError(f"The envelope's source has no {match[1]}, which table.name.format asks for")
            return str(value)

        return _qualified(_SOURCE_FIELD.sub(value_of, settings.table_format), topic_part)

    return by_format


def _topic_part(settings: SinkSettings, topic: str) -> str:
    return topic.replace(".", "_") if settings.dots_to_underscores else topic


def _qualified(text: str, topic: str) -> TableName:
    """Dots separate qualifiers; the last two parts are schema and table."""
    whole = text.replace("${topic}", topic)
    parts = [p for p in whole.split(".") if p]
    if not parts:
        raise DataError("table.name.format gives an empty table name")
    return TableName(parts[-2] if len(parts) > 1 else None, parts[-1])
