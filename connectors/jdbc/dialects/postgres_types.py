"""Column types of Postgres as a target: which one a schema gets, and what a type as DDL writes it says. Pure."""

from __future__ import annotations

import re
from typing import Final

from connectors.jdbc.dialects.model import ColumnType, TargetColumn
from connectors.jdbc.dialects.postgres_literals import literal_for
from connectors.jdbc.types.contract import Contract, Kind, contract_of
from replicator.api import Schema, SchemaType, StructuralError

_FIXED: Final = {
    Kind.INT8: "smallint",
    Kind.INT16: "smallint",
    Kind.INT32: "integer",
    Kind.INT64: "bigint",
    Kind.FLOAT32: "real",
    Kind.FLOAT64: "double precision",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT: "text",
    Kind.CITEXT: "text",
    Kind.ASCII: "text",
    Kind.ENUM: "text",
    Kind.ENUM_SET: "text",
    Kind.BYTES: "bytea",
    Kind.DATE: "date",
    Kind.TIME: "time(6)",
    Kind.TIMESTAMP: "timestamp(6)",
    Kind.ZONED_TIMESTAMP: "timestamptz(6)",
    Kind.ZONED_TIME: "timetz(6)",
    Kind.INTERVAL: "interval",
    Kind.DURATION: "interval",
    Kind.YEAR: "integer",
    Kind.UUID: "uuid",
    Kind.JSON: "json",
    Kind.JSONB: "jsonb",
    Kind.STRUCT: "jsonb",
    Kind.XML: "xml",
}
# Source types with the same name here.
_NATIVE: Final = frozenset({
    "inet", "cidr", "macaddr", "macaddr8", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
    "int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsvector", "tsquery", "pg_lsn", "money",
    "point", "line", "lseg", "box", "path", "polygon", "circle", "oid",
})  # fmt: skip
_ELEMENTS: Final = {
    SchemaType.INT8: "smallint",
    SchemaType.INT16: "smallint",
    SchemaType.INT32: "integer",
    SchemaType.INT64: "bigint",
    SchemaType.FLOAT32: "real",
    SchemaType.FLOAT64: "double precision",
    SchemaType.BOOLEAN: "boolean",
    SchemaType.STRING: "text",
}


def column_type(schema: Schema) -> ColumnType:
    """See `Dialect.column_type`."""
    contract = contract_of(schema)
    sql = _sql(contract)
    return ColumnType(sql=sql, literal=literal_for(parse_type("", sql), schema))


def _sql(contract: Contract) -> str:
    kind, length = contract.kind, contract.length
    native = contract.native.lower()
    if contract.schema.type is SchemaType.STRING and native in _NATIVE:
        return native
    if kind in _FIXED:
        return _FIXED[kind]
    if kind is Kind.DECIMAL:
        fits = length is not None and 0 < length <= 1000 and 0 <= (contract.scale or 0) <= length
        return f"numeric({length},{contract.scale or 0})" if fits else "numeric"
    if kind in {Kind.VARCHAR, Kind.CHAR}:
        return (
            f"{'varchar' if kind is Kind.VARCHAR else 'char'}({length})"
            if (length or 0) <= 10_485_760
            else "text"
        )
    if kind in {Kind.BITS, Kind.VARBITS}:
        return f"{'bit' if kind is Kind.BITS and length else 'varbit'}{f'({length})' if length else ''}"
    if kind is Kind.ARRAY:
        element = contract.schema.value_schema
        simple = element is not None and element.name is None and element.type in _ELEMENTS
        return f"{_ELEMENTS[element.type]}[]" if simple and element is not None else "jsonb"
    raise StructuralError(f"{contract.describe()} has no column type here", hint="Leave the column out.")


_ALIASES: Final = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
    "bool": "boolean", "character varying": "varchar", "character": "char", "bpchar": "char", "bit varying": "varbit",
    "decimal": "numeric", "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time without time zone": "time", "time with time zone": "timetz",
}  # fmt: skip
_TYPE: Final = re.compile(
    r"(?P<base>[^(\[]+?)\s*(?:\((?P<sizes>[\d,\s-]+)\))?(?P<rest>[^(\[]*)(?P<array>(?:\[\])*)"
)


def parse_type(name: str, sql: str) -> TargetColumn:
    """A column from its type as DDL or `format_type` writes it."""
    found = _TYPE.fullmatch(sql)
    if found is None:
        return TargetColumn(name=name, type=sql, base=sql)
    base = (found["base"] + found["rest"]).strip()
    base = _ALIASES.get(base, base)
    sizes = [int(n) for n in (found["sizes"] or "").split(",") if n.strip()]
    first = sizes[0] if sizes else None
    timed = base in {"timestamp", "timestamptz", "time", "timetz"}
    return TargetColumn(
        name=name,
        type=sql,
        base=base + found["array"],
        length=first if base in {"varchar", "char", "bit", "varbit"} else None,
        precision=first if base == "numeric" else None,
        scale=(sizes[1] if len(sizes) > 1 else 0) if base == "numeric" and sizes else None,
        fraction=(6 if first is None else first) if timed else None,
    )
