"""The SQL source connectors: our own and Confluent's, which differ in the forms Confluent's consumers expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.jdbc.source.checks import validate
from connectors.jdbc.source.monitor import TableMonitor, groups
from connectors.jdbc.source.names import join_tables
from connectors.jdbc.source.offsets import QUERY_PARTITION, offset_of
from connectors.jdbc.source.options import (
    BULK,
    CONFLUENT_OPTIONS,
    OWN_OPTIONS,
    TABLES,
    TABLES_FETCHED,
)
from connectors.jdbc.source.parsing import read_settings
from connectors.jdbc.source.settings import SourceSettings
from connectors.jdbc.source.task import ConfluentJdbcSourceTask, JdbcSourceTask
from replicator.api import ConfigDef, ConnectError, SourceConnector, SourceTask
from replicator.api.config import ConfigValue
from replicator.api.source import ConnectorConfig


class JdbcSourceConnector(SourceConnector):
    """Our own source: Confluent's options, and nothing is left out or padded."""

    aliases: ClassVar[tuple[str, ...]] = ("JdbcSource",)
    task: ClassVar[type[JdbcSourceTask]] = JdbcSourceTask
    options: ClassVar[ConfigDef] = OWN_OPTIONS

    _monitor: TableMonitor | None = None

    @classmethod
    def config_def(cls) -> ConfigDef:
        return cls.options

    def validate(self, config: ConnectorConfig) -> list[ConfigValue]:
        return validate(self.options, config)

    def start(self, config: ConnectorConfig) -> None:
        super().start(config)
        settings: SourceSettings = read_settings(self.options, config, own=self.task.own)
        if not settings.query:
            self._monitor = TableMonitor(
                settings,
                str(config.get("name", "")),
                self.context.request_task_reconfiguration,
                self.context.raise_error,
            )
            self._monitor.start()

    def task_class(self) -> type[SourceTask]:
        return self.task

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """The tables in as many parts as there may be tasks; one task that waits while there are none."""
        if self._monitor is None:
            return [dict(self.config)]
        tables = self._monitor.tables()
        fetched = {TABLES_FETCHED: "false" if tables is None else "true"}
        if not tables:
            return [{**self.config, TABLES: "", **fetched}]
        parts = groups(tables, min(len(tables), max_tasks))
        return [{**self.config, TABLES: join_tables(part), **fetched} for part in parts]

    def stop(self) -> None:
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.stop()

    def exactly_once_support(self, config: ConnectorConfig) -> bool:
        """With a number in each row's offset; rows of one moment, or a whole table, may be read twice."""
        return read_settings(self.options, config, own=self.task.own).uses_incrementing

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[str, Any]) -> bool:
        """Check the offsets; the task reads on behind them.

        Raises:
            ConnectError: a partition or offset has another form, or the mode has no offsets.
        """
        settings = read_settings(self.options, config, own=self.task.own)
        for partition, offset in offsets["offsets"]:
            if offset is None:
                continue
            if settings.mode == BULK:
                raise ConnectError("Offsets cannot be set in bulk mode: every query reads all rows.")
            if not partition or not ("table" in partition or partition == QUERY_PARTITION):
                raise ConnectError(
                    'Partition objects must be {"protocol": "1", "table": "<full name>"} or {"query": "query"}'
                )
            offset_of(offset)
        return True


class ConfluentJdbcSourceConnector(JdbcSourceConnector):
    """Runs configurations of Confluent's JDBC source."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.jdbc.JdbcSourceConnector",)
    task: ClassVar[type[JdbcSourceTask]] = ConfluentJdbcSourceTask
    options: ClassVar[ConfigDef] = CONFLUENT_OPTIONS
