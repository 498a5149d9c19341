"""Which column MySQL and MariaDB get for a schema, and what it takes of row, page and index (C21, C22).

Text is compared by code points without padding, so that keys equal at the source are equal at the
target and no others are. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from connectors.jdbc.dialects.model import ColumnType, KeyContext, TargetColumn
from connectors.jdbc.dialects.mysql_binding import literal_for
from connectors.jdbc.types.contract import Contract, Kind, contract_of
from replicator.api import Schema, StructuralError

MAX_KEY_BYTES: Final = 3072
MAX_VARCHAR: Final = 16_383
_OFF_ROW_BYTES: Final = 12
# A column kept off its page leaves at most this much on it (DYNAMIC row format).
_PAGE_BYTES: Final = 41


@dataclass(frozen=True, slots=True)
class Flavour:
    """What differs between the two servers.

    Attributes:
        name: for messages.
        binary: NO PAD collation that compares code points.
        insensitive: collation that ignores case but not accents.
        json: type of JSON columns whose text may be normalised.
        max_scale: most fraction digits of DECIMAL.
    """

    name: str
    binary: str
    insensitive: str
    json: str
    max_scale: int


MYSQL: Final = Flavour("MySQL", "utf8mb4_0900_bin", "utf8mb4_0900_as_ci", "JSON", 30)
MARIADB: Final = Flavour(
    "MariaDB",
    "utf8mb4_nopad_bin",
    "utf8mb4_unicode_nopad_ci",
    "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    38,
)

_FIXED: Final = {
    Kind.INT8: "TINYINT",
    Kind.INT16: "SMALLINT",
    Kind.INT32: "INT",
    Kind.INT64: "BIGINT",
    Kind.FLOAT32: "DOUBLE",
    Kind.FLOAT64: "DOUBLE",
    Kind.BOOLEAN: "TINYINT(1)",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME(6)",
    Kind.TIMESTAMP: "DATETIME(6)",
    Kind.ZONED_TIMESTAMP: "DATETIME(6)",
    Kind.DURATION: "BIGINT",
    Kind.YEAR: "YEAR",
    Kind.UUID: "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin",
    Kind.ZONED_TIME: "VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin",
    Kind.INTERVAL: "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin",
    Kind.GEOMETRY: "GEOMETRY",
}
_FIXED_BYTES: Final = {
    "tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8, "float": 4, "double": 8, "date": 3,
    "year": 1,
}  # fmt: skip
_POLICIES: Final = {
    Kind.DECIMAL: "NaN, infinity and digits beyond the column's are not storable",
    Kind.FLOAT32: "NaN and infinity are not storable",
    Kind.FLOAT64: "NaN and infinity are not storable",
    Kind.DATE: "infinity, BC and years above 9999 are not storable",
    Kind.TIMESTAMP: "infinity, BC and years above 9999 are not storable",
    Kind.ZONED_TIMESTAMP: "stored in UTC; infinity, BC and years above 9999 are not storable",
    Kind.JSONB: "numbers beyond 64 bit integers and doubles are not storable",
    Kind.ARRAY: "numbers beyond 64 bit integers and doubles are not storable",
    Kind.STRUCT: "numbers beyond 64 bit integers and doubles are not storable",
}


def column_type(schema: Schema, flavour: Flavour, key: KeyContext | None = None) -> ColumnType:
    """See `Dialect.column_type`."""
    contract = contract_of(schema)
    sql = _sql(contract, flavour, key)
    made = _typed(sql, contract)
    if key is None and sql.startswith("VARCHAR") and made.page_bytes > _OFF_ROW_BYTES:
        off_row = _typed(f"LONGTEXT{sql[sql.index(')') + 1 :]}", contract)
        return _typed(sql, contract, off_row)
    return made


def _typed(sql: str, contract: Contract, off_row: ColumnType | None = None) -> ColumnType:
    row, page, key = sizes(sql)
    stores_text = parse_type("", sql).base in {"longtext", "varchar"}
    return ColumnType(
        sql=sql,
        literal=literal_for(parse_type("", sql), contract.schema),
        policy="" if stores_text else _POLICIES.get(contract.kind, ""),
        row_bytes=row,
        page_bytes=page,
        key_bytes=key,
        off_row=off_row,
    )


def _sql(contract: Contract, flavour: Flavour, key: KeyContext | None) -> str:
    kind, length = contract.kind, contract.length
    if kind in _FIXED:
        return _FIXED[kind]
    if kind is Kind.DECIMAL:
        return _decimal(contract, flavour)
    if kind is Kind.BITS and (length or 65) <= 64:
        return f"BIT({length})"
    if kind in {Kind.BITS, Kind.VARBITS, Kind.ASCII}:
        return _ascii(length, key)
    if kind is Kind.BYTES:
        return f"VARBINARY({key.share})" if key else "LONGBLOB"
    if kind in {Kind.JSONB, Kind.ARRAY, Kind.STRUCT} and key is None:
        return flavour.json
    return _text(contract, flavour, key)


def _decimal(contract: Contract, flavour: Flavour) -> str:
    precision, scale = contract.length, contract.scale or 0
    if precision is None:
        fraction = contract.scale
        return f"DECIMAL(65,{flavour.max_scale if fraction is None else min(fraction, flavour.max_scale)})"
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    if precision <= 65 and scale <= flavour.max_scale:
        return f"DECIMAL({precision},{scale})"
    return f"VARCHAR({precision + 3}) CHARACTER SET ascii COLLATE ascii_bin"


def _ascii(length: int | None, key: KeyContext | None) -> str:
    suffix = "CHARACTER SET ascii COLLATE ascii_bin"
    if length is None or length > MAX_VARCHAR:
        return f"VARCHAR({key.share}) {suffix}" if key else f"LONGTEXT {suffix}"
    return f"VARCHAR({min(length, key.share) if key else length}) {suffix}"


def _text(contract: Contract, flavour: Flavour, key: KeyContext | None) -> str:
    kind, length = contract.kind, contract.length
    collation = flavour.insensitive if kind is Kind.CITEXT else flavour.binary
    suffix = f"CHARACTER SET utf8mb4 COLLATE {collation}"
    if kind is Kind.ENUM:
        length = 255
    if (
        kind is Kind.CHAR
        and length is not None
        and length <= 255
        and (key is None or length * 4 <= key.share)
    ):
        return f"CHAR({length}) {suffix}"
    limit = key.share // 4 if key else MAX_VARCHAR
    if kind in {Kind.CHAR, Kind.VARCHAR, Kind.ENUM} and length is not None and length <= limit:
        return f"VARCHAR({length}) {suffix}"
    return f"VARCHAR({limit}) {suffix}" if key else f"LONGTEXT {suffix}"


def sizes(sql: str) -> tuple[int, int, int]:
    """Bytes of the row limit, of the page and of an index (0: not possible in one)."""
    column = parse_type("", sql)
    base, length = column.base, column.length or 0
    if base in _FIXED_BYTES:
        size = _FIXED_BYTES[base]
        return size, size, size
    if base == "decimal":
        size = _decimal_bytes(column.precision or 10, column.scale or 0)
        return size, size, size
    if base in {"datetime", "timestamp", "time"}:
        return 8, 8, 8
    if base == "bit":
        size = (length + 7) // 8
        return size, size, size
    if base in {"char", "varchar", "binary", "varbinary"}:
        size = length * (4 if "utf8mb4" in sql else 1)
        return size + 2, min(size, _PAGE_BYTES) + 1, size + 2 if size <= MAX_KEY_BYTES else 0
    return _OFF_ROW_BYTES, _PAGE_BYTES, 0


def _decimal_bytes(precision: int, scale: int) -> int:
    left_over = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
    return sum(digits // 9 * 4 + left_over[digits % 9] for digits in (precision - scale, scale))


_TYPE: Final = re.compile(r"\s*(\w+)\s*(?:\(([^)]*)\))?", re.ASCII)


def parse_type(name: str, sql: str) -> TargetColumn:
    """A column from its type text, as DDL or the catalog writes it."""
    found = _TYPE.match(sql)
    if found is None:
        raise StructuralError(f"Column {name} has an unreadable type: {sql}")
    base = found[1].lower()
    base = {"integer": "int", "numeric": "decimal", "boolean": "tinyint", "bool": "tinyint"}.get(base, base)
    numbers = [int(n) for n in (found[2] or "").split(",") if n.strip().isdigit()]
    first = numbers[0] if numbers else None
    is_time = base in {"time", "datetime", "timestamp"}
    is_number = base in {"decimal", "float", "double"}
    return TargetColumn(
        name=name,
        type=sql.lower() if base not in {"enum", "set"} else sql,
        base=base,
        length=first if base in {"char", "varchar", "binary", "varbinary", "bit"} else None,
        precision=first if is_number else None,
        scale=numbers[1] if is_number and len(numbers) > 1 else None,
        fraction=(first or 0) if is_time else None,
        collation=sql.rpartition("COLLATE ")[2] if "COLLATE " in sql else None,
    )
