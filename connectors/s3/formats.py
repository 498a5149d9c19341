"""Formats of objects: what writes them, and how their names end. The writers are imported with their first file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from connectors.s3.classes import FORMATS, named
from connectors.s3.json_format import BytesWriter, JsonWriter
from connectors.s3.upload import Upload
from replicator.api import Schema


class RecordWriter(Protocol):
    """Writes the records of one object."""

    def prepare(self, schema: Schema | None, value: Any) -> Any:
        """A record in the form that `append` takes; raises DataError when it cannot be written."""
        ...

    def append(self, prepared: Any) -> None:
        """Append what was prepared."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class Format:
    """One of the formats with its options.

    Attributes:
        extension: end of the names of its objects.
        structs_only: whether every record must be a struct.
    """

    def __init__(
        self, extension: str, open_: Callable[[Upload], RecordWriter], structs_only: bool = False
    ) -> None:
        self.extension = extension
        self.open = open_
        self.structs_only = structs_only


def format_of(class_name: str, options: Mapping[str, Any]) -> Format:
    """The format of a class name."""
    return _MAKERS[named(class_name, FORMATS)](options)


def _level(options: Mapping[str, Any]) -> int | None:
    return options["s3.compression.level"] if options["s3.compression.type"].lower() == "gzip" else None


def _json(options: Mapping[str, Any]) -> Format:
    level, numeric = _level(options), options["json.decimal.format"].upper() == "NUMERIC"
    return Format(".json" if level is None else ".json.gz", lambda upload: JsonWriter(upload, level, numeric))


def _bytes(options: Mapping[str, Any]) -> Format:
    level, extension = _level(options), options["format.bytearray.extension"]
    configured = options["format.bytearray.separator"]
    separator = (configured.encode().decode("unicode_escape") if configured is not None else "\n").encode()
    ending = extension if level is None else f"{extension}.gz"
    return Format(ending, lambda upload: BytesWriter(upload, level, separator))


def _avro(options: Mapping[str, Any]) -> Format:
    codec, metadata = options["avro.codec"], options["connect.meta.data"]

    def open_(upload: Upload) -> RecordWriter:
        from connectors.s3.avro_format import AvroWriter

        return AvroWriter(upload, upload.name, codec, metadata)

    return Format(".avro", open_)


_PARQUET_EXTENSIONS: Final = {
    "none": "", "gzip": ".gz", "snappy": ".snappy", "lz4": ".lz4", "brotli": ".br", "zstd": ".zstd"
}  # fmt: skip


def _parquet(options: Mapping[str, Any]) -> Format:
    codec = options["parquet.codec"].lower()

    def open_(upload: Upload) -> RecordWriter:
        from connectors.s3.parquet_format import ParquetWriter

        return ParquetWriter(upload, codec)

    return Format(f"{_PARQUET_EXTENSIONS[codec]}.parquet", open_, structs_only=True)


_MAKERS: Final[dict[str, Callable[[Mapping[str, Any]], Format]]] = {
    "json": _json,
    "avro": _avro,
    "parquet": _parquet,
    "bytearray": _bytes,
}
