"""Writes one topic partition: which record goes into which object, and when objects become visible. Task thread.

All open objects of a partition become visible together ("rotation"). Their first offset is the only one that is
committed before that, so records since the last rotation are read again after a crash; and as rotation depends on
the records alone (count, their time, their schema), the same names with the same content are written again: nothing
is lost and nothing is doubled (INV-5, INV-8). Rotation by the wall clock gives that up, knowingly.
"""

from __future__ import annotations

import logging

from connectors.s3.compatibility import ends_file, projected
from connectors.s3.formats import Format
from connectors.s3.object_file import ObjectFile, Part, View
from connectors.s3.settings import Settings
from connectors.s3.store import Store
from connectors.s3.upload import Upload
from connectors.s3.views import header_view, key_view, value_view
from replicator.api import ConnectError, DataError, RetriableError, SinkRecord

log = logging.getLogger(__name__)


class PartitionWriter:
    """The open objects of one partition."""

    def __init__(self, settings: Settings, store: Store, now: int) -> None:
        self._settings = settings
        self._store = store
        self._files: dict[str, ObjectFile] = {}
        self._next = -1
        self._first: int | None = None
        self._count = 0
        self._full = False
        self._base: int | None = None
        self._current: str | None = None
        self._rotation = settings.next_rotation(now) if settings.schedule > 0 else None

    @property
    def first(self) -> int | None:
        """Offset of the first record that is not in a visible object, or None."""
        return self._first

    def knows(self, offset: int) -> bool:
        """Whether the record of that offset was taken, or refused, before: batches come again after a failure."""
        return offset < self._next

    def refuse(self, offset: int) -> None:
        """The record of that offset is somebody else's matter."""
        self._next = max(self._next, offset + 1)

    def write(self, record: SinkRecord, now: int) -> None:
        """Take a record; one that was taken before a RetriableError is known again.

        Raises:
            DataError: this record cannot be written; the next one can.
            RetriableError: the store is not there; call again with the same record.
        """
        offset = record.original_kafka_offset
        if self.knows(offset):
            return
        if self._full:
            self.rotate(now)
        try:
            self._write(record, offset, now)
        except DataError:
            self.refuse(offset)
            raise

    def rotate_if_due(self, now: int) -> bool:
        """Rotate when the clock, or a failure before, asks for it; whether it did."""
        if self._first is None:
            return False
        if not self._full and not self._is_scheduled(now) and not self._is_wallclock_due(now):
            for file in self._files.values():
                file.drain()
            return False
        self.rotate(now)
        return True

    def rotate(self, now: int) -> None:
        """Make everything visible."""
        # Whatever happens on the way: no record may join these objects any more.
        self._full = True
        for directory in list(self._files):
            file = self._files[directory]
            names = file.finish()
            self._tag(file, names)
            del self._files[directory]
        self._first, self._base, self._current = None, None, None
        self._count, self._full = 0, False
        if self._rotation is not None and now >= self._rotation:
            self._rotation = self._settings.next_rotation(now)

    def abort(self) -> None:
        """Forget what is not visible; it will be read again."""
        for file in self._files.values():
            file.abort()
        self._files.clear()

    def _write(self, record: SinkRecord, offset: int, now: int) -> None:
        settings = self._settings
        is_tombstone = record.value is None
        extract = settings.partitioner.extract
        stamp = None if extract is None or is_tombstone else extract(record, now)
        encoded = settings.tombstones if is_tombstone else settings.partitioner.encode(record, now)
        directory = settings.directory(record.topic, encoded)
        if self._is_due(directory, stamp, now):
            self.rotate(now)
        file = self._files.get(directory)
        if file is not None and not is_tombstone:
            if ends_file(settings.compatibility, record.value_schema, file.schema):
                self.rotate(now)
                file = None
            else:
                record = projected(settings.compatibility, record, file.schema)
        if file is None:
            file = self._open(directory, record, offset)
        file.append(file.prepare(record), offset)
        self._files[directory] = file
        if self._first is None:
            self._first = offset
        if self._base is None:
            self._base = stamp
        self._current, self._next, self._count = directory, offset + 1, self._count + 1
        self._full = self._count >= settings.flush_size
        file.drain()
        if self._full:
            self.rotate(now)

    def _is_due(self, directory: str, stamp: int | None, now: int) -> bool:
        if self._first is None:
            return False
        interval = self._settings.interval
        timed = interval > 0 and stamp is not None and self._base is not None
        if timed and (directory != self._current or (stamp or 0) - (self._base or 0) >= interval):
            return True
        return self._is_scheduled(now)

    def _is_scheduled(self, now: int) -> bool:
        return self._rotation is not None and now >= self._rotation

    def _is_wallclock_due(self, now: int) -> bool:
        interval, base = self._settings.interval, self._base
        return (
            self._settings.partitioner.wallclock
            and interval > 0
            and base is not None
            and now - base >= interval
        )

    def _open(self, directory: str, record: SinkRecord, offset: int) -> ObjectFile:
        settings = self._settings
        stem = settings.stem(directory, record.topic, record.original_kafka_partition, offset)
        parts = [self._part(value_view, settings.values, stem, "")] if record.value is not None else []
        if settings.keys is not None:
            parts.append(self._part(key_view, settings.keys, stem, ".keys"))
        if settings.headers is not None:
            parts.append(self._part(header_view, settings.headers, stem, ".headers"))
        return ObjectFile(parts, record.value_schema, offset)

    def _part(self, view: View, format_: Format, stem: str, infix: str) -> Part:
        name = f"{stem}{infix}{format_.extension}"
        return Part(view, format_, Upload(self._store, name, self._settings.part_size))

    def _tag(self, file: ObjectFile, names: list[str]) -> None:
        if not self._settings.tagging:
            return
        for name in names:
            try:
                self._store.tag(name, file.tags(self._settings.tags))
            except RetriableError:
                if self._settings.tagging_fails:
                    raise
                log.warning("%s could not be tagged", name)
            except ConnectError as error:
                if self._settings.tagging_fails:
                    raise
                log.warning("%s could not be tagged: %s", name, error)
