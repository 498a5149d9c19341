"""FileStreamSource: each line of a file, or of the standard input, becomes a record.

Connect's own example connector, with its options, offsets and messages. A line counts when its end has been
written; the offset is the position in bytes behind it, so that a line is delivered once and none is lost (INV-8).
The task's thread owns the file.
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any, ClassVar, Final

from connectors.files.lines import LineBuffer
from replicator.api import (
    ConfigDef,
    ConnectError,
    Importance,
    SourceConnector,
    SourceRecord,
    SourceTask,
    Type,
)
from replicator.api.config import key
from replicator.api.schema import STRING
from replicator.api.source import ConnectorConfig
from replicator.api.validators import non_empty

log = logging.getLogger(__name__)

FILENAME: Final = "filename"
POSITION: Final = "position"
_BLOCK: Final = 64 * 1024
_WAIT: Final = 1.0
_STDIN: Final = 0

OPTIONS: Final = ConfigDef(
    key(
        "file",
        Type.STRING,
        None,
        importance=Importance.HIGH,
        doc="Source filename. If not specified, the standard input will be used.",
    ),
    key(
        "topic",
        Type.STRING,
        importance=Importance.HIGH,
        validator=non_empty,
        doc="The topic to publish data to.",
    ),
    key(
        "batch.size",
        Type.INT,
        2000,
        importance=Importance.LOW,
        doc="The maximum number of records the source task can read from the file each time it is polled.",
    ),
)


class FileStreamSourceTask(SourceTask):
    """Reads one file."""

    def start(self, config: ConnectorConfig) -> None:
        options = OPTIONS.parse(config)
        self._name: str = options["file"] or ""
        self._topic: str = options["topic"]
        self._batch: int = options["batch.size"]
        self._partition = {FILENAME: self._name} if self._name else None
        self._stream: IO[bytes] | None = None
        self._position: int | None = None
        self._lines = LineBuffer()

    def poll(self) -> Sequence[SourceRecord] | None:
        if self._stream is None and not self._open():
            self.context.stopping.wait(_WAIT)
            return None
        records = self._records()
        if not records:
            self.context.stopping.wait(_WAIT)
            return None
        return records

    def stop(self) -> None:
        stream, self._stream = getattr(self, "_stream", None), None
        if stream is not None:
            stream.close()

    def _open(self) -> bool:
        """Open the file where reading goes on; False while there is none."""
        if not self._name:
            self._stream = os.fdopen(os.dup(_STDIN), "rb", buffering=0)
            return True
        assert self._partition is not None
        stored = self.context.offsets.offset(self._partition) or {}
        position = stored.get(POSITION)
        if position is not None and type(position) is not int:
            raise ConnectError("Offset position is the incorrect type")
        try:
            self._stream = open(self._name, "rb", buffering=0)  # noqa: SIM115 - lives as long as the task
            self._stream.seek(position or 0)
        except FileNotFoundError:
            log.warning("Couldn't find file %s for FileStreamSourceTask, sleeping to wait for it to be created",
                        self._name)  # fmt: skip
            return False
        except OSError as error:
            raise ConnectError(f"Error while trying to open file {self._name}: {error.strerror}") from error
        self._position = position or 0
        size = os.fstat(self._stream.fileno()).st_size
        if self._position > size:
            log.warning("%s ends at %d, before the stored position %d: nothing is read until it has grown past it",
                        self._name, size, self._position)  # fmt: skip
        return True

    def _records(self) -> list[SourceRecord]:
        records: list[SourceRecord] = []
        while len(records) < self._batch:
            line = self._lines.take()
            if line is None:
                block = self._read()
                if not block:
                    break
                self._lines.add(block)
                continue
            records.append(self._record(*line))
        return records

    def _read(self) -> bytes | None:
        assert self._stream is not None
        try:
            # A terminal or pipe must not hold the task's thread while nobody writes.
            if not self._name and not select.select([self._stream], [], [], 0)[0]:
                return None
            return self._stream.read(_BLOCK)
        except OSError as error:
            raise ConnectError(f"Error while reading {self._name or 'stdin'}: {error.strerror}") from error

    def _record(self, line: bytes, length: int) -> SourceRecord:
        offset: dict[str, Any] | None = None
        if self._position is not None:
            self._position += length
            offset = {POSITION: self._position}
        text = line.decode("utf-8", errors="replace")
        now = time.time_ns() // 1_000_000
        return SourceRecord(self._partition, offset, self._topic, None, None, None, STRING, text, now)


class FileStreamSourceConnector(SourceConnector):
    """One task that reads one file."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.file.FileStreamSourceConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def start(self, config: ConnectorConfig) -> None:
        super().start(config)
        name = OPTIONS.parse(config)["file"] or "standard input"
        log.info("Starting file source connector reading from %s", name)

    def task_class(self) -> type[SourceTask]:
        return FileStreamSourceTask

    def exactly_once_support(self, config: ConnectorConfig) -> bool:
        """Only of a file: what was read from the standard input cannot be read again."""
        return bool(OPTIONS.parse(config)["file"])

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[str, Any]) -> bool:
        """Check the positions; the task reads on there.

        Raises:
            ConnectError: a position has another form, or the connector reads the standard input.
        """
        if not OPTIONS.parse(config)["file"]:
            raise ConnectError(
                "Offsets cannot be modified if the 'file' configuration is unspecified. "
                "This is because stdin is used for input and offsets are not tracked."
            )
        for partition, offset in offsets["offsets"]:
            if offset is not None:
                _check(partition, offset)
        return True


def _check(partition: Mapping[str, Any] | None, offset: Mapping[str, Any]) -> None:
    if POSITION not in offset:
        raise ConnectError(f"Offset objects should either be null or contain the key '{POSITION}'")
    position = offset[POSITION]
    if type(position) is not int:
        raise ConnectError(f"The value for the '{POSITION}' key in the offset is expected to be a Long value")
    if position < 0:
        raise ConnectError(f"The value for the '{POSITION}' key in the offset should be a non-negative value")
    if partition is None:
        raise ConnectError("Partition objects cannot be null")
    if FILENAME not in partition:
        raise ConnectError(f"Partition objects should contain the key '{FILENAME}'")
