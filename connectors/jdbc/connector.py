"""The SQL sink connectors: one task implementation behind our, Confluent's and Debezium's option names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from connectors.jdbc.config import SinkSettings
from connectors.jdbc.dialects import TableName, dialect_for
from connectors.jdbc.flavours import ReadSettings, confluent, debezium, own, validate
from connectors.jdbc.ledger import alter
from connectors.jdbc.ledger_schema import LEDGER_TABLE
from connectors.jdbc.options import (
    CONFLUENT_NAMES,
    CONFLUENT_OPTIONS,
    DEBEZIUM_NAMES,
    DEBEZIUM_OPTIONS,
    OWN_NAMES,
    OWN_OPTIONS,
)
from connectors.jdbc.session import target_url
from connectors.jdbc.task import ConfluentSinkTask, DebeziumSinkTask, JdbcSinkTask
from replicator.api import ConfigDef, SinkConnector, SinkTask, TopicPartition
from replicator.api.config import ConfigValue
from replicator.api.source import ConnectorConfig


class JdbcSinkConnector(SinkConnector):
    """Our own sink: Confluent's option names and what we added."""

    aliases: ClassVar[tuple[str, ...]] = ("JdbcSink",)
    options: ClassVar[ConfigDef] = OWN_OPTIONS
    option_names: ClassVar[Mapping[str, str]] = OWN_NAMES
    task: ClassVar[type[SinkTask]] = JdbcSinkTask
    read_settings: ClassVar[ReadSettings] = staticmethod(own)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return cls.options

    def validate(self, config: ConnectorConfig) -> list[ConfigValue]:
        return validate(self.options, self.option_names, config)

    def start(self, config: ConnectorConfig) -> None:
        super().start(config)
        self._settings: SinkSettings = type(self).read_settings(config)

    def task_class(self) -> type[SinkTask]:
        return self.task

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Change the ledger with the group's offsets (C11).

        Raises:
            RetriableError: the target cannot be reached; nothing may be changed then.
        """
        url = target_url(type(self).read_settings(config))
        dialect = dialect_for(url.kind)
        name = str(config.get("name", ""))
        connection = dialect.connect(url, f"replicator {name}")
        try:
            if dialect.describe_table(connection, TableName(None, LEDGER_TABLE)) is not None:
                connection.commit()
                alter(connection, dialect.kind, name, offsets)
        finally:
            connection.close()
        return True


class ConfluentJdbcSinkConnector(JdbcSinkConnector):
    """Runs configurations of Confluent's JDBC sink."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.jdbc.JdbcSinkConnector",)
    options: ClassVar[ConfigDef] = CONFLUENT_OPTIONS
    option_names: ClassVar[Mapping[str, str]] = CONFLUENT_NAMES
    task: ClassVar[type[SinkTask]] = ConfluentSinkTask
    read_settings: ClassVar[ReadSettings] = staticmethod(confluent)


class DebeziumJdbcSinkConnector(JdbcSinkConnector):
    """Runs configurations of Debezium's JDBC sink."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.connector.jdbc.JdbcSinkConnector",)
    options: ClassVar[ConfigDef] = DEBEZIUM_OPTIONS
    option_names: ClassVar[Mapping[str, str]] = DEBEZIUM_NAMES
    task: ClassVar[type[SinkTask]] = DebeziumSinkTask
    read_settings: ClassVar[ReadSettings] = staticmethod(debezium)
