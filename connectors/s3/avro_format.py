"""Records as an Avro object container file. fastavro is imported with the first file."""

from __future__ import annotations

from typing import IO, Any, cast

from connectors.s3.avro_schema import LOGICAL_VALUES, AvroSchemas, marker
from connectors.s3.json_format import Output
from connectors.s3.plain import checked
from replicator.api import DataError, Schema


class AvroWriter:
    """One file; its schema is the first record's."""

    def __init__(self, output: Output, name: str, codec: str, metadata: bool) -> None:
        self._output = output
        self._name = name
        self._codec = codec
        self._metadata = metadata
        self._schema: Schema | None = None
        self._writer: Any = None

    def prepare(self, schema: Schema | None, value: Any) -> Any:
        """A record as the file takes it.

        Raises:
            DataError: it has no schema, or does not fit it.
        """
        if schema is None:
            raise DataError("Avro needs records with a schema: use a converter that gives one")
        if self._writer is None:
            self._open(schema)
        assert self._schema is not None
        return checked(self._schema, value, "value", LOGICAL_VALUES, False)

    def append(self, prepared: Any) -> None:
        """Append what was prepared."""
        self._writer.write(prepared)

    def close(self) -> None:
        """Write the last block."""
        if self._writer is not None:
            self._writer.flush()

    def _open(self, schema: Schema) -> None:
        from fastavro.write import Writer

        avro = AvroSchemas(self._metadata).of(schema)
        self._writer = Writer(
            cast("IO[bytes]", self._output), avro, codec=self._codec, sync_marker=marker(self._name)
        )
        self._schema = schema
