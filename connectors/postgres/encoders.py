"""Makes table encoders the way the connector's options want them; reader thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.cdc import naming
from connectors.cdc.encoder import EncodingOptions, TableEncoder
from connectors.cdc.logical_naming import LogicalTopicNaming
from connectors.cdc.masking import ColumnMasks
from connectors.cdc.selection import KeyColumns, Selection
from connectors.cdc.tables import Table
from connectors.postgres.config import LOGICAL_NAMES, UNICODE_NAMES
from connectors.postgres.types import TypeOptions, table_codecs


class Encoders:
    """Factory of encoders.

    Attributes:
        selection: what is captured.
        topics: names of topics.
        message_source: makes the source block of logical messages; as `TableEncoder.source`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.selection = Selection(options)
        self.topics = topic_naming(options)
        self._keys = KeyColumns(options["message.key.columns"])
        self._masks = ColumnMasks(options)
        self._types = TypeOptions.from_config(options)
        self._common = EncodingOptions(
            name=options["topic.prefix"],
            db=options["database.dbname"],
            adjust_schema=naming.SCHEMA_ADJUSTMENTS[options["schema.name.adjustment.mode"]],
            adjust_field=naming.FIELD_ADJUSTMENTS[options["field.name.adjustment.mode"]],
            failures=options["event.converting.failure.handling.mode"],
        )

        # Messages belong to no table; an encoder without columns makes their source block.
        nothing = Table("", "", ())
        self.message_source = TableEncoder(nothing, {}, self._common, self.topics.message).source

    def encoder(self, table: Table) -> TableEncoder:
        """The encoder of one table version.

        Raises:
            SchemaError: its columns cannot be told apart, or its key does not exist.
            ConfigError: its topic belongs to another table.
        """
        excluded = frozenset(
            c.name for c in table.columns if not self.selection.column(table.schema, table.name, c.name)
        )
        codecs = table_codecs(table, self._types)
        for column in table.columns:
            if column.name in codecs:
                codecs[column.name] = self._masks.apply(table.full_name, column, codecs[column.name])
        return TableEncoder(
            table,
            codecs,
            self._common,
            self.topics.table(table.schema, table.name),
            key_columns=self._keys.of(table.schema, table.name),
            excluded=excluded,
            identifier=self.topics.identifier(table.schema, table.name),
        )


def topic_naming(options: Mapping[str, Any]) -> naming.TopicNaming:
    """Names of topics by `topic.naming.strategy`.

    Raises:
        ConfigError: the strategy lacks an option.
    """
    prefix: str = options["topic.prefix"]
    usual: dict[str, Any] = {
        "delimiter": options["topic.delimiter"],
        "heartbeat_prefix": options["topic.heartbeat.prefix"],
        "heartbeat_name": options["topic.heartbeat.name"],
        "transaction": options["topic.transaction"],
        "unicode": options["topic.naming.strategy"] == UNICODE_NAMES,
    }
    if options["topic.naming.strategy"] == LOGICAL_NAMES:
        return LogicalTopicNaming(prefix, options, **usual)
    return naming.TopicNaming(prefix, **usual)
