"""Reads a schema: which kind of value it describes, with length and scale.

Order: semantic name (`io.debezium.*`, Connect's logical types), then the source type that the
source propagates, then Connect's own type. Pure; dialects choose columns and literals by kind.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from replicator.api import Schema, SchemaType, StructuralError
from replicator.api import logical as names


class Kind(enum.Enum):
    """Kinds of values."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    TEXT = "text"
    VARCHAR = "varchar"
    CHAR = "char"
    CITEXT = "citext"
    ASCII = "ascii"
    BYTES = "bytes"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    ZONED_TIMESTAMP = "zoned timestamp"
    ZONED_TIME = "zoned time"
    INTERVAL = "interval"
    DURATION = "duration"
    YEAR = "year"
    BITS = "bits"
    VARBITS = "varbits"
    UUID = "uuid"
    JSON = "json"
    JSONB = "jsonb"
    XML = "xml"
    ENUM = "enum"
    ENUM_SET = "enum set"
    ARRAY = "array"
    STRUCT = "struct"
    GEOMETRY = "geometry"


TEXT_KINDS: Final = frozenset(
    {Kind.TEXT, Kind.VARCHAR, Kind.CHAR, Kind.CITEXT, Kind.ASCII, Kind.XML, Kind.ENUM, Kind.ENUM_SET}
)
INTEGER_KINDS: Final = frozenset({Kind.INT8, Kind.INT16, Kind.INT32, Kind.INT64, Kind.DURATION, Kind.YEAR})
JSON_KINDS: Final = frozenset({Kind.JSON, Kind.JSONB, Kind.ARRAY, Kind.STRUCT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a schema's values are.

    Attributes:
        kind: the kind.
        schema: the schema itself.
        native: propagated source type, upper case, without its length; "" if none.
        length: characters, digits or bits, where declared.
        scale: fraction digits, where declared.
    """

    kind: Kind
    schema: Schema
    native: str = ""
    length: int | None = None
    scale: int | None = None

    def describe(self) -> str:
        """Words for messages: `numeric(10,2)`, `io.debezium.time.Date`."""
        if self.native:
            inner = ",".join(str(n) for n in (self.length, self.scale) if n is not None)
            return f"{self.native.lower()}({inner})" if inner else self.native.lower()
        return self.schema.name or self.schema.type.value


_BY_NAME: Final = {
    names.DECIMAL: Kind.DECIMAL,
    names.DATE: Kind.DATE,
    names.TIME: Kind.TIME,
    names.TIMESTAMP: Kind.TIMESTAMP,
    names.DBZ_DATE: Kind.DATE,
    names.DBZ_TIME: Kind.TIME,
    names.DBZ_MICRO_TIME: Kind.TIME,
    names.DBZ_NANO_TIME: Kind.TIME,
    names.DBZ_TIMESTAMP: Kind.TIMESTAMP,
    names.DBZ_MICRO_TIMESTAMP: Kind.TIMESTAMP,
    names.DBZ_NANO_TIMESTAMP: Kind.TIMESTAMP,
    names.DBZ_ZONED_TIMESTAMP: Kind.ZONED_TIMESTAMP,
    names.DBZ_ZONED_TIME: Kind.ZONED_TIME,
    names.DBZ_ISO_DATE: Kind.DATE,
    names.DBZ_ISO_TIME: Kind.TIME,
    names.DBZ_ISO_TIMESTAMP: Kind.TIMESTAMP,
    names.DBZ_MICRO_DURATION: Kind.DURATION,
    names.DBZ_INTERVAL: Kind.INTERVAL,
    names.DBZ_YEAR: Kind.YEAR,
    names.DBZ_XML: Kind.XML,
    names.DBZ_UUID: Kind.UUID,
    names.DBZ_ENUM: Kind.ENUM,
    names.DBZ_ENUM_SET: Kind.ENUM_SET,
    names.DBZ_LTREE: Kind.TEXT,
    names.DBZ_TSVECTOR: Kind.TEXT,
    names.DBZ_VARIABLE_SCALE_DECIMAL: Kind.DECIMAL,
    names.DBZ_POINT: Kind.GEOMETRY,
    names.DBZ_GEOMETRY: Kind.GEOMETRY,
    names.DBZ_GEOGRAPHY: Kind.GEOMETRY,
}
_BY_TYPE: Final = {
    SchemaType.INT8: Kind.INT8,
    SchemaType.INT16: Kind.INT16,
    SchemaType.INT32: Kind.INT32,
    SchemaType.INT64: Kind.INT64,
    SchemaType.FLOAT32: Kind.FLOAT32,
    SchemaType.FLOAT64: Kind.FLOAT64,
    SchemaType.BOOLEAN: Kind.BOOLEAN,
    SchemaType.STRING: Kind.TEXT,
    SchemaType.BYTES: Kind.BYTES,
    SchemaType.ARRAY: Kind.ARRAY,
    SchemaType.MAP: Kind.STRUCT,
    SchemaType.STRUCT: Kind.STRUCT,
}
# Source types that arrive as STRING and have a shorter or stricter column than TEXT: kind, length.
_STRINGS: Final[dict[str, tuple[Kind, int | None]]] = {
    "NUMERIC": (Kind.DECIMAL, None),
    "DECIMAL": (Kind.DECIMAL, None),
    "MONEY": (Kind.DECIMAL, 19),
    "VARCHAR": (Kind.VARCHAR, None),
    "BPCHAR": (Kind.CHAR, None),
    "CHAR": (Kind.CHAR, None),
    "CITEXT": (Kind.CITEXT, None),
    "NAME": (Kind.VARCHAR, 63),
    "INET": (Kind.ASCII, 43),
    "CIDR": (Kind.ASCII, 43),
    "MACADDR": (Kind.ASCII, 17),
    "MACADDR8": (Kind.ASCII, 23),
    "PG_LSN": (Kind.ASCII, 17),
    "XID": (Kind.ASCII, 20),
    "XID8": (Kind.ASCII, 20),
    "TIMETZ": (Kind.ZONED_TIME, None),
    "INTERVAL": (Kind.INTERVAL, None),
}


def contract_of(schema: Schema) -> Contract:
    """The contract of a column's schema.

    Raises:
        StructuralError: a parameter is malformed.
    """
    parameters = schema.parameters
    native = parameters.get(names.SOURCE_TYPE_PARAMETER, "").upper().partition("(")[0].strip()
    length = _number(parameters, names.SOURCE_LENGTH_PARAMETER)
    scale = _number(parameters, names.SOURCE_SCALE_PARAMETER)
    kind = _kind(schema, native)
    if kind is Kind.DECIMAL:
        length, scale = _decimal_size(schema, native, length, scale)
    elif kind in {Kind.BITS, Kind.VARBITS}:
        length = _number(parameters, "length") or length
    elif schema.type is SchemaType.STRING and native in _STRINGS:
        fixed = _STRINGS[native][1]
        length = fixed if fixed is not None else length
    if kind in {Kind.VARCHAR, Kind.CHAR} and (length is None or length <= 0):
        kind = Kind.TEXT
    return Contract(kind=kind, schema=schema, native=native, length=length, scale=scale)


def _kind(schema: Schema, native: str) -> Kind:
    if schema.name == names.DBZ_JSON:
        return Kind.JSON if native == "JSON" else Kind.JSONB
    if schema.name == names.DBZ_BITS:
        return Kind.VARBITS if native == "VARBIT" else Kind.BITS
    if schema.name in _BY_NAME:
        return _BY_NAME[schema.name]
    if schema.type is SchemaType.STRING and native in _STRINGS:
        return _STRINGS[native][0]
    if schema.type is SchemaType.STRING and native in {"BIT", "VARBIT"}:
        return Kind.VARBITS
    return _BY_TYPE[schema.type]


def _decimal_size(
    schema: Schema, native: str, length: int | None, scale: int | None
) -> tuple[int | None, int | None]:
    if native == "MONEY":
        return 19, scale if scale is not None else 2
    if schema.name == names.DECIMAL:
        exact = _number(schema.parameters, "scale")
        precision = _number(schema.parameters, "connect.decimal.precision")
        return (precision or length), exact if exact is not None else scale
    if length is not None and length > 0:
        return length, scale or 0
    return None, None


def _number(parameters: object, name: str) -> int | None:
    text = parameters.get(name) if hasattr(parameters, "get") else None
    if text is None or text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise StructuralError(f"Schema parameter {name} is not a number: {text}") from None
