"""Literals for Postgres columns: untyped text that the server brings into the column's type. Pure; task thread.

What the server would round silently is refused here (INV-7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from connectors.jdbc.dialects import literals
from connectors.jdbc.dialects.failures import Unrepresentable
from connectors.jdbc.dialects.model import Literal, TargetColumn
from connectors.jdbc.types.contract import INTEGER_KINDS, JSON_KINDS, Contract, Kind, contract_of
from connectors.jdbc.types.decode import decoder, json_text
from replicator.api import DataError, Schema, SchemaType

Decoder = Callable[[Any], Any]

_PLAIN: Final = """type($v) is str and "'" not in $v and "\\0" not in $v"""


def quoted(value: str) -> str:
    """A string literal; right while standard_conforming_strings is on, as the session pins it."""
    if "\0" in value:
        raise DataError("a NUL character cannot be stored in Postgres text")
    return f"""'{value.replace("'", "''")}'"""


def _text(decode: Decoder | None = None) -> Literal:
    def render(value: Any) -> str:
        plain = decode(value) if decode is not None else value
        if type(plain) is not str:
            raise DataError(f"expected text, got {type(plain).__name__}")
        return quoted(plain)

    return Literal(render) if decode is not None else Literal(render, (_PLAIN, "'{$v}'"))


def literal_for(column: TargetColumn, schema: Schema) -> Literal:
    """See `Dialect.literal_for`."""
    contract = contract_of(schema)
    return literals.unless_unfit(_literal(column, contract), column, contract)


def _literal(column: TargetColumn, contract: Contract) -> Literal | None:
    base, kind = column.base, contract.kind
    if base in {"smallint", "integer", "bigint", "oid"}:
        return _into_integer(contract)
    if base in {"numeric", "real", "double precision", "money"}:
        return _into_fraction(column, contract)
    if base == "boolean":
        return _boolean(contract)
    if base == "bytea":
        fits = contract.schema.type is SchemaType.BYTES
        return Literal(lambda value: f"'\\x{value.hex()}'") if fits else None
    if base in {"bit", "varbit"}:
        return _into_bits(column, contract)
    if base in {"date", "timestamp", "timestamptz", "time", "timetz", "interval"}:
        return _into_time(column, contract)
    if base.endswith("[]"):
        return (
            Literal(_array)
            if kind is Kind.ARRAY
            else _text()
            if contract.schema.type is SchemaType.STRING
            else None
        )
    return _into_text(contract)


def _boolean(contract: Contract) -> Literal | None:
    if contract.kind is not Kind.BOOLEAN:
        return None

    def render(value: Any) -> str:
        if value is True or value is False:
            return "true" if value else "false"
        raise DataError(f"expected a boolean, got {type(value).__name__}")

    return Literal(render, ("type($v) is bool", "{$v and 'true' or 'false'}"))


def _into_integer(contract: Contract) -> Literal | None:
    if contract.kind in INTEGER_KINDS or contract.schema.type in {SchemaType.INT32, SchemaType.INT64}:
        return literals.integer()
    if contract.kind is Kind.BOOLEAN:
        return literals.boolean()
    return literals.whole_number(decoder(contract)) if contract.kind is Kind.DECIMAL else None


def _into_fraction(column: TargetColumn, contract: Contract) -> Literal | None:
    kind = contract.kind
    if kind in INTEGER_KINDS:
        return literals.integer()
    if kind in {Kind.FLOAT32, Kind.FLOAT64} and column.base != "money":
        narrow = literals.single().render if column.base == "real" and kind is Kind.FLOAT64 else None
        return Literal(lambda value: _float(float(value), narrow))
    if kind is not Kind.DECIMAL:
        return None
    if column.base in {"real", "double precision"}:
        return literals.decimal_as_double(decoder(contract))
    return _decimal(column, decoder(contract))


def _float(value: float, narrow: Callable[[Any], str] | None) -> str:
    if value - value != 0.0:
        return "'NaN'" if value != value else "'Infinity'" if value > 0 else "'-Infinity'"
    if narrow is not None:
        narrow(value)
    # Quoted: an unquoted -0.0 is a numeric, which has no negative zero.
    return f"'{value!r}'"


def _decimal(column: TargetColumn, decode: Decoder) -> Literal:
    scale = column.scale

    def render(value: Any) -> str:
        plain = decode(value)
        if scale is not None and scale >= 0 and len(plain.partition(".")[2].rstrip("0")) > scale:
            kept = plain[: plain.index(".") + 1 + scale].rstrip(".")
            raise Unrepresentable(
                f"{literals.short(plain)} has more than {scale} fraction digits", f"'{kept}'", rounded=True
            )
        return f"'{plain}'"

    return Literal(render)


def _into_bits(column: TargetColumn, contract: Contract) -> Literal | None:
    if contract.kind is Kind.BOOLEAN:
        return Literal(lambda value: "B'1'" if value is True else "B'0'")
    if contract.kind not in {Kind.BITS, Kind.VARBITS}:
        return None
    width = contract.length if contract.kind is Kind.BITS and contract.length else 0

    def render(value: Any) -> str:
        plain = value if isinstance(value, str) else f"{int.from_bytes(value, 'little'):0{width or 1}b}"
        if plain.strip("01"):
            raise DataError(f"not a bit string: {plain[:80]!r}")
        return f"B'{plain}'"

    return Literal(render)


_SIGNED_YEAR: Final = re.compile(r"([+-]?)(\d{4,})(-\d\d-\d\d.*)", re.ASCII)


def _era(plain: str) -> str:
    """ISO's signed years as Postgres reads them: year 0 is 1 BC."""
    found = _SIGNED_YEAR.fullmatch(plain)
    if found is None:
        return plain
    year = -int(found[2]) if found[1] == "-" else int(found[2])
    return f"{1 - year:04d}{found[3]} BC" if year <= 0 else f"{year:04d}{found[3]}"


def _into_time(column: TargetColumn, contract: Contract) -> Literal | None:
    base, kind, decode = column.base, contract.kind, decoder(contract)
    if base == "interval":
        if kind is Kind.DURATION:
            return Literal(lambda value: f"'{value:d} microseconds'")
        return _text() if kind is Kind.INTERVAL else None
    if base == "date":
        return _text(lambda value: _era(decode(value))) if kind is Kind.DATE else None
    if base == "time":
        return _timed(column, decode) if kind is Kind.TIME else None
    if base == "timetz":
        return _timed(column, decode) if kind is Kind.ZONED_TIME else None
    if kind not in {Kind.DATE, Kind.TIMESTAMP, Kind.ZONED_TIMESTAMP}:
        return None
    return _timed(column, lambda value: _era(decode(value)))


_FRACTION: Final = re.compile(r"\.(\d+)")


def _timed(column: TargetColumn, decode: Decoder) -> Literal:
    digits = 6 if column.fraction is None else column.fraction

    def render(value: Any) -> str:
        plain = decode(value)
        if type(plain) is not str:
            raise DataError(f"not a time: {type(plain).__name__}")
        found = _FRACTION.search(plain)
        if found is not None and len(found[1].rstrip("0")) > digits:
            kept = plain[: found.start() + 1 + digits] + plain[found.end() :]
            raise Unrepresentable(
                f"{plain} has more than {digits} fraction digits", quoted(kept), rounded=True
            )
        return quoted(plain)

    return Literal(render)


def _into_text(contract: Contract) -> Literal | None:
    """Text, json, uuid, inet, enums and all other types that are written as text."""
    if contract.kind in JSON_KINDS:
        return _text(json_text)
    if contract.schema.type is SchemaType.STRING:
        return _text(decoder(contract)) if contract.kind is Kind.DECIMAL else _text()
    if contract.kind in {Kind.DECIMAL, Kind.DATE, Kind.TIME, Kind.TIMESTAMP}:
        return _text(decoder(contract))
    return _text(lambda value: f"{value:d}") if contract.kind in INTEGER_KINDS else None


def _array(value: Any) -> str:
    return quoted(_array_text(value))


def _array_text(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(_array_text(item) for item in value) + "}"
    if isinstance(value, bool):
        return "t" if value else "f"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
