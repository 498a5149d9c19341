"""Which literal writes a schema's values into a MySQL or MariaDB column, by the column's real type.

The same matrix serves tables made here and tables that were there before; what is missing in it
is a structural error. Pure.
"""

from __future__ import annotations

import re
from typing import Final

from connectors.jdbc.dialects import literals, mysql_literals, time_literals
from connectors.jdbc.dialects.model import Literal, TargetColumn
from connectors.jdbc.types.contract import INTEGER_KINDS, JSON_KINDS, TEXT_KINDS, Contract, Kind, contract_of
from connectors.jdbc.types.decode import decoder, json_text
from replicator.api import Schema, SchemaType

_INTEGERS: Final = {"tinyint", "smallint", "mediumint", "int", "bigint"}
_TEXT_SIZES: Final = {"tinytext": 255, "text": 65_535, "mediumtext": 16_777_215, "longtext": None}
_BLOB_SIZES: Final = {"tinyblob": 255, "blob": 65_535, "mediumblob": 16_777_215, "longblob": None}
_LABEL: Final = re.compile(r"'((?:[^']|'')*)'")


def literal_for(column: TargetColumn, schema: Schema) -> Literal:
    """See `Dialect.literal_for`."""
    contract = contract_of(schema)
    return literals.unless_unfit(_literal(column, contract), column, contract)


def _literal(column: TargetColumn, contract: Contract) -> Literal | None:
    base = column.base
    if base in _INTEGERS or base == "year":
        return _into_integer(contract)
    if base in {"decimal", "float", "double"}:
        return _into_fraction(column, contract)
    if base in {"char", "varchar", "uuid", "inet4", "inet6"} or base in _TEXT_SIZES:
        return _into_text(column, contract)
    if base in {"binary", "varbinary"} or base in _BLOB_SIZES:
        return _into_binary(column, contract)
    if base in {"date", "time", "datetime", "timestamp"}:
        return _into_time(column, contract)
    return _into_special(column, contract)


def _into_integer(contract: Contract) -> Literal | None:
    if contract.kind in INTEGER_KINDS or contract.schema.type in {SchemaType.INT32, SchemaType.INT64}:
        # Also times as numbers: a table made by a sink that does not know the semantic types has them so.
        return literals.integer()
    if contract.kind is Kind.BOOLEAN:
        return literals.boolean()
    if contract.kind is Kind.DECIMAL:
        return literals.whole_number(decoder(contract))
    if contract.kind is Kind.BITS:
        return mysql_literals.bits(contract.length or 64, decoder(contract))
    return None


def _into_fraction(column: TargetColumn, contract: Contract) -> Literal | None:
    kind = contract.kind
    if kind in INTEGER_KINDS and column.base != "float":
        return literals.integer()
    if kind in {Kind.FLOAT32, Kind.FLOAT64} and column.base != "decimal":
        narrow = column.base == "float" and kind is Kind.FLOAT64
        return literals.single() if narrow else literals.double()
    if kind is not Kind.DECIMAL:
        return None
    if column.base == "decimal":
        return literals.decimal(column.precision or 10, column.scale or 0, decoder(contract))
    return literals.decimal_as_double(decoder(contract)) if column.base == "double" else None


def _into_text(column: TargetColumn, contract: Contract) -> Literal | None:
    kind = contract.kind
    length = column.length if column.base in {"char", "varchar"} else None
    size = _TEXT_SIZES.get(column.base)
    strip = column.base == "char"
    if kind is Kind.UUID:
        return literals.uuid_text() if length is None or length >= 36 else None
    if kind in TEXT_KINDS or kind in {Kind.ZONED_TIME, Kind.INTERVAL}:
        return mysql_literals.text(length=length, size=size, strip=strip)
    if kind is Kind.VARBITS or kind is Kind.BITS:
        return literals.bit_text(length, contract.length or 1 if kind is Kind.BITS else 1)
    if kind in JSON_KINDS or kind in {
        Kind.DECIMAL,
        Kind.DATE,
        Kind.TIME,
        Kind.TIMESTAMP,
        Kind.ZONED_TIMESTAMP,
    }:
        return mysql_literals.text(length=length, size=size, strip=strip, decode=decoder(contract))
    if kind in INTEGER_KINDS:
        return mysql_literals.text(length=length, size=size, strip=strip, decode=lambda value: f"{value:d}")
    if kind in {Kind.FLOAT32, Kind.FLOAT64}:
        return mysql_literals.text(
            length=length, size=size, strip=strip, decode=lambda value: repr(float(value))
        )
    return None


def _into_binary(column: TargetColumn, contract: Contract) -> Literal | None:
    exact = column.length if column.base == "binary" else None
    size = column.length if column.base == "varbinary" else _BLOB_SIZES.get(column.base)
    if contract.kind is Kind.UUID:
        return mysql_literals.uuid_binary() if (column.length or 16) >= 16 else None
    if contract.kind in {Kind.BYTES, Kind.BITS, Kind.VARBITS} and contract.schema.type is SchemaType.BYTES:
        return mysql_literals.binary(size=size, exact=exact)
    return None


def _into_time(column: TargetColumn, contract: Contract) -> Literal | None:
    base, kind, digits = column.base, contract.kind, column.fraction or 0
    if base == "date":
        return time_literals.date(decoder(contract)) if kind is Kind.DATE else None
    if base == "time":
        return time_literals.time(digits, decoder(contract)) if kind is Kind.TIME else None
    if kind not in {Kind.DATE, Kind.TIMESTAMP, Kind.ZONED_TIMESTAMP}:
        return None
    make = time_literals.timestamp if base == "datetime" else time_literals.instant
    return make(digits, decoder(contract))


def _into_special(column: TargetColumn, contract: Contract) -> Literal | None:
    base, kind = column.base, contract.kind
    if base == "json":
        fits = kind in JSON_KINDS or kind is Kind.TEXT
        return mysql_literals.json(json_text) if fits else None
    if base == "bit":
        if kind is Kind.BOOLEAN:
            return literals.boolean()
        if kind in INTEGER_KINDS:
            return literals.integer()
        return mysql_literals.bits(column.length or 1, decoder(contract)) if kind is Kind.BITS else None
    if base == "enum" and kind in TEXT_KINDS:
        return mysql_literals.labels(tuple(label.replace("''", "'") for label in _LABEL.findall(column.type)))
    if base == "set" and kind in TEXT_KINDS:
        return mysql_literals.text()
    if base in {"geometry", "point", "linestring", "polygon"} and kind is Kind.GEOMETRY:
        return mysql_literals.geometry()
    return None
