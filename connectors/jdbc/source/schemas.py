"""Columns of a result -> Connect's schema of its rows, and the function that makes their values. Pure.

Compiled once per query. Every struct lists all its fields in order.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final

from connectors.jdbc.source.reading import INTEGERS, NUMBERS, Column, Decode, Kind
from connectors.jdbc.source.settings import SourceSettings
from replicator.api import DataError, Schema, SchemaError, SchemaType, StructuralError
from replicator.api.logical import (
    DBZ_VARIABLE_SCALE_DECIMAL,
    date_schema,
    decimal_schema,
    time_schema,
    timestamp_schema,
)
from replicator.api.schema import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    struct_schema,
)

log = logging.getLogger(__name__)

_PLAIN: Final = {
    Kind.BOOLEAN: BOOLEAN,
    Kind.INT8: INT8,
    Kind.INT16: INT16,
    Kind.INT32: INT32,
    Kind.INT64: INT64,
    Kind.FLOAT32: FLOAT32,
    Kind.FLOAT64: FLOAT64,
    Kind.STRING: STRING,
    Kind.BYTES: BYTES,
    Kind.OTHER: STRING,
}
_LONGEST_INTEGER: Final = 18
_LOWEST_SCALE: Final = -84
_NO_SCALE: Final = 127
"""Scale of numbers that declare none, where the schema must have one."""

_EXACT: Final = Context(prec=20_000)
_EPOCH: Final = dt.datetime(1970, 1, 1)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


class TooNarrowError(Exception):
    """A value needs the whole width of its column, which so far was taken for a narrower one."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


Make = Callable[[tuple[Any, ...]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How rows of one result become values.

    Attributes:
        columns: the columns the plan was made for.
        schema: schema of the values.
        make: a row -> fields of a struct.
        dropped: names of columns that are left out.
    """

    columns: tuple[Column, ...]
    schema: Schema
    make: Make
    dropped: tuple[str, ...] = ()


def plan_rows(
    columns: Sequence[Column], name: str | None, settings: SourceSettings, wide: frozenset[str] = frozenset()
) -> RowPlan:
    """Compile the plan of a result; `wide` names columns that once were too narrow.

    Raises:
        StructuralError: a column has no type in Connect and the settings say to stop.
    """
    fields: list[tuple[str, Schema]] = []
    steps: list[tuple[int, str, Decode | None, bool]] = []
    dropped = []
    for index, column in enumerate(columns):
        if column.kind is Kind.OTHER and settings.unsupported != "text":
            _leave_out(column, name, settings)
            dropped.append(column.name)
            continue
        schema, decode = _field(column, settings)
        if column.narrow and settings.plain_numeric and column.name not in wide:
            schema, decode = INT32, _after(decode, _narrow(column.name))
        fields.append((column.name, schema.as_optional() if column.optional else schema))
        steps.append((index, column.name, decode, column.optional))
    if len({field for field, _ in fields}) != len(fields):
        raise StructuralError(
            f"The result of {name or 'the query'} has two columns of one name", hint="Give one an alias."
        )
    schema = struct_schema(fields, name=name)
    return RowPlan(tuple(columns), schema, _maker(steps, bool(dropped)), tuple(dropped))


def _leave_out(column: Column, name: str | None, settings: SourceSettings) -> None:
    what = f"Column {column.name} of {name or 'the query'} is {column.type}, which Connect has no type for"
    if settings.unsupported == "fail":
        raise StructuralError(what, hint="Set unsupported.types to text or drop.")
    log.warning("%s: it is left out (unsupported.types=drop).", what)


def _maker(steps: Sequence[tuple[int, str, Decode | None, bool]], partial: bool) -> Make:
    names = [name for _, name, _, _ in steps]
    indexes = [index for index, _, _, _ in steps]
    checked = [(name, decode, optional) for _, name, decode, optional in steps if decode or not optional]

    def make(row: tuple[Any, ...]) -> dict[str, Any]:
        chosen = [row[i] for i in indexes] if partial else row
        values = dict(zip(names, chosen, strict=True))
        for name, decode, optional in checked:
            value = values[name]
            if value is not None and decode is not None:
                try:
                    value = values[name] = decode(value)
                except DataError as error:
                    raise DataError(f"Column {name}: {error.message}", hint=error.hint) from None
            if value is None and not optional:
                raise SchemaError(f"Column {name} is NULL, though it is declared NOT NULL")
        return values

    return make


def _field(column: Column, settings: SourceSettings) -> tuple[Schema, Decode | None]:
    kind, decode = column.kind, column.decode
    if kind in NUMBERS:
        return _number(column, settings)
    if kind is Kind.DATE:
        return date_schema(), decode
    if kind is Kind.TIME:
        return time_schema(), _after(decode, _whole_milliseconds)
    if kind is Kind.TIMESTAMP:
        schema, form = _timestamp(settings)
        return schema, _after(decode, form)
    return _PLAIN[kind], decode


def _narrow(name: str) -> Decode:
    def fits(value: int) -> int:
        if not -(2**31) <= value < 2**31:
            raise TooNarrowError(name)
        return value

    return fits


def _after(decode: Decode | None, then: Decode) -> Decode:
    if decode is None:
        return then

    def both(value: Any) -> Any:
        decoded = decode(value)
        return None if decoded is None else then(decoded)

    return both


def _whole_milliseconds(value: Any) -> Any:
    """Connect's Time and Timestamp count milliseconds."""
    return value.replace(microsecond=value.microsecond // 1000 * 1000) if value.microsecond % 1000 else value


# --- numbers ---


def _number(column: Column, settings: SourceSettings) -> tuple[Schema, Decode | None]:
    mapped = column.kind is Kind.NUMERIC or settings.every_decimal
    if mapped and settings.numeric != "none":
        found = _mapped(column, settings.numeric)
        if found is not None:
            return found[0], _after(column.decode, found[1])
    if column.scale is not None:
        return decimal_schema(column.scale), _after(column.decode, _scaled(column.scale))
    if settings.plain_numeric:
        return decimal_schema(_NO_SCALE), _after(column.decode, _scaled(_NO_SCALE))
    return _VARIABLE, _after(column.decode, _variable)


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
    size = (unscaled + (unscaled < 0)).bit_length() // 8 + 1
    return {"scale": -exponent, "value": unscaled.to_bytes(size, "big", signed=True)}


# --- timestamps ---


def micros_of(moment: dt.datetime) -> int:
    """Microseconds since the epoch of a naive UTC moment."""
    return (moment - _EPOCH) // _MICROSECOND


def _timestamp(settings: SourceSettings) -> tuple[Schema, Decode]:
    form = settings.granularity
    if form == "connect_logical":
        return timestamp_schema(), _whole_milliseconds
    if form.endswith("_iso_datetime_string"):
        return STRING, _iso(settings.zone, "" if form.startswith("micros") else "000")
    factor = 1 if form.startswith("micros") else 1000
    if form.endswith("_long"):
        return INT64, lambda moment: _within_long(micros_of(moment) * factor)
    return STRING, lambda moment: str(micros_of(moment) * factor)


def _within_long(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise DataError(f"A timestamp of {number} nanoseconds is beyond INT64")
    return number


def _iso(zone: dt.tzinfo, more_digits: str) -> Decode:
    def text(moment: dt.datetime) -> str:
        shown = moment.replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
        return shown.isoformat("T", "microseconds") + more_digits

    return text


def is_integer(column: Column) -> bool:
    """Whether a column can be an incrementing column."""
    return column.kind in INTEGERS or (column.kind in NUMBERS and column.scale in (0, None))
