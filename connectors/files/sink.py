"""FileStreamSink: appends each record's value to a file, or to the standard output, one line each.

Connect's own example connector. `flush` brings the lines to the disk before offsets are committed, so a crash
may repeat lines but loses none (INV-8). The task's thread owns the file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, ClassVar, Final

from connectors.files.text import line_of
from replicator.api import (
    ConfigDef,
    ConnectError,
    Importance,
    OffsetAndMetadata,
    SinkConnector,
    SinkRecord,
    SinkTask,
    TopicPartition,
    Type,
)
from replicator.api.config import key
from replicator.api.source import ConnectorConfig

OPTIONS: Final = ConfigDef(
    key(
        "file",
        Type.STRING,
        None,
        importance=Importance.HIGH,
        doc="Destination filename. If not specified, the standard output will be used.",
    ),
)


class FileStreamSinkTask(SinkTask):
    """Appends to one file."""

    def start(self, config: ConnectorConfig) -> None:
        self._name: str = OPTIONS.parse(config)["file"] or ""
        self._file: BinaryIO = self._open()

    def put(self, records: Sequence[SinkRecord]) -> None:
        if records:
            lines = b"".join([line_of(record.value) + b"\n" for record in records])
            self._guarded(lambda: self._file.write(lines))
            # Whoever looks at the file sees them at once; that they stay is what `flush` waits for.
            self._guarded(self._file.flush)

    def flush(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        self._guarded(self._file.flush)
        if self._name:
            self._guarded(lambda: os.fsync(self._file.fileno()))

    def stop(self) -> None:
        file = getattr(self, "_file", None)
        if file is not None and self._name:
            file.close()

    def _open(self) -> BinaryIO:
        if not self._name:
            return sys.stdout.buffer
        try:
            return open(self._name, "ab")
        except OSError as error:
            raise ConnectError(
                f"Couldn't find or create file '{self._name}' for FileStreamSinkTask: {error.strerror}"
            ) from error

    def _guarded(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            raise ConnectError(f"Writing to {self._name or 'stdout'} failed: {error.strerror}") from error


class FileStreamSinkConnector(SinkConnector):
    """Tasks that append to one file."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.file.FileStreamSinkConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def task_class(self) -> type[SinkTask]:
        return FileStreamSinkTask

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Any offset will do: the file is only appended to."""
        return True
