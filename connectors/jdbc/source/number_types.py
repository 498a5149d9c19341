"""Numbers of a result: their type in Connect under `numeric.mapping`, and what makes their values. Pure."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any, Final

from connectors.jdbc.source.reading import Column, Decode, Kind
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import DataError, Schema, SchemaType
from replicator.api.logical import DBZ_VARIABLE_SCALE_DECIMAL, decimal_schema
from replicator.api.logical_values import unscaled_bytes
from replicator.api.schema import BYTES, FLOAT64, INT8, INT16, INT32, INT64

_LONGEST_INTEGER: Final = 18
_LOWEST_SCALE: Final = -84
_NO_SCALE: Final = 127
"""Scale of numbers that declare none, where the schema must have one."""

_EXACT: Final = Context(prec=20_000)


def after(decode: Decode | None, then: Decode) -> Decode:
    """Both steps; what is NULL after the first stays NULL."""
    if decode is None:
        return then

    def both(value: Any) -> Any:
        decoded = decode(value)
        return None if decoded is None else then(decoded)

    return both


def number_type(column: Column, settings: SourceSettings) -> tuple[Schema, Decode | None]:
    """Schema and decoder of a column of numbers."""
    mapped = column.kind is Kind.NUMERIC or settings.every_decimal
    if mapped and settings.numeric != "none":
        found = _mapped(column, settings.numeric)
        if found is not None:
            return found[0], after(column.decode, found[1])
    if column.scale is not None:
        return decimal_schema(column.scale), after(column.decode, _scaled(column.scale))
    if settings.plain_numeric:
        return decimal_schema(_NO_SCALE), after(column.decode, _scaled(_NO_SCALE))
    return _VARIABLE, after(column.decode, _variable)


def _mapped(column: Column, mapping: str) -> tuple[Schema, Decode] | None:
    """The primitive type of a number under `numeric.mapping`, or None when it stays a Decimal."""
    precision, scale = column.precision, column.scale
    if scale is None:
        return (FLOAT64, _to_float) if mapping == "best_fit_eager_double" else None
    if mapping == "precision_only":
        return _integer(precision) if scale == 0 and precision <= _LONGEST_INTEGER else None
    if _LOWEST_SCALE <= scale < 1 and precision <= _LONGEST_INTEGER:
        return _integer(precision - scale) if precision - scale <= _LONGEST_INTEGER else None
    if scale > 0 and (precision <= _LONGEST_INTEGER or mapping == "best_fit_eager_double"):
        return FLOAT64, _to_float
    return None


def _integer(digits: int) -> tuple[Schema, Decode]:
    schema = INT64 if digits > 9 else INT32 if digits > 4 else INT16 if digits > 2 else INT8
    return schema, _to_integer


def _to_integer(value: Decimal) -> int:
    if not value.is_finite() or value != value.to_integral_value():
        raise DataError(f"{value} is no integer")
    return int(value)


def _to_float(value: Decimal) -> float:
    return float(value)


def _scaled(scale: int) -> Decode:
    unit = Decimal((0, (1,), -scale))

    def exact(value: Decimal) -> Decimal:
        _, _, exponent = value.as_tuple()
        if exponent == -scale:
            return value
        if isinstance(exponent, str):
            raise DataError(f"{value} has no form in Connect's Decimal")
        fitted = value.quantize(unit, context=_EXACT)
        if fitted != value:
            raise DataError(f"{value} has more than {scale} fraction digits")
        return fitted

    return exact


_VARIABLE: Final = Schema(
    SchemaType.STRUCT,
    name=DBZ_VARIABLE_SCALE_DECIMAL,
    version=1,
    doc="Variable scaled decimal",
    fields=[("scale", INT32), ("value", BYTES)],
)


def _variable(value: Decimal) -> dict[str, Any]:
    sign, digits, exponent = value.as_tuple()
    if isinstance(exponent, str):
        raise DataError(f"{value} has no form in Connect's types")
    unscaled = int("".join(map(str, digits))) * (-1 if sign else 1)
    return {"scale": -exponent, "value": unscaled_bytes(unscaled)}
