"""The Elasticsearch sink connector: Confluent's class name and options, checked together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from connectors.elasticsearch.options import OPTIONS
from connectors.elasticsearch.settings import Settings
from connectors.elasticsearch.task import ElasticsearchSinkTask
from replicator.api import ConfigDef, ConfigError, ConfigValue, SinkConnector, SinkTask, TopicPartition
from replicator.api.source import ConnectorConfig


class ElasticsearchSinkConnector(SinkConnector):
    """Writes topics as documents into Elasticsearch or OpenSearch."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def validate(self, config: ConnectorConfig) -> list[ConfigValue]:
        """Each option by itself, then what they need of each other."""
        found = super().validate(config)
        if not any(value.errors for value in found):
            try:
                Settings(OPTIONS.parse(config))
            except ConfigError as error:
                blamed = next((value for value in found if value.name == error.option), found[0])
                blamed.errors.append(error.message)
        return found

    def task_class(self) -> type[SinkTask]:
        return ElasticsearchSinkTask

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Any offset will do: documents have the offset as version."""
        return True
