"""Logical types: Connect's own and Debezium's semantic names.

Values of Connect's logical types are Python objects: Decimal -> `decimal.Decimal`, Date ->
`datetime.date`, Time -> `datetime.time`, Timestamp -> naive UTC `datetime.datetime`.
Values of Debezium's semantic types (`io.debezium.*`) stay in their base type (int, str, bytes).
"""

from __future__ import annotations

from typing import Final

from replicator.api.logical_values import PRECISION_PARAMETER
from replicator.api.schema import Schema, SchemaType

DECIMAL: Final = "org.apache.kafka.connect.data.Decimal"
DATE: Final = "org.apache.kafka.connect.data.Date"
TIME: Final = "org.apache.kafka.connect.data.Time"
TIMESTAMP: Final = "org.apache.kafka.connect.data.Timestamp"

DBZ_DATE: Final = "io.debezium.time.Date"
DBZ_TIME: Final = "io.debezium.time.Time"
DBZ_MICRO_TIME: Final = "io.debezium.time.MicroTime"
DBZ_NANO_TIME: Final = "io.debezium.time.NanoTime"
DBZ_TIMESTAMP: Final = "io.debezium.time.Timestamp"
DBZ_MICRO_TIMESTAMP: Final = "io.debezium.time.MicroTimestamp"
DBZ_NANO_TIMESTAMP: Final = "io.debezium.time.NanoTimestamp"
DBZ_ZONED_TIMESTAMP: Final = "io.debezium.time.ZonedTimestamp"
DBZ_ZONED_TIME: Final = "io.debezium.time.ZonedTime"
DBZ_ISO_DATE: Final = "io.debezium.time.IsoDate"
DBZ_ISO_TIME: Final = "io.debezium.time.IsoTime"
DBZ_ISO_TIMESTAMP: Final = "io.debezium.time.IsoTimestamp"
DBZ_MICRO_DURATION: Final = "io.debezium.time.MicroDuration"
DBZ_INTERVAL: Final = "io.debezium.time.Interval"
DBZ_YEAR: Final = "io.debezium.time.Year"
DBZ_JSON: Final = "io.debezium.data.Json"
DBZ_XML: Final = "io.debezium.data.Xml"
DBZ_UUID: Final = "io.debezium.data.Uuid"
DBZ_ENUM: Final = "io.debezium.data.Enum"
DBZ_ENUM_SET: Final = "io.debezium.data.EnumSet"
DBZ_BITS: Final = "io.debezium.data.Bits"
DBZ_LTREE: Final = "io.debezium.data.Ltree"
DBZ_TSVECTOR: Final = "io.debezium.data.Tsvector"
DBZ_VARIABLE_SCALE_DECIMAL: Final = "io.debezium.data.VariableScaleDecimal"
DBZ_POINT: Final = "io.debezium.data.geometry.Point"
DBZ_GEOMETRY: Final = "io.debezium.data.geometry.Geometry"
DBZ_GEOGRAPHY: Final = "io.debezium.data.geometry.Geography"

SOURCE_TYPE_PARAMETER: Final = "__debezium.source.column.type"
SOURCE_LENGTH_PARAMETER: Final = "__debezium.source.column.length"
SOURCE_SCALE_PARAMETER: Final = "__debezium.source.column.scale"
SOURCE_NAME_PARAMETER: Final = "__debezium.source.column.name"
MISSING_VALUE_PARAMETER: Final = "__replicator.column.missing"
"""JSON of the value that rows older than the column have: a log does not repeat those rows."""

UNAVAILABLE_VALUE: Final = "__debezium_unavailable_value"
"""Debezium's default placeholder for an unchanged TOAST value."""

NEW_KEY_HEADER: Final = "__debezium.newkey"
OLD_KEY_HEADER: Final = "__debezium.oldkey"


def decimal_schema(scale: int, *, optional: bool = False, precision: int | None = None) -> Schema:
    """Connect's Decimal with a fixed scale."""
    parameters = {"scale": str(scale)}
    if precision is not None:
        parameters[PRECISION_PARAMETER] = str(precision)
    return Schema(SchemaType.BYTES, name=DECIMAL, version=1, parameters=parameters, optional=optional)


def date_schema(*, optional: bool = False) -> Schema:
    """Connect's Date."""
    return Schema(SchemaType.INT32, name=DATE, version=1, optional=optional)


def time_schema(*, optional: bool = False) -> Schema:
    """Connect's Time (milliseconds)."""
    return Schema(SchemaType.INT32, name=TIME, version=1, optional=optional)


def timestamp_schema(*, optional: bool = False) -> Schema:
    """Connect's Timestamp (milliseconds)."""
    return Schema(SchemaType.INT64, name=TIMESTAMP, version=1, optional=optional)
