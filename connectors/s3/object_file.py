"""The objects of one directory that are being written: values, and beside them keys and headers. Task thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.s3.formats import Format, RecordWriter
from connectors.s3.upload import Upload
from connectors.s3.views import SchemaAndView
from replicator.api import ConnectError, DataError, Schema, SinkRecord

View = Callable[[SinkRecord, bool], SchemaAndView]


class Part:
    """One object: which view of the record it holds, and how."""

    def __init__(self, view: View, format_: Format, upload: Upload) -> None:
        self._view = view
        self._structs_only = format_.structs_only
        self._writer: RecordWriter = format_.open(upload)
        self._closed = False
        self.upload = upload

    def prepare(self, record: SinkRecord) -> Any:
        """The view as the writer takes it."""
        schema, value = self._view(record, self._structs_only)
        return self._writer.prepare(schema, value)

    def append(self, prepared: Any) -> None:
        """Append a prepared view."""
        try:
            self._writer.append(prepared)
        except DataError as error:
            # Only single records may be set aside; this concerns several that were accepted before.
            raise ConnectError(f"{self.upload.name} cannot be written: {error}") from error

    def finish(self) -> None:
        """Make the object visible; may be called again after a RetriableError."""
        if not self._closed:
            self._writer.close()
            self._closed = True
        self.upload.finish()


class ObjectFile:
    """The objects that share a directory and a first offset.

    Attributes:
        schema: schema of the values.
        start: offset of the first record.
        end: offset of the last record.
        count: records.
    """

    def __init__(self, parts: Sequence[Part], schema: Schema | None, start: int) -> None:
        self._parts = parts
        self.schema = schema
        self.start = self.end = start
        self.count = 0

    def prepare(self, record: SinkRecord) -> list[Any]:
        """Everything of the record that is to be written, before anything is."""
        return [part.prepare(record) for part in self._parts]

    def append(self, prepared: Sequence[Any], offset: int) -> None:
        """Append a prepared record."""
        for part, view in zip(self._parts, prepared, strict=True):
            part.append(view)
        self.count += 1
        self.end = offset

    def drain(self) -> None:
        """Upload what is enough for a part."""
        for part in self._parts:
            part.upload.drain()

    def finish(self) -> list[str]:
        """Make the objects visible, values last; gives their names."""
        for part in reversed(self._parts):
            part.finish()
        return [part.upload.name for part in self._parts]

    def abort(self) -> None:
        """Leave nothing behind."""
        for part in self._parts:
            part.upload.abort()

    def tags(self, further: Mapping[str, str]) -> dict[str, str]:
        """The tags of its objects."""
        figures = {"startOffset": self.start, "endOffset": self.end, "recordCount": self.count}
        return {**further, **{name: str(figure) for name, figure in figures.items()}}
