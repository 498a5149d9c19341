"""The S3 sink connector: Confluent's class name and options, checked together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from connectors.s3.options import OPTIONS
from connectors.s3.settings import Settings
from connectors.s3.task import S3SinkTask
from replicator.api import ConfigDef, SinkConnector, SinkTask, TopicPartition
from replicator.api.source import ConnectorConfig


class S3SinkConnector(SinkConnector):
    """Writes topics as objects of JSON, Avro, Parquet or bytes into a bucket."""

    aliases: ClassVar[tuple[str, ...]] = ("io.confluent.connect.s3.S3SinkConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def check(self, config: ConnectorConfig) -> None:
        Settings(OPTIONS.parse(config))

    def task_class(self) -> type[SinkTask]:
        return S3SinkTask

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Any offset will do: names of objects follow from it."""
        return True
