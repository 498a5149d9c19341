"""The Elasticsearch sink connector: Confluent's class name and options, checked together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from connectors.elasticsearch.checks import check_together, check_topics
from connectors.elasticsearch.options import OPTIONS
from connectors.elasticsearch.task import ElasticsearchSinkTask
from replicator.api import ConfigDef, SinkConnector, SinkTask, TopicPartition
from replicator.api.source import ConnectorConfig


class ElasticsearchSinkConnector(SinkConnector):
    """Writes topics as documents into Elasticsearch or OpenSearch."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def check(self, config: ConnectorConfig) -> None:
        options = OPTIONS.parse(config)
        check_together(options)
        topics = config.get("topics") or ""
        check_topics(options, {name.strip() for name in topics.split(",") if name.strip()})

    def task_class(self) -> type[SinkTask]:
        return ElasticsearchSinkTask

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Any offset will do: documents have the offset as version."""
        return True
