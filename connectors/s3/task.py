"""The S3 sink's task: hands records to the writer of their partition, commits what is visible. Task thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from connectors.s3.options import OPTIONS
from connectors.s3.partition_writer import PartitionWriter
from connectors.s3.settings import Settings
from connectors.s3.store import Store
from replicator.api import (
    DataError,
    OffsetAndMetadata,
    RetriableError,
    SinkRecord,
    SinkTask,
    TopicPartition,
)
from replicator.api.source import ConnectorConfig


class S3SinkTask(SinkTask):
    """Writes topics as objects."""

    def start(self, config: ConnectorConfig) -> None:
        options = OPTIONS.parse(config)
        self._backoff: int = options["retry.backoff.ms"]
        self._settings = Settings(options)
        self._writers: dict[TopicPartition, PartitionWriter] = {}
        self._store = Store(options)
        self._store.check()

    def open(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._writers[partition] = self._writer()

    def put(self, records: Sequence[SinkRecord]) -> None:
        now = _now()
        try:
            for record in records:
                self._put(record, now)
            # A list: every writer gets its turn, not only those up to the first that rotates.
            rotated = [writer.rotate_if_due(now) for writer in self._writers.values()]
        except RetriableError:
            self.context.timeout(self._backoff)
            raise
        if any(rotated):
            self.context.request_commit()

    def pre_commit(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        """Everything before the first record that is not in a visible object."""
        return {partition: self._safe(partition, position) for partition, position in offsets.items()}

    def close(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            writer = self._writers.pop(partition, None)
            if writer is not None:
                writer.abort()

    def stop(self) -> None:
        for writer in getattr(self, "_writers", {}).values():
            writer.abort()
        store = getattr(self, "_store", None)
        if store is not None:
            store.close()

    def _put(self, record: SinkRecord, now: int) -> None:
        partition = TopicPartition(record.original_topic, record.original_kafka_partition)
        writer = self._writers.get(partition)
        if writer is None:
            writer = self._writers[partition] = self._writer()
        if writer.knows(record.original_kafka_offset):
            return
        try:
            if record.value is None and self._settings.on_null != "write":
                writer.refuse(record.original_kafka_offset)
                if self._settings.on_null == "ignore":
                    return
                raise DataError(
                    "Null valued records are not writeable with current behavior.on.null.values setting 'fail'"
                    f" (topic {record.topic}, partition {record.partition}, offset {record.kafka_offset})",
                    hint="Set behavior.on.null.values to ignore or write.",
                )
            writer.write(record, now)
        except DataError as error:
            if self.context.reporter is None:
                raise
            self.context.reporter.report(record, error)

    def _safe(self, partition: TopicPartition, delivered: OffsetAndMetadata) -> OffsetAndMetadata:
        writer = self._writers.get(partition)
        if writer is None or writer.first is None:
            return delivered
        return OffsetAndMetadata(min(writer.first, delivered.offset))

    def _writer(self) -> PartitionWriter:
        return PartitionWriter(self._settings, self._store, _now())


def _now() -> int:
    return time.time_ns() // 1_000_000
