"""Source offsets in one JSON file, for standalone workers (`offset.storage.file.filename`). Any thread.

The file is written anew at each change: to a temporary file, flushed, then renamed over the old one, so that a crash
leaves the old or the new offsets (INV-8).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from replicator.api.errors import ConfigError, ConnectError, DiskFullError
from replicator.broker.message import NewMessage
from replicator.storage.base import Offset, OffsetPartition
from replicator.storage.formats import encode_offset, encode_offset_key, partition_identity

_JAVA_MAGIC: Final = b"\xac\xed"
_VERSION: Final = 1
_OPTION: Final = "offset.storage.file.filename"


class FileOffsetStore:
    """See the module."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held: dict[str, dict[bytes, dict[str, Any]]] = {}

    def start(self) -> None:
        """Read the file, if there is one.

        Raises:
            ConfigError: it is not an offset file of this service.
        """
        if not self._path.exists():
            return
        data = self._path.read_bytes()
        if data.startswith(_JAVA_MAGIC):
            raise ConfigError(
                f"The offset file {self._path} was written by Java's standalone worker and cannot be read here.",
                option=_OPTION,
                hint="Name another file, and set the connector's offsets with PATCH /connectors/NAME/offsets.",
            )
        if data.strip():
            self._read(data)

    def _read(self, data: bytes) -> None:
        try:
            stored = orjson.loads(data)
            if stored["version"] != _VERSION:
                raise ConfigError(
                    f"The offset file {self._path} was written by a newer release.", option=_OPTION
                )
            for entry in stored["offsets"]:
                held = self._held.setdefault(entry["connector"], {})
                held[partition_identity(entry["partition"])] = dict(entry["offset"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"The file {self._path} is not an offset file: {error}.",
                option=_OPTION,
                hint="Restore it, or name another file.",
            ) from error

    def stop(self) -> None:
        """Nothing to release: every change is stored already."""

    def read(self, connector: str, partition: OffsetPartition) -> dict[str, Any] | None:
        """The stored offset of one source partition."""
        with self._lock:
            held = self._held.get(connector, {}).get(partition_identity(dict(partition)))
            return dict(held) if held is not None else None

    def offsets(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """All (partition, offset) of a connector."""
        with self._lock:
            return [
                (orjson.loads(key), dict(offset)) for key, offset in self._held.get(connector, {}).items()
            ]

    def write(self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]) -> None:
        """Store offsets; returns when the file is on the disk.

        Raises:
            DiskFullError: no space; the old file stays.
        """
        for partition, offset in offsets:  # the same checks as for a topic
            encode_offset_key(connector, partition)
            encode_offset(offset)
        with self._lock:
            changed = {name: dict(held) for name, held in self._held.items()}
            held = changed.setdefault(connector, {})
            for partition, offset in offsets:
                identity = partition_identity(dict(partition))
                if offset is None:
                    held.pop(identity, None)
                else:
                    held[identity] = dict(offset)
            self._store(changed)
            self._held = changed

    def messages(
        self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]
    ) -> list[NewMessage]:
        """None: a file cannot ride along in an append."""
        return []

    def observe(self, connector: str, offsets: Sequence[tuple[OffsetPartition, Offset | None]]) -> None:
        """As no messages rode along, the offsets are still to be written."""
        self.write(connector, offsets)

    def _store(self, held: dict[str, dict[bytes, dict[str, Any]]]) -> None:
        entries = [
            {"connector": connector, "partition": orjson.loads(identity), "offset": offset}
            for connector, found in held.items()
            for identity, offset in found.items()
        ]
        data = orjson.dumps({"version": _VERSION, "offsets": entries}, option=orjson.OPT_INDENT_2)
        temporary = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data + b"\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
            _flush_folder(self._path.parent)
        except OSError as error:
            if error.errno in (28, 122):
                raise DiskFullError(f"No space left for the offset file {self._path}.") from error
            raise ConnectError(f"Cannot write the offset file {self._path}: {error}.") from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
