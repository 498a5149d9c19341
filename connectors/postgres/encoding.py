"""Encoders of Postgres tables: the type mapping, the column rules and the names put together.

One `Encoding` per task, made from its parsed and raw configuration; it builds a `TableEncoder` for each
table version the reader meets. Used by the threads that read the log and that copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.cdc.codec import ColumnCodec
from connectors.cdc.encoder import EncodingOptions, TableEncoder
from connectors.cdc.masking import ColumnMasks
from connectors.cdc.naming import FIELD_ADJUSTMENTS, SCHEMA_ADJUSTMENTS, TopicNaming
from connectors.cdc.selection import KeyColumns, Selection
from connectors.cdc.tables import Table
from connectors.postgres.types import TypeOptions, table_codecs


class Encoding:
    """Builds encoders.

    Attributes:
        selection: what is captured.
        naming: topics.
        types: how values are represented.
        options: what all tables share.

    Raises:
        ConfigError: an option is wrong.
    """

    def __init__(self, config: Mapping[str, Any], raw: Mapping[str, Any], database: str) -> None:
        """Take the options.

        Args:
            config: the parsed configuration.
            raw: the configuration as given: names of masking options carry numbers.
            database: name of the database, for the source block.
        """
        self.selection = Selection(config)
        self.types = TypeOptions.from_config(config)
        self.naming = TopicNaming(
            config["topic.prefix"],
            delimiter=config.get("topic.delimiter") or ".",
            heartbeat_prefix=config.get("topic.heartbeat.prefix") or "__debezium-heartbeat",
            heartbeat_name=config.get("topic.heartbeat.name"),
            transaction=config.get("topic.transaction") or "transaction",
            unicode="Unicode" in str(config.get("topic.naming.strategy") or ""),
        )
        self.options = EncodingOptions(
            name=config["topic.prefix"],
            db=database,
            adjust_schema=SCHEMA_ADJUSTMENTS[config.get("schema.name.adjustment.mode") or "none"],
            adjust_field=FIELD_ADJUSTMENTS[config.get("field.name.adjustment.mode") or "none"],
        )
        self._keys = KeyColumns(config.get("message.key.columns"))
        self._masks = ColumnMasks(raw)

    def encoder(self, table: Table) -> TableEncoder:
        """An encoder of this version of a table.

        Raises:
            ConfigError: its topic belongs to another table.
            SchemaError: its columns cannot be told apart, or its key does not exist.
        """
        codecs = {name: self._masked(table, name, codec) for name, codec in self._codecs(table).items()}
        excluded = frozenset(
            name for name in codecs if not self.selection.column(table.schema, table.name, name)
        )
        return TableEncoder(
            table,
            codecs,
            self.options,
            self.naming.table(table.schema, table.name),
            key_columns=self._keys.of(table.schema, table.name),
            excluded=excluded,
        )

    def _codecs(self, table: Table) -> dict[str, ColumnCodec]:
        return table_codecs(table, self.types)

    def _masked(self, table: Table, name: str, codec: ColumnCodec) -> ColumnCodec:
        column = table.column(name)
        return codec if column is None else self._masks.apply(table.full_name, column, codec)
