"""Records as a Parquet file: columns as Confluent's Avro-based writer lays them out. Imports pyarrow when first used.

Rows are collected and written as a row group when there are enough of them, so that memory stays bounded.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from connectors.s3.json_format import Output
from connectors.s3.plain import checked
from replicator.api import DataError, Schema, SchemaType
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import precision_of, scale_of

_ROWS: Final = 20_000
_BYTES: Final = 16 << 20
_VALUES: Final[dict[str, Any]] = {
    DECIMAL: lambda schema, value: value,
    DATE: lambda schema, value: value.date() if isinstance(value, dt.datetime) else value,
    TIME: lambda schema, value: value,
    TIMESTAMP: lambda schema, value: value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value,
}
_WIDEST_128: Final = 38


class ParquetWriter:
    """One file; its schema is the first record's."""

    def __init__(self, output: Output, codec: str) -> None:
        self._output = output
        self._codec = codec
        self._schema: Schema | None = None
        self._rows: list[Any] = []
        self._bytes = 0
        self._columns: Any = None
        self._writer: Any = None

    def prepare(self, schema: Schema | None, value: Any) -> dict[str, Any]:
        """A record as the file takes it.

        Raises:
            DataError: it has no struct schema, or does not fit it.
        """
        if schema is None or schema.type is not SchemaType.STRUCT:
            raise DataError("Parquet needs records with a struct schema: use a converter that gives one")
        if self._schema is None:
            self._open(schema)
        assert self._schema is not None
        row: dict[str, Any] = checked(self._schema, value, "value", _VALUES, True)
        self._check_decimals(row)
        return row

    def append(self, prepared: dict[str, Any]) -> None:
        """Append what was prepared."""
        self._rows.append(prepared)
        self._bytes += _size(prepared)
        if len(self._rows) >= _ROWS or self._bytes >= _BYTES:
            self._write_rows()

    def close(self) -> None:
        """Write what is left, and the footer."""
        if self._writer is not None:
            self._write_rows()
            self._writer.close()

    def _open(self, schema: Schema) -> None:
        import pyarrow
        import pyarrow.parquet

        self._columns = pyarrow.schema([_column(field.name, field.schema) for field in schema.fields])
        self._schema = schema
        self._writer = pyarrow.parquet.ParquetWriter(self._output, self._columns, compression=self._codec)

    def _check_decimals(self, row: dict[str, Any]) -> None:
        """A row that the columns cannot hold is refused here, while it is still alone."""
        assert self._schema is not None
        if not any(field.schema.name == DECIMAL for field in self._schema.fields):
            return
        import pyarrow

        try:
            pyarrow.Table.from_pylist([row], schema=self._columns)
        except (pyarrow.ArrowException, ValueError, TypeError) as error:
            raise DataError(f"The record does not fit its Parquet columns: {error}") from error

    def _write_rows(self) -> None:
        import pyarrow

        if self._rows:
            try:
                table = pyarrow.Table.from_pylist(self._rows, schema=self._columns)
            except (pyarrow.ArrowException, ValueError, TypeError) as error:
                raise DataError(f"A record does not fit its Parquet columns: {error}") from error
            self._rows, self._bytes = [], 0
            self._writer.write_table(table)


def _column(name: str, schema: Schema) -> Any:
    import pyarrow

    nullable = schema.optional
    return pyarrow.field(name, _type(schema), nullable=nullable)


def _type(schema: Schema) -> Any:
    import pyarrow

    if schema.name == DECIMAL:
        precision = precision_of(schema)
        wide = pyarrow.decimal256 if precision > _WIDEST_128 else pyarrow.decimal128
        return wide(min(precision, 76), scale_of(schema))
    simple = {DATE: pyarrow.date32(), TIME: pyarrow.time32("ms"), TIMESTAMP: pyarrow.timestamp("ms", "UTC")}
    if schema.name in simple:
        return simple[schema.name]
    if schema.type is SchemaType.STRUCT:
        return pyarrow.struct([_column(field.name, field.schema) for field in schema.fields])
    if schema.type is SchemaType.ARRAY and schema.value_schema is not None:
        return pyarrow.list_(_column("element", schema.value_schema))
    if schema.type is SchemaType.MAP and schema.key_schema is not None and schema.value_schema is not None:
        return pyarrow.map_(_type(schema.key_schema), _column("value", schema.value_schema))
    return {
        SchemaType.INT8: pyarrow.int32(),
        SchemaType.INT16: pyarrow.int32(),
        SchemaType.INT32: pyarrow.int32(),
        SchemaType.INT64: pyarrow.int64(),
        SchemaType.FLOAT32: pyarrow.float32(),
        SchemaType.FLOAT64: pyarrow.float64(),
        SchemaType.BOOLEAN: pyarrow.bool_(),
        SchemaType.STRING: pyarrow.string(),
        SchemaType.BYTES: pyarrow.binary(),
    }[schema.type]


def _size(value: Any) -> int:
    """About how much memory a row takes."""
    if isinstance(value, (str, bytes)):
        return 50 + len(value)
    if isinstance(value, dict):
        return 100 + sum(map(_size, value.values()))
    if isinstance(value, (list, tuple)):
        return 60 + sum(map(_size, value))
    return 32
